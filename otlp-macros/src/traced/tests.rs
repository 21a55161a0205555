//! Expansions, token for token, against `tests/expand/`. `BLESS=1 cargo test -p otlp-macros` writes them anew.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use proc_macro2::TokenStream;
use quote::quote;

use super::{model, traced};

/// One text for the same tokens, whoever formatted them: spaces and trailing commas are a matter of taste.
fn canonical(tokens: &TokenStream) -> String {
    let text: String = tokens.to_string().split_whitespace().collect();
    text.replace(",}", "}").replace(",)", ")").replace(",]", "]")
}

fn check(name: &str, options: TokenStream, item: TokenStream) {
    let expanded = traced(options.clone(), item.clone());
    assert_eq!(expanded.to_string(), traced(options, item).to_string(), "deterministic");
    compare(name, &expanded);
}

fn compare(name: &str, expanded: &TokenStream) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/expand").join(format!("{name}.rs"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, formatted(&expanded.to_string())).unwrap();
    }
    let expected: TokenStream = std::fs::read_to_string(&path).unwrap().parse().unwrap();
    assert_eq!(canonical(expanded), canonical(&expected), "{name}: the expansion is another");
}

fn formatted(source: &str) -> Vec<u8> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--config", "max_width=120,use_small_heuristics=Max"]);
    let mut child = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    child.wait_with_output().unwrap().stdout
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
