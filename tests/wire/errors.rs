//! Errors of `Result`s, found by trait, and panics.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Context as _;
use otlp::testing::{Captured, CapturedSpan};
use otlp::{Span, StatusCode, traced};

use super::{attributes, pairs, spans_of};

#[derive(Debug)]
struct Refused {
    code: u16,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}", self.code)
    }
}
impl Error for Refused {}

/// An error in whose words its source does not occur.
#[derive(Debug)]
struct Failed<E>(E);

impl<E> fmt::Display for Failed<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}
impl<E: Error + 'static> Error for Failed<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Neither `Display` nor `Debug`.
struct Silent;

type Alias = std::result::Result<u8, Refused>;

#[traced]
fn good() -> Result<u8, Refused> {
    Ok(1)
}
#[traced]
fn custom() -> Result<u8, Refused> {
    Err(Refused { code: 7 })
}
#[traced]
fn alias() -> Alias {
    custom()?;
    Ok(1)
}
#[traced]
fn text() -> Result<(), String> {
    Err("no luck".to_owned())
}
#[traced]
fn literal() -> Result<(), &'static str> {
    Err("no luck")
}
#[traced]
fn unit() -> Result<(), ()> {
    Err(())
}
#[traced]
fn silent() -> Result<(), Silent> {
    Err(Silent)
}
#[traced]
fn boxed() -> Result<(), Box<dyn Error>> {
    Err(Refused { code: 1 }.into())
}
#[traced]
fn boxed_send() -> Result<(), Box<dyn Error + Send + Sync>> {
    Err("made of text")?
}
#[traced]
fn any() -> anyhow::Result<()> {
    anyhow::bail!("number {}", 5)
}
#[traced]
fn generic() -> Result<(), Failed<Refused>> {
    Err(Failed(Refused { code: 2 }))
}
#[traced]
fn boxed_custom() -> Result<(), Box<Refused>> {
    Err(Box::new(Refused { code: 3 }))
}
#[traced(err = off)]
fn off() -> Result<(), Refused> {
    Err(Refused { code: 4 })
}
#[traced]
fn none() -> Option<u8> {
    None
}
#[traced(level = trace, kind = client)]
async fn asynchronous() -> Result<(), Refused> {
    Err(Refused { code: 5 })
}

fn outcome(captured: &Captured, name: &str) -> (StatusCode, String, Vec<String>, Vec<String>) {
    let span = captured.one(name);
    let event = match &span.events[..] {
        [] => Vec::new(),
        [event] => {
            assert_eq!(event.name, "exception");
            pairs(&event.attributes)
        }
        more => panic!("{more:?}"),
    };
    (span.status, span.status_message.clone(), attributes(span), event)
}

#[test]
fn trc16_errors_are_found_by_trait() {
    let captured = spans_of(|| {
        let _ = (good(), custom(), text(), literal(), unit(), silent(), boxed(), boxed_send(), any());
        let _ = (generic(), boxed_custom(), off(), none());
        futures_executor(asynchronous()).unwrap_err();
    });
    for (name, error_type, message) in [
        ("custom", "wire::errors::Refused", Some("refused with 7")),
        ("text", "alloc::string::String", Some("no luck")),
        ("literal", "str", Some("no luck")),
        ("unit", "()", None),
        ("silent", "wire::errors::Silent", None),
        ("boxed", "_OTHER", Some("refused with 1")),
        ("boxed_send", "_OTHER", Some("made of text")),
        ("any", "_OTHER", Some("number 5")),
        ("generic", "wire::errors::Failed", Some("failed")),
        ("boxed_custom", "wire::errors::Refused", Some("refused with 3")),
        ("asynchronous", "wire::errors::Refused", Some("refused with 5")),
    ] {
        let (status, said, attributes, event) = outcome(&captured, name);
        assert_eq!((status, said.as_str()), (StatusCode::Error, message.unwrap_or("")), "{name}");
        assert_eq!(attributes, [format!("error.type={error_type:?}")], "{name}");
        // An erased type says nothing that the message does not.
        let mut expected: Vec<_> =
            (error_type != "_OTHER").then(|| format!("exception.type={error_type:?}")).into_iter().collect();
        expected.extend(message.map(|message| format!("exception.message={message:?}")));
        assert_eq!(event, expected, "{name}");
    }
    for name in ["good", "off", "none"] {
        assert_eq!(outcome(&captured, name), (StatusCode::Unset, String::new(), vec![], vec![]), "{name}");
    }
}

fn futures_executor<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn excepted(captured: &Captured) -> Vec<&str> {
    let has_event = |span: &&CapturedSpan| span.event("exception").is_some();
    captured.spans().iter().filter(has_event).map(|span| span.name.as_str()).collect()
}

#[test]
fn trc16_the_event_stands_where_the_error_first_appears() {
    #[traced]
    fn middle() -> Result<u8, Refused> {
        good()?;
        custom()
    }
    #[traced]
    fn converted() -> Result<u8, Failed<Refused>> {
        middle().map_err(Failed)
    }
    #[traced]
    fn top() -> anyhow::Result<u8> {
        converted().context("cannot start")
    }
    let captured = spans_of(|| top().unwrap_err());
    assert_eq!(excepted(&captured), ["custom"]);
    for (name, message) in [("middle", "refused with 7"), ("converted", "failed"), ("top", "cannot start")] {
        assert_eq!((captured.one(name).is_error(), captured.one(name).status_message.as_str()), (true, message));
    }
    let captured = spans_of(|| alias().is_err());
    assert_eq!(excepted(&captured), ["custom"]);
}

#[test]
fn trc16_another_error_is_another_event() {
    #[traced]
    fn other() -> Result<u8, String> {
        custom().map_err(|_| "something else".to_owned())
    }
    #[traced]
    fn handled() -> Result<u8, Refused> {
        let _ = custom();
        good()
    }
    #[traced]
    fn twice() -> Result<u8, Refused> {
        let _ = custom();
        custom()
    }
    assert_eq!(excepted(&spans_of(|| other().is_err())), ["custom", "other"]);
    let captured = spans_of(|| handled().unwrap());
    assert_eq!(excepted(&captured), ["custom"]);
    assert_eq!(captured.one("handled").status, StatusCode::Unset);
    assert_eq!(excepted(&spans_of(|| twice().is_err())), ["custom", "custom"]);
}

#[test]
fn trc16_once_in_async_code_too() {
    #[traced]
    async fn low(n: u8) -> Result<u8, Refused> {
        tokio::task::yield_now().await;
        if n == 3 { Err(Refused { code: 3 }) } else { Ok(n) }
    }
    #[traced]
    async fn high() -> Result<u8, Failed<Refused>> {
        low(1).await.map_err(Failed)?;
        tokio::task::yield_now().await;
        low(3).await.map_err(Failed)
    }
    let captured = spans_of(|| futures_executor(high()).unwrap_err());
    assert_eq!(excepted(&captured), ["low"]);
    assert_eq!(captured.one("high").string("error.type"), Some("wire::errors::Failed"));
}

#[test]
fn an_error_after_fields_and_a_description_of_the_users_own() {
    #[traced(fields(n))]
    fn described(n: u8) -> Result<(), Refused> {
        Span::current().set_attribute("error.type", "mine");
        Span::current().set_status(StatusCode::Error, "mine");
        Err(Refused { code: n.into() })
    }
    #[traced]
    fn forgiven() -> Result<(), Refused> {
        Span::current().set_status(StatusCode::Ok, "");
        Err(Refused { code: 9 })
    }
    let captured = spans_of(|| {
        let _ = (described(1), forgiven());
    });
    let span = captured.one("described");
    assert_eq!((span.status_message.as_str(), span.i64("n")), ("refused with 1", Some(1)));
    assert_eq!(captured.one("forgiven").status, StatusCode::Ok, "TRC8: the user's word is final");
}

/// What was recorded, and the error, in a span whose attributes fill all that one span may hold.
#[test]
fn an_error_shows_however_full_the_span_is() {
    #[traced(fields(filling = "x".repeat(filling)))]
    fn full(filling: usize, message: usize) -> Result<(), String> {
        Err("e".repeat(message))
    }
    for (filling, message) in [(1 << 20, 0), ((1 << 20) - 100, 10), (1_048_400, 50), (0, 1_000_000), (0, 2 << 20)] {
        let captured = spans_of(|| full(filling, message).is_err());
        assert_eq!(captured.one("full").status, StatusCode::Error, "{filling} {message}");
    }
}

fn quietly(f: impl FnOnce()) {
    // `resume_unwind` calls no panic hook.
    catch_unwind(AssertUnwindSafe(f)).unwrap_err();
}

fn unwind() {
    std::panic::resume_unwind(Box::new("scripted"));
}

#[test]
fn a_panic_ends_its_spans_with_an_error() {
    struct Cleaner;
    impl Drop for Cleaner {
        fn drop(&mut self) {
            cleanup();
        }
    }
    #[traced]
    fn cleanup() {}
    #[traced]
    fn sync() {
        let _cleaner = Cleaner;
        unwind();
    }
    #[traced]
    fn with_result() -> Result<(), Refused> {
        unwind();
        Ok(())
    }
    #[traced]
    async fn asynchronous_panic() {
        tokio::task::yield_now().await;
        unwind();
    }
    #[traced]
    fn survivor() {
        quietly(sync);
    }
    let captured = spans_of(|| {
        quietly(sync);
        quietly(|| drop(with_result()));
        quietly(|| futures_executor(asynchronous_panic()));
        quietly(|| {
            let _entered = otlp::span!("entered").entered();
            let _owned = otlp::span!("owned");
            unwind();
        });
        quietly(|| otlp::span!("scoped").in_scope(unwind));
        survivor();
        drop(otlp::span!("afterwards"));
    });
    for name in ["with_result", "asynchronous_panic", "entered", "owned", "scoped"] {
        let span = captured.one(name);
        assert_eq!((span.status, span.status_message.as_str()), (StatusCode::Error, "panicked"), "{name}");
    }
    assert!(captured.named("sync").all(CapturedSpan::is_error));
    for name in ["survivor", "afterwards"] {
        assert_eq!(captured.one(name).status, StatusCode::Unset, "{name}");
    }
    assert!(captured.named("cleanup").all(|span| span.status == StatusCode::Unset), "it went well in itself");
    assert_eq!(captured.one("afterwards").parent_span_id, None);
}

#[test]
fn trc16_an_error_that_comes_from_another_thread_appears_once_too() {
    #[traced]
    fn helper() -> Result<(), Refused> {
        Err(Refused { code: 7 })
    }
    #[traced]
    fn top() -> Result<(), Refused> {
        let context = otlp::Context::current();
        std::thread::scope(|scope| scope.spawn(|| context.run(helper)).join().unwrap())
    }
    let captured = spans_of(|| top().unwrap_err());
    assert!(captured.one("helper").is_error() && captured.one("top").is_error());
    assert_eq!(excepted(&captured), ["helper"]);
}

/// An error type whose own code panics: the span is an error all the same.
#[test]
fn an_error_whose_display_or_source_panics() {
    #[derive(Debug)]
    struct Nasty;
    impl fmt::Display for Nasty {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            std::panic::resume_unwind(Box::new("scripted"))
        }
    }
    impl Error for Nasty {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            std::panic::resume_unwind(Box::new("scripted"))
        }
    }
    #[traced]
    fn low() -> Result<(), Nasty> {
        Err(Nasty)
    }
    #[traced]
    fn high() -> Result<(), Nasty> {
        let _ = custom();
        low()
    }
    let captured = spans_of(|| high().is_err());
    for name in ["low", "high"] {
        let span = captured.one(name);
        assert_eq!((span.status, span.status_message.as_str()), (StatusCode::Error, ""), "{name}");
        assert_eq!(span.string("error.type"), Some("wire::errors::an_error_whose_display_or_source_panics::Nasty"));
    }
}

/// Two different errors without a word to say.
#[test]
fn errors_without_words_are_told_apart_by_their_type() {
    struct First;
    struct Second;
    #[traced]
    fn child() -> Result<(), First> {
        Err(First)
    }
    #[traced]
    fn parent() -> Result<(), Second> {
        let _handled = child();
        Err(Second)
    }
    let captured = spans_of(|| parent().is_err());
    assert!(captured.one("parent").event("exception").is_some());
}
