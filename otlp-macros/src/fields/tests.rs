//! The parser of fields, from text.
#![allow(clippy::unwrap_used)]

use quote::ToTokens;

use super::{Field, Fields, Form, Key};

/// Each field as `key sigil value`.
fn parse(text: &str) -> Result<Vec<String>, String> {
    let fields: Fields = syn::parse_str(text).map_err(|e| e.to_string())?;
    let show = |field: &Field| match field {
        Field::Attribute { key, form, value } => {
            let key = match key {
                Key::Text { text, .. } => text.clone(),
                Key::Const(constant) => format!("{{{}}}", constant.to_token_stream()),
            };
            let sigil = match form {
                Form::Value => "",
                Form::Display => "%",
                Form::Debug => "?",
            };
            format!("{key} = {sigil}{}", value.to_token_stream())
        }
        Field::Spread(value) => format!("..{}", value.to_token_stream()),
        Field::Argument { name, .. } => format!("argument {name}"),
    };
    Ok(fields.0.iter().map(show).collect())
}

#[track_caller]
fn parses(text: &str, expected: &[&str]) {
    assert_eq!(parse(text).unwrap(), expected, "{text}");
}

#[track_caller]
fn fails(text: &str, expected: &str) {
    let error = parse(text).unwrap_err();
    assert!(error.contains(expected), "{text}: {error}");
}

#[test]
fn the_grammar() {
    parses("", &[]);
    parses("a", &["a = a"]);
    parses("a,", &["a = a"]);
    parses("%a, ?b.c.0", &["a = %a", "b.c.0 = ?b . c . 0"]);
    parses(
        "self, self.id, self.0.1, r#self_",
        &["self = self", "id = self . id", "0.1 = self . 0 . 1", "self_ = r#self_"],
    );
    parses("r#type, x.r#fn", &["type = r#type", "x.fn = x . r#fn"]);
    parses("type = 1, a.type.async = 2, r#in = 3", &["type = 1", "a.type.async = 2", "in = 3"]);
    parses("\"a b\" = 1, {KEY} = %2, {m::KEY} = ?3", &["a b = 1", "{KEY} = %2", "{m :: KEY} = ?3"]);
    parses("..a, ..f(b), c", &["..a", "..f (b)", "c = c"]);
    parses("a=%b, c=?d, e=-1", &["a = %b", "c = ?d", "e = - 1"]);
    parses("a = b == c, d = e % f", &["a = b == c", "d = e % f"]);
}

#[test]
fn mistakes() {
    fails("a b", "expected `,`");
    fails("a.b()", "needs a key");
    fails("a::b", "needs a key");
    fails("%a + 1", "needs a key");
    fails("1", "needs a key");
    fails("a[0]", "needs a key");
    fails("type", "is no value");
    fails("a.type", "is no value");
    fails("a =", "no value");
    fails("a = , b", "no value");
    fails("\"a\"", "write `\"a\" = value`");
    fails("{A}", "{CONST} = value");
    fails("{A, B} = 1", "{CONST} = value");
    fails("a: b", "written with `=`: `a = value`");
    fails("a => %b", "written with `=`");
    fails("a::b = 1", "separated by `.`");
    fails("content-type = 1", "`\"content-type\" = ...`");
    fails("x-y = 1", "`\"x-y\" = ...`");
    fails("a, b = 1, a = 2", "`a` is there twice");
    fails("self.id, id", "`id` is there twice");
    fails("\"\" = 1", "empty");
    fails("a = b.await", "`.await`");
    fails("a = b?", "`?`");
    fails("a = { return 1 }", "`return`");
    fails("..b?", "`?`");
    fails("a = field::Empty", "no placeholder");
    fails(".a", "expected a field");
    fails(", a", "expected a field");
}

#[test]
fn control_flow_inside_a_value_is_its_own() {
    assert!(parse("a = (|| { f()?; return 1 })()").is_ok());
    assert!(parse("a = run(async { f().await })").is_ok());
}
