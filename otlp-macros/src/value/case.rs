//! `rename_all`: how the name of a variant becomes text. The same words and the same rules as serde's.

use syn::{Error, LitStr, Result};

/// A way to write names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// As in the source.
    Pascal,
    Lower,
    Upper,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const CASES: [(&str, Case); 8] = [
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("camelCase", Case::Camel),
    ("PascalCase", Case::Pascal),
];

impl Case {
    pub(super) fn parse(written: &LitStr) -> Result<Self> {
        let text = written.value();
        if let Some((_, case)) = CASES.iter().find(|(name, _)| *name == text) {
            return Ok(*case);
        }
        let names = CASES.map(|(name, _)| format!("`{name}`")).join(", ");
        Err(Error::new(written.span(), format!("`rename_all` is one of {names}")))
    }

    /// `variant` is written as variants are: in `PascalCase`.
    pub(super) fn apply(self, variant: &str) -> String {
        match self {
            Self::Pascal => variant.to_owned(),
            Self::Lower => variant.to_ascii_lowercase(),
            Self::Upper => variant.to_ascii_uppercase(),
            Self::Camel => {
                let mut letters = variant.chars();
                letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
            }
            Self::Snake => separated(variant, '_'),
            Self::ScreamingSnake => separated(variant, '_').to_ascii_uppercase(),
            Self::Kebab => separated(variant, '-'),
            Self::ScreamingKebab => separated(variant, '-').to_ascii_uppercase(),
        }
    }
}

/// In small letters, with `separator` before each that was a capital.
fn separated(variant: &str, separator: char) -> String {
    let mut text = String::new();
    for (at, letter) in variant.char_indices() {
        if at > 0 && letter.is_uppercase() {
            text.push(separator);
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
