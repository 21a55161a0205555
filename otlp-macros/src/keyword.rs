//! The words that options take as values, written as in the language: `kind = server`, `level = debug`.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Error, Expr, LitStr, Result, Token};

/// An option's closed set of values, each with the variant that it stands for.
pub(crate) struct Words {
    /// The option's name.
    pub(crate) option: &'static str,
    /// The variant when nothing was written.
    pub(crate) default: &'static str,
    /// `(word, variant)`.
    pub(crate) words: &'static [(&'static str, &'static str)],
}

/// `kind = ...`.
pub(crate) const KIND: Words = Words {
    option: "kind",
    default: "Internal",
    words: &[
        ("internal", "Internal"),
        ("server", "Server"),
        ("client", "Client"),
        ("producer", "Producer"),
        ("consumer", "Consumer"),
    ],
};

/// `level = ...`.
pub(crate) const LEVEL: Words = Words {
    option: "level",
    default: "Info",
    words: &[("trace", "Trace"), ("debug", "Debug"), ("info", "Info"), ("warn", "Warn"), ("error", "Error")],
};

impl Words {
    /// Parses one of the words. Whoever writes it in the style of another library is told how it is written here.
    pub(crate) fn parse(&self, input: ParseStream<'_>) -> Result<&'static str> {
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            return Err(Error::new_spanned(&text, self.message(&text.value())));
        }
        let ahead = input.fork();
        if let Ok(word) = ahead.call(Ident::parse_any)
            && (ahead.is_empty() || ahead.peek(Token![,]))
        {
            input.call(Ident::parse_any)?;
            let text = word.unraw().to_string();
            let known = self.words.iter().find(|(w, _)| *w == text);
            return known.map(|(_, variant)| *variant).ok_or_else(|| Error::new_spanned(&word, self.message(&text)));
        }
        match input.parse::<Expr>() {
            Ok(Expr::Path(path)) => {
                let last = path.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
                Err(Error::new_spanned(path, self.message(&last)))
            }
            Ok(other) => Err(Error::new_spanned(other, self.message(""))),
            Err(_) => Err(Error::new(input.span(), self.message(""))),
        }
    }

    fn message(&self, written: &str) -> String {
        let option = self.option;
        if let Some((word, _)) = self.words.iter().find(|(w, _)| w.eq_ignore_ascii_case(written)) {
            return format!("write `{option} = {word}`");
        }
        let words: Vec<String> = self.words.iter().map(|(w, _)| format!("`{w}`")).collect();
        format!("`{option}` is one of {}", words.join(", "))
    }
}
