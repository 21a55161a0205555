//! Functions whose future is made in another way than by the block that the body ends with.

use std::future::{pending, ready};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};

use super::*;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// Types are found as they are without the attribute: an alias and a signature say what the future gives.

#[traced(future)]
fn by_alias(fail: bool) -> Boxed<'static, Result<u32, String>> {
    Box::pin(async move { if fail { Err("failed")? } else { Ok(1) } })
}

#[traced(future)]
fn by_alias_early(fail: bool) -> Boxed<'static, Result<Box<dyn Debug + Send>, String>> {
    if !fail {
        return Box::pin(async { Ok(Box::new(1) as _) });
    }
    Box::pin(async { Err("failed")? })
}

#[traced(future, fields(?texts))]
fn borrowed<'a>(texts: &'a [&'a str]) -> Boxed<'a, Result<Box<dyn Display + Send + 'a>, String>> {
    Box::pin(async move {
        let Some(text) = texts.first() else { return Ok(Box::new(0)) };
        Ok(Box::new(text))
    })
}

#[traced(args)]
fn of_signature(fail: bool) -> impl Future<Output = Result<u32, String>> + use<> {
    ready(if fail { Err("failed".into()) } else { Ok(2) })
}

#[traced]
fn promises() -> impl Future<Output = ()> + Debug + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe + 'static {
    ready(())
}

#[traced(future)]
fn unpinned(n: u32) -> Box<dyn Future<Output = u32> + Send + Unpin> {
    Box::new(ready(n))
}

#[traced]
fn boxed_impl(n: u32) -> Pin<Box<impl Future<Output = Result<u32, String>>>> {
    Box::pin(async move { Ok(n) })
}

#[traced]
fn boxed_impl_made(n: u32) -> Pin<Box<impl Future<Output = Result<u32, String>>>> {
    Box::pin(ready(if n == 0 { Err("failed".into()) } else { Ok(n) }))
}

#[traced]
fn never() -> impl Future<Output = std::convert::Infallible> {
    pending()
}

#[test]
fn types_are_inferred_as_without_the_attribute() {
    let failed = || Some(("alloc::string::String".to_owned(), Some("failed".to_owned())));
    assert_eq!(wait(by_alias(false)).0, Ok(1));
    assert_eq!(named(&wait(async { by_alias(true).await }).1, "by_alias").error(), failed());
    assert_eq!(named(&wait(async { by_alias_early(true).await }).1, "by_alias_early").error(), failed());
    assert_eq!(format!("{:?}", wait(async { by_alias_early(false).await }).0), "Ok(1)");
    assert_eq!(wait(async { borrowed(&["a"]).await }).0.unwrap().to_string(), "a");
    assert_eq!(named(&wait(async { of_signature(true).await }).1, "of_signature").error(), failed());
    assert_eq!(named(&wait(async { promises().await }).1, "promises").status, StatusCode::Unset);
    let (given, seen) = wait(async { unpinned(3).await });
    assert_eq!((given, names(&seen)), (3, vec!["unpinned"]));
    let (_, seen) = wait(async { (boxed_impl(4).await, boxed_impl_made(0).await) });
    assert_eq!((names(&seen), seen[1].error()), (vec!["boxed_impl", "boxed_impl_made"], failed()));
    drop(never());
}

#[traced(future)]
#[track_caller]
#[allow(clippy::needless_return)]
fn located(early: bool) -> Boxed<'static, u32> {
    let line = Location::caller().line();
    let other = |n: u32| {
        return n;
    };
    if early {
        return Box::pin(async move { return other(line) });
    }
    Box::pin(ready(line))
}

#[traced]
#[track_caller]
fn located_made(early: bool) -> impl Future<Output = Result<u32, Broken>> {
    if early {
        return ready(Ok(Location::caller().line()));
    }
    ready(Ok(Location::caller().line()))
}

#[traced(fields(early))]
#[track_caller]
fn located_block(early: bool) -> impl Future<Output = u32> {
    let line = Location::caller().line();
    async move { line }
}

#[test]
fn track_caller_shows_the_caller() {
    for early in [true, false] {
        let ((lines, expected), seen) = wait(async move {
            let made = (located(early), located_made(early), located_block(early), line!());
            ((made.0.await, made.1.await.unwrap(), made.2.await), made.3)
        });
        assert_eq!(lines, (expected, expected, expected));
        assert_eq!(names(&seen), ["located", "located_made", "located_block"]);
    }
}

/// As a service of `tower` is written.
trait Service {
    type Error;
    type Future: Future<Output = Result<u8, Self::Error>>;
    fn call(&mut self, request: u8) -> Self::Future;
}

#[derive(Clone)]
struct Inner;
struct Outer<S>(S);

#[traced]
impl Service for Inner {
    type Error = String;
    type Future = Boxed<'static, Result<u8, String>>;

    #[traced(future, ret)]
    fn call(&mut self, request: u8) -> Self::Future {
        if request == 0 {
            return Box::pin(ready(Ok(0)));
        }
        Box::pin(async { Err("failed")? })
    }
}

impl<S: Service<Future: Send> + Clone + Send + 'static> Service for Outer<S> {
    type Error = S::Error;
    type Future = Boxed<'static, Result<u8, S::Error>>;

    #[traced(future, fields(request))]
    fn call(&mut self, request: u8) -> Self::Future {
        let mut inner = self.0.clone();
        Box::pin(async move { inner.call(request).await })
    }
}

#[test]
fn an_associated_type() {
    let (_, seen) = wait(async { (Outer(Inner).call(0).await.unwrap(), Outer(Inner).call(1).await.unwrap_err()) });
    assert_eq!(names(&seen), ["Inner::call", "call", "Inner::call", "call"]);
    assert_eq!(attributes(&seen[0]), ["return=0"]);
    assert_eq!((seen[1].is_error(), seen[2].is_error(), seen[3].is_error()), (false, true, true));
    assert_eq!(seen[2].parent(), Some("call"));
}

// Values are taken with the call, whatever becomes of the arguments.

#[traced(args)]
fn consumed(text: String, more: &str) -> impl Future<Output = usize> + use<> {
    let (text, more) = (text.into_bytes(), more.len());
    async move { text.len() + more }
}

#[traced(future, fields(text, len = more.len()))]
fn dropped(text: String, more: &str) -> Boxed<'_, usize> {
    drop(text);
    Box::pin(async move { more.len() })
}

#[traced(args, future)]
fn shadowed(list: Vec<u32>, start: u32) -> Boxed<'static, u32> {
    let list = list.into_iter().sum::<u32>() + start;
    if list == 0 {
        return Box::pin(ready(0));
    }
    Box::pin(ready(list))
}

#[traced(args)]
fn changed(text: &mut String) -> impl Future<Output = Result<&mut String, Broken>> {
    async move {
        text.push('x');
        Ok(text)
    }
}

#[traced(args)]
fn moved(text: String) -> impl Future<Output = String> {
    ready(text)
}

#[test]
fn arguments_of_every_kind() {
    let (_, seen) = wait(async {
        let mut text = "t".to_owned();
        consumed("ab".to_owned(), "c").await;
        dropped("ab".to_owned(), "c").await;
        shadowed(vec![1, 2], 3).await;
        shadowed(vec![], 0).await;
        changed(&mut text).await.unwrap().push('y');
        moved(text).await;
    });
    let recorded: Vec<_> = seen.iter().map(|span| (span.name.as_str(), attributes(span).join(" "))).collect();
    let expected = [
        ("consumed", "text=\"ab\" more=\"c\""),
        ("dropped", "text=\"ab\" len=1"),
        ("shadowed", "list=[1, 2] start=3"),
        ("shadowed", "list=[] start=0"),
        ("changed", "text=\"t\""),
        ("moved", "text=\"txy\""),
    ];
    assert_eq!(recorded, expected.map(|(name, text)| (name, text.to_owned())));
}
