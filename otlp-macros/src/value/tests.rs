//! Expansions, token for token; names of variants; what is refused.
#![allow(clippy::unwrap_used)]

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use super::case::Case;
use super::value;
use crate::snapshot::compare;

fn check(name: &str, input: TokenStream) {
    let expanded = value(input.clone());
    assert_eq!(expanded.to_string(), value(input).to_string(), "deterministic");
    compare(name, &expanded);
}

#[test]
fn newtype() {
    check(
        "value_newtype",
        quote!(
            pub struct Page<'a, T: ?Sized, const N: usize = 1>(&'a [Box<T>; N], PhantomData<T>)
            where
                T: Send;
        ),
    );
}

#[test]
fn text() {
    check(
        "value_text",
        quote!(
            #[value(display, crate = crate::telemetry)]
            enum Command<T> {
                Stop,
                Move { by: T, times: u32 },
            }
        ),
    );
}

#[test]
fn names() {
    check(
        "value_names",
        quote!(
            #[value(rename_all = "snake_case")]
            enum State {
                New,
                InProgress,
                #[value(rename = "all done")]
                Done {},
            }
        ),
    );
}

#[test]
fn variants() {
    check(
        "value_variants",
        quote!(
            enum Mixed<T> {
                Nothing,
                Number(T),
                Address {
                    #[value(display)]
                    address: Option<IpAddr>,
                },
                Seen(#[value(debug)] Vec<T>),
            }
        ),
    );
}

#[test]
fn a_mistake_leaves_an_implementation() {
    for input in [
        quote!(
            union Bits<T: Copy> {
                a: T,
                b: u32,
            }
        ),
        quote!(
            struct Two<T>(T, T);
        ),
        quote!(
            #[value(nonsense)]
            struct One<'a>(&'a str);
        ),
        quote!(
            enum E {
                #[value(display)]
                A(u8),
            }
        ),
    ] {
        let expanded = value(input).to_string();
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
        assert_eq!(expanded.matches(":: otlp :: __private :: Value for").count(), 1, "{expanded}");
    }
}

#[test]
fn cases() {
    for (name, one, two) in [
        ("snake_case", "paid", "gift_card2_x"),
        ("SCREAMING_SNAKE_CASE", "PAID", "GIFT_CARD2_X"),
        ("kebab-case", "paid", "gift-card2-x"),
        ("SCREAMING-KEBAB-CASE", "PAID", "GIFT-CARD2-X"),
        ("lowercase", "paid", "giftcard2x"),
        ("UPPERCASE", "PAID", "GIFTCARD2X"),
        ("camelCase", "paid", "giftCard2X"),
        ("PascalCase", "Paid", "GiftCard2X"),
    ] {
        let case = Case::parse(&LitStr::new(name, proc_macro2::Span::call_site())).unwrap();
        assert_eq!((case.apply("Paid").as_str(), case.apply("GiftCard2X").as_str()), (one, two), "{name}");
    }
}
