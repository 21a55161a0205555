//! The options of a derive, as they stand in `#[value(...)]`, `#[attributes(...)]` and `#[attribute(...)]`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser as _;
use syn::{Attribute, Error, LitStr, Path, Result, Token, token};

use crate::fields::Form;

/// Where options stand, and which.
pub(crate) struct Place {
    /// The attribute that holds them.
    pub(crate) attribute: &'static str,
    /// Those that stand here.
    pub(crate) options: &'static [&'static str],
    /// Why another option, or another attribute, does not stand here, and what to write instead.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// Options, each at most once; those that the place does not have are empty.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) krate: Option<Path>,
    pub(crate) prefix: Option<LitStr>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) rename_all: Option<LitStr>,
    /// `display` or `debug`, and where it says so.
    pub(crate) form: Option<(Form, Span)>,
    pub(crate) skip: Option<Span>,
    pub(crate) flatten: Option<Span>,
}

impl Options {
    pub(crate) fn parse(attributes: &[Attribute], place: &Place) -> Result<Self> {
        let mut options = Self::default();
        for attribute in attributes {
            let Some(name) = attribute.path().get_ident() else { continue };
            if name == place.attribute {
                attribute.parse_nested_meta(|meta| options.option(&meta, place))?;
            } else if let Some(remedy) = place.remedy(&format!("#[{name}]")) {
                return Err(Error::new(name.span(), remedy));
            }
        }
        Ok(options)
    }

    fn option(&mut self, meta: &ParseNestedMeta<'_>, place: &Place) -> Result<()> {
        let word = meta.path.get_ident().filter(|word| place.options.contains(&word.to_string().as_str()));
        let Some(word) = word else { return Err(Error::new_spanned(&meta.path, place.refuse(&meta.path))) };
        let at = word.span();
        let first = match word.to_string().as_str() {
            "crate" => self.krate.replace(krate(meta, word)?).is_none(),
            "prefix" => self.prefix.replace(text(meta, word)?).is_none(),
            "rename" => self.rename.replace(text(meta, word)?).is_none(),
            "rename_all" => self.rename_all.replace(text(meta, word)?).is_none(),
            "skip" => self.skip.replace(flag(meta, word)?).is_none(),
            "flatten" => self.flatten.replace(flag(meta, word)?).is_none(),
            "display" => self.form.replace((Form::Display, flag(meta, word)?)).is_none(),
            _ => self.form.replace((Form::Debug, flag(meta, word)?)).is_none(),
        };
        if first {
            return Ok(());
        }
        Err(Error::new(
            at,
            match word.to_string().as_str() {
                "display" | "debug" => "one of `display` and `debug`, once".to_owned(),
                word => format!("the option `{word}` is there twice"),
            },
        ))
    }

    /// How a value is recorded.
    pub(crate) fn form(&self) -> Form {
        self.form.map_or(Form::Value, |(form, _)| form)
    }
}

impl Place {
    fn remedy(&self, written: &str) -> Option<&'static str> {
        self.elsewhere.iter().find(|(name, _)| *name == written).map(|(_, remedy)| *remedy)
    }

    fn refuse(&self, path: &Path) -> String {
        let written = path.get_ident().map(Ident::to_string).unwrap_or_default();
        if let Some(remedy) = self.remedy(&written) {
            return remedy.to_owned();
        }
        let options: Vec<String> = self.options.iter().map(|option| format!("`{option}`")).collect();
        let options = options.join(", ");
        let attribute = self.attribute;
        format!("`#[{attribute}(...)]` has no such option here; the options are {options}")
    }
}

fn text(meta: &ParseNestedMeta<'_>, word: &Ident) -> Result<LitStr> {
    let written = equals(meta).and_then(|()| meta.input.parse::<LitStr>().ok());
    written.ok_or_else(|| Error::new(word.span(), format!("`{word}` needs a text: `{word} = \"...\"`")))
}

fn krate(meta: &ParseNestedMeta<'_>, word: &Ident) -> Result<Path> {
    let written = equals(meta).and_then(|()| meta.input.call(Path::parse_mod_style).ok());
    written.ok_or_else(|| Error::new(word.span(), "`crate` needs a path: `crate = path::to::otlp`"))
}

fn equals(meta: &ParseNestedMeta<'_>) -> Option<()> {
    meta.input.parse::<Token![=]>().ok().map(|_| ())
}

fn flag(meta: &ParseNestedMeta<'_>, word: &Ident) -> Result<Span> {
    if meta.input.peek(Token![=]) || meta.input.peek(token::Paren) {
        return Err(Error::new(word.span(), format!("`{word}` stands alone, without a value")));
    }
    Ok(word.span())
}

/// The path of the crate, also if other options are wrong.
pub(super) fn crate_path(attributes: &[Attribute], attribute: &str) -> Option<Path> {
    let lists = attributes.iter().filter(|a| a.path().is_ident(attribute)).filter_map(|a| a.meta.require_list().ok());
    lists.filter_map(|list| within(list.tokens.clone())).next()
}

fn within(tokens: TokenStream) -> Option<Path> {
    let mut tokens = tokens.into_iter().skip_while(|token| token.to_string() != "crate").skip(1);
    tokens.next().filter(|token| token.to_string() == "=")?;
    let path = tokens.take_while(|token| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','));
    Path::parse_mod_style.parse2(path.collect()).ok()
}
