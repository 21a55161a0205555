//! Which error each return type shows.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use otlp::traced;
use support::{Failure, one};

/// What the span of a function with this type says of the value that it returns.
macro_rules! seen {
    ($type:ty => $returned:expr) => {{
        #[traced]
        fn returned() -> $type {
            $returned
        }
        told(returned)
    }};
}

#[track_caller]
fn told<R>(f: impl FnOnce() -> R) -> Option<Failure> {
    let (_, span) = one(f);
    assert_eq!(span.event("exception").is_some(), span.is_error());
    span.error()
}

fn error(kind: &str, message: &str) -> Option<Failure> {
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
    assert_eq!(seen!(() => ()), None);
    assert_eq!(seen!(i32 => 1), None);
    assert_eq!(seen!(Option<u8> => None), None);
    assert_eq!(seen!(Result<(), String> => Ok(())), None);
    assert_eq!(seen!(Result<(), Box<dyn Error>> => Ok(())), None);
    assert_eq!(seen!(Broken<i32> => Broken(1)), None);
}

#[test]
fn errors_by_trait() {
    assert_eq!(seen!(Result<(), Broken<i32>> => Err(Broken(1))), error("returned_errors::Broken", "broken"));
    assert_eq!(seen!(Result<(), &'static Broken<i32>> => Err(&Broken(1))), error("returned_errors::Broken", "broken"));
    assert_eq!(
        seen!(Result<(), Box<Broken<Option<i32>>>> => Err(Box::new(Broken(Some(1))))),
        error("returned_errors::Broken", "broken")
    );
    assert_eq!(
        seen!(Result<u8, std::num::ParseIntError> => "no digit".parse()).unwrap().0,
        "core::num::error::ParseIntError"
    );
    assert_eq!(seen!(fmt::Result => Err(fmt::Error)).unwrap().0, "core::fmt::Error");
    assert_eq!(
        seen!(std::io::Result<()> => Err(std::io::Error::other("lost"))),
        error("std::io::error::Error", "lost")
    );
}

#[test]
fn erased_errors() {
    assert_eq!(seen!(Result<(), Box<dyn Error>> => Err("lost".into())), error("_OTHER", "lost"));
    assert_eq!(seen!(Result<(), Box<dyn Error + Send + Sync>> => Err("lost".into())), error("_OTHER", "lost"));
    assert_eq!(seen!(Result<(), Box<dyn Error + Send>> => Err(Box::new(Broken(1)))), error("_OTHER", "broken"));
    assert_eq!(seen!(Result<(), Arc<dyn Error>> => Err(Arc::new(Broken(1)))), error("_OTHER", "broken"));
    assert_eq!(
        seen!(anyhow::Result<()> => Err(anyhow::anyhow!("lost").context("reading"))),
        error("_OTHER", "reading")
    );
    #[traced]
    fn lent(local: &Broken<i32>) -> Result<(), &dyn Error> {
        Err(local)
    }
    assert_eq!(told(|| lent(&Broken(1)).is_err()), error("_OTHER", "broken"));
}

#[test]
fn texts_and_opaque_types() {
    struct Opaque;
    struct OpaqueOf<T>(#[allow(dead_code)] T);
    assert_eq!(seen!(Result<(), &'static str> => Err("lost")), error("str", "lost"));
    assert_eq!(seen!(Result<(), String> => Err("lost".to_owned())), error("alloc::string::String", "lost"));
    assert_eq!(seen!(Result<(), Box<str>> => Err("lost".into())), error("str", "lost"));
    assert_eq!(seen!(Result<(), ()> => Err(())), Some(("()".to_owned(), None)));
    let opaque = seen!(Result<(), Opaque> => Err(Opaque)).unwrap();
    assert!(opaque.0.starts_with("returned_errors::") && opaque.0.ends_with("::Opaque"), "{opaque:?}");
    assert_eq!(opaque.1, None);
    assert!(seen!(Result<(), OpaqueOf<Opaque>> => Err(OpaqueOf(Opaque))).unwrap().0.ends_with("::OpaqueOf"));
    assert_eq!(
        seen!(Result<(), (i32, Option<i32>)> => Err((1, Some(1)))),
        Some(("(i32, core::option::Option<i32>)".to_owned(), None))
    );
    // `Debug` alone never shows: it may hold what nobody named.
    #[derive(Debug)]
    struct Secret(#[allow(dead_code)] &'static str);
    assert_eq!(seen!(Result<(), Secret> => Err(Secret("hunter2"))).unwrap().1, None);
}

#[test]
fn a_generic_function_knows_its_bounds() {
    type Same<T> = T;
    #[traced]
    fn known<E: Error>(e: E) -> Result<(), E> {
        Err(e)
    }
    #[traced]
    fn unknown<E>(e: E) -> Result<(), E> {
        Err(e)
    }
    #[traced]
    fn anything<T>(t: T) -> Same<T> {
        t
    }
    assert_eq!(told(|| known(Broken(1)).is_err()), error("returned_errors::Broken", "broken"));
    assert_eq!(told(|| unknown(Broken(1)).is_err()), Some(("returned_errors::Broken".to_owned(), None)));
    assert_eq!(told(|| anything(Err::<(), _>(Broken(1))).is_err()), None);
}
