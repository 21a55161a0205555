//! Expansions, token for token; what is refused.

use proc_macro2::TokenStream;
use quote::quote;

use super::attributes;
use crate::snapshot::compare;

fn check(name: &str, input: TokenStream) {
    let expanded = attributes(input.clone());
    assert_eq!(expanded.to_string(), attributes(input).to_string(), "deterministic");
    compare(name, &expanded);
}

#[test]
fn all_forms() {
    check(
        "attributes",
        quote!(
            #[attributes(prefix = "shop.")]
            pub struct Order<'a, T, More: ?Sized> {
                id: u64,
                r#type: Option<T>,
                #[attribute(rename = "customer.name", display)]
                customer: &'a str,
                #[attribute(debug)]
                coupon: Option<T>,
                #[attribute(skip)]
                card: T,
                #[attribute(flatten)]
                more: Box<More>,
                marker: PhantomData<T>,
            }
        ),
    );
}

#[test]
fn empty() {
    check(
        "attributes_empty",
        quote!(
            #[attributes(crate = crate::telemetry)]
            struct Nothing {}
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
            struct Unit;
        ),
        quote!(
            struct Tuple<T>(T, T);
        ),
        quote!(
            enum E {
                A,
            }
        ),
        quote!(
            #[attributes(nonsense)]
            struct One<'a> {
                a: &'a str,
            }
        ),
        quote!(
            struct Twice {
                a: u8,
                #[attribute(rename = "a")]
                b: u8,
            }
        ),
    ] {
        let expanded = attributes(input).to_string();
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
        assert_eq!(expanded.matches(":: otlp :: __private :: Attributes for").count(), 1, "{expanded}");
    }
}
