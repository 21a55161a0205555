//! Expansions, token for token.
#![allow(clippy::unwrap_used)]

use proc_macro2::TokenStream;
use quote::quote;

use super::{model, traced};
use crate::snapshot::compare;

fn check(name: &str, options: TokenStream, item: TokenStream) {
    let expanded = traced(options.clone(), item.clone());
    assert_eq!(expanded.to_string(), traced(options, item).to_string(), "deterministic");
    compare(name, &expanded);
}

#[test]
fn sync() {
    check(
        "sync",
        quote!(),
        quote!(
            pub fn area(width: f64) -> f64 {
                width * width
            }
        ),
    );
}

#[test]
fn sync_result() {
    let options =
        quote!(name = "load it", kind = client, level = debug, root, fields(key, %self.name, n = ?key.len(), ..more));
    let item = quote! {
        #[inline]
        pub(crate) fn load<'a, T: Read>(&'a mut self, key: &str) -> Result<&'a T, Error> {
            #![allow(unused)]
            self.find(key)
        }
    };
    check("sync_result", options, item);
}

#[test]
fn asynchronous() {
    check(
        "async",
        quote!(fields({ KEY } = n), crate = crate::telemetry),
        quote!(
            async fn wait(n: u32) {
                sleep(n).await
            }
        ),
    );
}

#[test]
fn async_result() {
    check(
        "async_result",
        quote!(),
        quote!(
            async fn list(&self) -> Result<impl Iterator<Item = u32>, Error> {
                todo!()
            }
        ),
    );
}

#[test]
fn async_never() {
    check(
        "async_never",
        quote!(),
        quote!(
            async fn serve() -> ! {
                loop {}
            }
        ),
    );
}

#[test]
fn returned_future() {
    let item = quote! {
        fn load<'a>(&'a self, key: Key) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send + 'a>> {
            let key = key.normal();
            Box::pin(async move { self.get(key).await })
        }
    };
    check("returned_future", quote!(fields(self.name)), item);
}

#[test]
fn span() {
    let expanded = crate::span::span(quote!([::otlp] "step", n, label = %text));
    compare("span", &quote!(fn expansion() -> ::otlp::Span #expanded));
}

#[test]
fn block() {
    let item = quote! {
        impl<T> Shop<T> {
            const LIMIT: usize = 1;
            #[traced(skip)]
            fn left_out(&self) {}
            #[traced(level = trace)]
            fn order(&self, id: u64, #[cfg(x)] more: u8, token: &str) {}
        }
    };
    check("block", quote!(args, kind = server), item);
}

#[test]
fn options() {
    let options = quote!(%ret, err = status, parent = cx, links = [a], sample = 0.5);
    let item = quote! {
        fn f() -> Result<u8, E> {
            g()
        }
    };
    check("options", options, item);
}

#[test]
fn made_future() {
    let item = quote! {
        fn f() -> Later<u8> {
            g()
        }
    };
    check("made_future", quote!(future), item);
}

#[test]
fn a_mistake_leaves_the_item() {
    for (options, item) in [
        (
            quote!(nonsense),
            quote!(
                fn f() {}
            ),
        ),
        (
            quote!(fields(a b)),
            quote!(
                pub async fn f() {}
            ),
        ),
        (
            quote!(),
            quote!(
                pub const fn f() {}
            ),
        ),
        (quote!(name = "x"), quote!(impl X { fn f () {} })),
        (
            quote!(),
            quote!(
                mod x {
                    fn f() {}
                }
            ),
        ),
        (
            quote!(),
            quote!(
                fn f();
            ),
        ),
    ] {
        let expanded = traced(options, item.clone()).to_string();
        assert!(expanded.ends_with(&item.to_string()), "{expanded}");
        assert_eq!(expanded.matches("compile_error").count(), 1, "{expanded}");
    }
}

/// Whether the result of this function is looked at.
fn inspects(item: TokenStream) -> bool {
    model(TokenStream::new(), item).unwrap().inspect
}

#[test]
fn what_may_fail() {
    for yes in [
        quote!(
            fn f() -> Result<(), E> {}
        ),
        quote!(
            fn f() -> io::Result<()> {}
        ),
        quote!(
            fn f() -> Outcome {}
        ),
        quote!(
            fn f() -> <X as Y>::Z {}
        ),
        quote!(
            fn f() -> Result<impl Iterator, E> {}
        ),
        quote!(
            fn f() -> (Result<(), E>) {}
        ),
        quote!(
            fn f() -> answer!() {}
        ),
        quote!(
            #[track_caller]
            async fn f() -> Result<(), E> {}
        ),
    ] {
        assert!(inspects(yes.clone()), "{yes}");
    }
    for no in [
        quote!(
            fn f() {}
        ),
        quote!(
            fn f() -> () {}
        ),
        quote!(
            fn f() -> ! {}
        ),
        quote!(
            fn f() -> u32 {}
        ),
        quote!(
            fn f() -> &Result<(), E> {}
        ),
        quote!(
            fn f() -> Self {}
        ),
        quote!(
            fn f() -> Option<u32> {}
        ),
        quote!(
            fn f() -> Box<dyn X> {}
        ),
        quote!(
            fn f() -> impl X {}
        ),
        quote!(
            fn f() -> (u32, E) {}
        ),
        quote!(
            fn f() -> [u8; 2] {}
        ),
        quote!(
            fn f<T>() -> T {}
        ),
        quote!(
            #[track_caller]
            fn f() -> Result<(), E> {}
        ),
        quote!(
            #[cfg_attr(debug_assertions, track_caller)]
            fn f() -> Result<(), E> {}
        ),
    ] {
        assert!(!inspects(no.clone()), "{no}");
    }
}
