//! Options, bounds and what is looked for in types.
#![allow(clippy::unwrap_used)]

use quote::{ToTokens as _, quote};
use syn::{DeriveInput, parse_quote};

use super::options::crate_path;
use super::{Bounds, Options, Place, is_phantom, within_option};

const PLACE: Place = Place {
    attribute: "value",
    options: &["crate", "prefix", "rename", "rename_all", "skip", "flatten", "display", "debug"],
    elsewhere: &[("other", "write something else"), ("#[values]", "write `#[value]`")],
};

fn fails(input: DeriveInput, expected: &str) {
    let error = Options::parse(&input.attrs, &PLACE).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains(expected), "{}: {error}", input.to_token_stream());
}

#[test]
fn options_of_several_attributes() {
    let input: DeriveInput = parse_quote! {
        #[serde(rename = "not ours")]
        #[value(rename = "a", debug,)]
        #[value()]
        #[value(crate = crate::a::b, skip)]
        #[doc = "text"]
        struct S;
    };
    let options = Options::parse(&input.attrs, &PLACE).unwrap();
    assert_eq!(options.rename.unwrap().value(), "a");
    assert_eq!(options.krate.to_token_stream().to_string(), "crate :: a :: b");
    assert!(options.skip.is_some() && options.form.is_some() && options.flatten.is_none() && options.prefix.is_none());
}

#[test]
fn mistakes_in_options() {
    fails(
        parse_quote!(
            #[value(skip, skip)]
            struct S;
        ),
        "`skip` is there twice",
    );
    fails(
        parse_quote!(
            #[value(rename = "a")]
            #[value(rename = "a")]
            struct S;
        ),
        "`rename` is there twice",
    );
    fails(
        parse_quote!(
            #[value(display, debug)]
            struct S;
        ),
        "one of `display` and `debug`",
    );
    fails(
        parse_quote!(
            #[value(skip = true)]
            struct S;
        ),
        "`skip` stands alone",
    );
    fails(
        parse_quote!(
            #[value(display("{}"))]
            struct S;
        ),
        "`display` stands alone",
    );
    fails(
        parse_quote!(
            #[value(rename)]
            struct S;
        ),
        "`rename = \"...\"`",
    );
    fails(
        parse_quote!(
            #[value(rename = 1)]
            struct S;
        ),
        "`rename = \"...\"`",
    );
    fails(
        parse_quote!(
            #[value(rename_all(serialize = "x"))]
            struct S;
        ),
        "`rename_all = \"...\"`",
    );
    fails(
        parse_quote!(
            #[value(crate)]
            struct S;
        ),
        "`crate = path::to::otlp`",
    );
    fails(
        parse_quote!(
            #[value(other)]
            struct S;
        ),
        "write something else",
    );
    fails(
        parse_quote!(
            #[values(skip)]
            struct S;
        ),
        "write `#[value]`",
    );
    fails(
        parse_quote!(
            #[value(a::b)]
            struct S;
        ),
        "no such option",
    );
    fails(
        parse_quote!(
            #[value]
            struct S;
        ),
        "parentheses",
    );
}

#[test]
fn the_crate_is_found_among_mistakes() {
    let path = |input: DeriveInput| crate_path(&input.attrs, "value").to_token_stream().to_string();
    assert_eq!(
        path(parse_quote!(
            #[value(nonsense "x", crate = a::b, c)]
            struct S;
        )),
        "a :: b"
    );
    assert_eq!(
        path(parse_quote!(
            #[value(skip)]
            #[value(crate = crate::a)]
            struct S;
        )),
        "crate :: a"
    );
    assert_eq!(
        path(parse_quote!(
            #[value(crate)]
            #[other(crate = a)]
            struct S;
        )),
        ""
    );
    assert_eq!(
        path(parse_quote!(
            #[value(crate = "a")]
            struct S;
        )),
        ""
    );
}

#[test]
fn bounds_are_on_fields_that_name_a_parameter() {
    let input: DeriveInput = parse_quote!(
        struct S<'a, T, U: ?Sized, const N: usize>;
    );
    let mut bounds = Bounds::of(&input);
    for ty in [
        parse_quote!(T),
        parse_quote!(T),
        parse_quote!(&'a U),
        parse_quote!([u8; N]),
        parse_quote!(&'a str),
        parse_quote!(<T as Store>::Key),
        parse_quote!(T::Key),
        parse_quote!(other::T),
        parse_quote!(::T),
        parse_quote!(Vec<Option<T>>),
        parse_quote!(of!(T)),
        parse_quote!(Option<Box<S<'a, T, U, N>>>),
        parse_quote!(Box<Self>),
    ] {
        bounds.require(&ty, &quote!(Value));
    }
    let bounds: Vec<String> =
        bounds.finish().iter().map(|b| b.to_token_stream().to_string().replace(' ', "")).collect();
    let expected = ["T:Value", "&'aU:Value", "<TasStore>::Key:Value", "T::Key:Value", "Vec<Option<T>>:Value"];
    assert_eq!(bounds, [&expected[..], &["of!(T):Value"]].concat());
}

#[test]
fn types_that_are_known_by_name() {
    for (ty, inner) in [
        (parse_quote!(Option<u8>), Some("u8")),
        (parse_quote!(::std::option::Option<&'a T>), Some("& 'a T")),
        (parse_quote!(Option), None),
        (parse_quote!(Option<A, B>), None),
        (parse_quote!(&Option<A>), None),
        (parse_quote!(Vec<Option<A>>), None),
    ] {
        assert_eq!(within_option(&ty).map(|ty| ty.to_token_stream().to_string()).as_deref(), inner);
    }
    assert!(is_phantom(&parse_quote!(PhantomData<T>)) && is_phantom(&parse_quote!(core::marker::PhantomData<fn(T)>)));
    assert!(!is_phantom(&parse_quote!(Vec<PhantomData<T>>)));
}
