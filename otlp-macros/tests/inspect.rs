//! Which error each return type shows.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use support::__private::{Callsite, Inspect, InspectReturn as _, Level, Metadata, Scope, SpanKind, calls, enter};

static CALLSITE: Callsite = Callsite::new(Metadata {
    name: "test",
    path: "test",
    file: "",
    line: 0,
    level: Level::Info,
    kind: SpanKind::Internal,
    keys: &[],
    scope: Scope { name: "", version: "" },
    root: false,
});

/// What the span says of a returned value.
macro_rules! seen {
    ($returned:expr) => {{
        let ((), calls) = calls(|| {
            let returned = $returned;
            let guard = enter(&CALLSITE, |_| {}).unwrap();
            (&&&&&Inspect(&returned)).otlp_inspect(&guard.outcome());
        });
        calls[0].error.clone()
    }};
}

fn error(kind: &str, message: &str) -> Option<(String, Option<String>)> {
    Some((kind.to_owned(), Some(message.to_owned())))
}

#[derive(Debug)]
struct Broken<T>(T);
impl<T> fmt::Display for Broken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}
impl<T: fmt::Debug> Error for Broken<T> {}

#[test]
fn what_is_no_error() {
    assert_eq!(seen!(()), None);
    assert_eq!(seen!(1), None);
    assert_eq!(seen!(None::<u8>), None);
    assert_eq!(seen!(Ok::<(), String>(())), None);
    assert_eq!(seen!(Ok::<(), Box<dyn Error>>(())), None);
    assert_eq!(seen!(Broken(1)), None);
}

#[test]
fn errors_by_trait() {
    assert_eq!(seen!(Err::<(), _>(Broken(1))), error("inspect::Broken", "broken"));
    assert_eq!(seen!(Err::<(), _>(&Broken(1))), error("inspect::Broken", "broken"));
    assert_eq!(seen!(Err::<(), _>(Box::new(Broken(Some(1))))), error("inspect::Broken", "broken"));
    assert_eq!(
        seen!(Err::<(), _>("no digit".parse::<u8>().unwrap_err())).unwrap().0,
        "core::num::error::ParseIntError"
    );
    assert_eq!(seen!(fmt::Result::Err(fmt::Error)).unwrap().0, "core::fmt::Error");
    assert_eq!(
        seen!(std::io::Result::<()>::Err(std::io::Error::other("lost"))),
        error("std::io::error::Error", "lost")
    );
}

#[test]
fn erased_errors() {
    let boxed = || -> Box<dyn Error> { "lost".into() };
    assert_eq!(seen!(Err::<(), _>(boxed())), error("_OTHER", "lost"));
    assert_eq!(seen!(Err::<(), Box<dyn Error + Send + Sync>>("lost".into())), error("_OTHER", "lost"));
    assert_eq!(seen!(Err::<(), Box<dyn Error + Send>>(Box::new(Broken(1)))), error("_OTHER", "broken"));
    assert_eq!(seen!(Err::<(), Arc<dyn Error>>(Arc::new(Broken(1)))), error("_OTHER", "broken"));
    assert_eq!(
        seen!(anyhow::Result::<()>::Err(anyhow::anyhow!("lost").context("reading"))),
        error("_OTHER", "reading")
    );
    let local = Broken(1);
    assert_eq!(seen!(Err::<(), &dyn Error>(&local)), error("_OTHER", "broken"));
}

#[test]
fn texts_and_opaque_types() {
    struct Opaque;
    struct OpaqueOf<T>(#[allow(dead_code)] T);
    assert_eq!(seen!(Err::<(), _>("lost")), error("str", "lost"));
    assert_eq!(seen!(Err::<(), _>("lost".to_owned())), error("alloc::string::String", "lost"));
    assert_eq!(seen!(Err::<(), _>(Box::<str>::from("lost"))), error("str", "lost"));
    assert_eq!(seen!(Err::<(), _>(())), Some(("()".to_owned(), None)));
    let opaque = seen!(Err::<(), _>(Opaque)).unwrap();
    assert!(opaque.0.starts_with("inspect::") && opaque.0.ends_with("::Opaque"), "{opaque:?}");
    assert_eq!(opaque.1, None);
    assert!(seen!(Err::<(), _>(OpaqueOf(Opaque))).unwrap().0.ends_with("::OpaqueOf"));
    assert_eq!(seen!(Err::<(), _>((1, Some(1)))), Some(("(i32, core::option::Option<i32>)".to_owned(), None)));
    // `Debug` alone never shows: it may hold what nobody named.
    #[derive(Debug)]
    struct Secret(#[allow(dead_code)] &'static str);
    assert_eq!(seen!(Err::<(), _>(Secret("hunter2"))).unwrap().1, None);
}

#[test]
fn a_generic_function_knows_its_bounds() {
    fn known<E: Error>(e: E) -> Option<(String, Option<String>)> {
        seen!(Err::<(), E>(e))
    }
    fn unknown<E>(e: E) -> Option<(String, Option<String>)> {
        seen!(Err::<(), E>(e))
    }
    fn anything<T>(t: T) -> Option<(String, Option<String>)> {
        seen!(t)
    }
    assert_eq!(known(Broken(1)), error("inspect::Broken", "broken"));
    assert_eq!(unknown(Broken(1)), Some(("inspect::Broken".to_owned(), None)));
    assert_eq!(anything(Err::<(), _>(Broken(1))), None);
}
