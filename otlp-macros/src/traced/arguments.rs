//! `args`: which arguments are recorded, and which never are.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{Attribute, Error, FnArg, Pat, Result, Signature};

/// Words that name what must not be recorded unless it is asked for by name. An argument is left out if its name is one of
/// them, or has one between its underscores, also with an `s` or digits at its end. The documentation of `#[traced]` shows
/// this list.
pub(super) const SECRET_WORDS: [&str; 36] = [
    "access_key",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "card",
    "connection_string",
    "cookie",
    "credential",
    "csrf",
    "cvc",
    "cvv",
    "dsn",
    "encryption_key",
    "iban",
    "jwt",
    "mnemonic",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pin",
    "private",
    "pw",
    "pwd",
    "secret",
    "secret_key",
    "seed_phrase",
    "session",
    "signature",
    "signing_key",
    "ssn",
    "token",
];

/// The arguments that `args` records: those that are one name, without the secret ones and those in `skip`.
pub(super) fn recorded(signature: &Signature, skip: &[Ident]) -> Result<Vec<(Ident, Vec<Attribute>)>> {
    let mut names = Vec::new();
    for input in &signature.inputs {
        let FnArg::Typed(argument) = input else { continue };
        let Pat::Ident(pattern) = &*argument.pat else { continue };
        if pattern.by_ref.is_none() && pattern.subpat.is_none() {
            let cfgs = argument.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect();
            names.push((pattern.ident.clone(), cfgs));
        }
    }
    for left_out in skip {
        if !names.iter().any(|(name, _)| name == left_out) {
            let known: Vec<_> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
            let known =
                if known.is_empty() { "has no arguments".to_owned() } else { format!("has {}", known.join(", ")) };
            let message = format!("there is no argument `{left_out}` to leave out; the function {known}");
            return Err(Error::new(left_out.span(), message));
        }
    }
    names.retain(|(name, _)| {
        let text = name.unraw().to_string();
        !skip.contains(name) && !text.starts_with('_') && !is_secret(&text)
    });
    Ok(names)
}

fn is_secret(name: &str) -> bool {
    let singular = |word: &str| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        word.strip_suffix('s').filter(|word| !word.ends_with('s')).unwrap_or(word).to_owned()
    };
    let words: Vec<_> = name.to_lowercase().split('_').map(singular).collect();
    let name = format!("_{}_", words.join("_"));
    SECRET_WORDS.iter().any(|word| name.contains(&format!("_{word}_")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(signature: &str, skip: &[&str]) -> Result<Vec<String>> {
        let skip: Vec<Ident> = skip.iter().map(|name| syn::parse_str(name).unwrap()).collect();
        let names = recorded(&syn::parse_str(signature).unwrap(), &skip)?;
        Ok(names.into_iter().map(|(name, _)| name.to_string()).collect())
    }

    #[test]
    fn what_is_one_name_and_no_secret() {
        let signature =
            "fn f(&self, a: u8, mut b: u8, (c, d): (u8, u8), _: u8, _e: u8, ref g: u8, r#type: u8, h @ 1..: u8)";
        assert_eq!(names(signature, &[]).unwrap(), ["a", "b", "r#type"]);
        assert_eq!(names(signature, &["b", "a"]).unwrap(), ["r#type"]);
        let secrets =
            "fn f(password: &str, api_key: &str, Token: &str, user_pin: u8, pinned: u8, key: u8, keyboard: u8)";
        assert_eq!(names(secrets, &[]).unwrap(), ["pinned", "key", "keyboard"]);
        let secrets =
            "fn f(tokens: u8, api_keys: u8, password2: u8, db_pass: u8, passes: u8, card_1: u8, access: u8, dsn: u8)";
        assert_eq!(names(secrets, &[]).unwrap(), ["passes", "access"]);
        assert!(names("fn f(a: u8)", &["b"]).unwrap_err().to_string().contains("has `a`"));
    }

    #[test]
    fn the_list_is_published() {
        let page = include_str!("../../docs/traced.md");
        assert!(SECRET_WORDS.is_sorted());
        let list = SECRET_WORDS.map(|word| format!("`{word}`")).join(", ");
        assert!(page.replace('\n', " ").contains(&list), "docs/traced.md has to list: {list}");
    }
}
