//! The options of `#[traced]`, as what arrives.
#![allow(clippy::unwrap_used)]

mod support;

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use otlp::{Context, Span, StatusCode, TraceFlags, TraceId, traced};
use support::{Seen, attributes, one, spans, wait};

struct NoValue;

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it broke")
    }
}

impl std::error::Error for Broken {}

#[traced(args, skip(left_out), fields(%b, password))]
#[allow(clippy::too_many_arguments)]
fn arguments<T, U: otlp::Value>(
    a: u8,
    b: &str,
    mut c: Option<f64>,
    other: NoValue,
    (d, e): (u8, u8),
    left_out: u8,
    api_token: &str,
    password: &str,
    _unused: u8,
    generic: T,
    value: U,
    #[cfg(loom)] never: u8,
    #[cfg(not(loom))] always: u8,
    r#type: Vec<i64>,
) {
    c = c.map(|c| c + 1.0);
    drop((a, b, c, other, d, e, left_out, api_token, password, generic, value, always, r#type));
}

#[test]
fn args_are_those_that_can_be_values_and_are_no_secrets() {
    let ((), span) = one(|| arguments(1, "b", Some(0.5), NoValue, (2, 3), 4, "t", "p", 5, 6_u8, "v", 7, vec![8, 9]));
    let expected = ["b=\"b\"", "password=\"p\"", "a=1", "c=0.5", "value=\"v\"", "always=7", "type=[8, 9]"];
    assert_eq!(attributes(&span), expected);
}

struct Shop(u32);

impl Shop {
    #[traced(args)]
    async fn order(&self, id: u64, list: Vec<String>) -> usize {
        list.len() + self.0 as usize + id as usize
    }
}

#[test]
fn args_of_an_async_method() {
    let (sum, seen) = wait(async { Shop(1).order(7, vec!["x".to_owned()]).await });
    assert_eq!((sum, attributes(&seen[0])), (9, vec!["id=7".to_owned(), "list=[\"x\"]".to_owned()]));
}

#[traced(ret)]
fn returns(n: u8) -> Result<u8, Broken> {
    if n > 9 {
        return Err(Broken);
    }
    Ok(n)
}

#[traced(%ret)]
fn displayed() -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::LOCALHOST
}

#[traced(?ret)]
async fn debugged(n: u8) -> Result<Option<u8>, Broken> {
    support::pause().await;
    if n == 0 { Err(Broken) } else { Ok(Some(n)) }
}

#[traced(ret)]
fn opaque(text: &str) -> impl otlp::Value + use<'_> {
    text
}

#[traced(ret, err = off)]
fn reborrowed(values: &mut Vec<u8>) -> &mut u8 {
    values.push(3);
    values.last_mut().unwrap()
}

#[test]
fn ret_is_the_value_or_that_in_an_ok() {
    let returned = |span: &Seen| attributes(span).join(" ");
    assert_eq!(returned(&one(|| returns(3)).1), "return=3");
    let failed = one(|| returns(10)).1;
    assert_eq!((returned(&failed), failed.is_error()), ("error.type=\"options::Broken\"".to_owned(), true));
    assert_eq!(returned(&one(displayed).1), "return=\"127.0.0.1\"");
    assert_eq!(returned(&one(|| drop(opaque("text"))).1), "return=\"text\"");
    assert_eq!(returned(&one(|| *reborrowed(&mut Vec::new())).1), "return=3");
    for (n, expected) in [(1, "return=\"Some(1)\""), (0, "error.type=\"options::Broken\"")] {
        let (_, seen) = wait(debugged(n));
        let span = seen.iter().find(|span| span.name == "debugged").unwrap();
        assert_eq!(returned(span), expected);
    }
}

#[traced(err = status)]
fn status_alone() -> Result<(), Broken> {
    Err(Broken)
}

#[traced(err = status)]
async fn status_alone_later() -> Result<(), Broken> {
    Err(Broken)
}

#[test]
fn err_status_makes_no_event() {
    let spans = [one(|| status_alone().unwrap_err()).1, wait(status_alone_later()).1.remove(0)];
    for span in spans {
        assert_eq!((span.status, span.status_message.as_str()), (StatusCode::Error, "it broke"));
        assert_eq!((span.string("error.type"), span.events.len()), (Some("options::Broken"), 0));
    }
}

fn remote(span_id: &str) -> Context {
    let trace = TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap();
    Context::remote(trace, otlp::SpanId::from_hex(span_id).unwrap(), TraceFlags::SAMPLED)
}

#[traced(parent = message, links = [&other, &Context::root(), &remote("00f067aa0ba902b8")])]
fn handles(message: &Context, other: Context) {
    let _child = otlp::span!("child");
}

#[traced(parent = Span::current().context(), links = Vec::<Context>::new())]
async fn handles_later() {
    support::pause().await;
}

#[test]
fn parent_and_links() {
    let (parent, seen) = spans(|| {
        let parent = remote("00f067aa0ba902b7");
        let _outer = otlp::span!("outer").entered();
        handles(&parent, remote("00f067aa0ba902b9"));
        parent
    });
    let span = seen.iter().find(|span| span.name == "handles").unwrap();
    assert_eq!(span.parent_span_id, Some(parent.span().span_id()));
    assert_eq!(span.trace_id, parent.span().trace_id());
    let links: Vec<_> = span.links.iter().map(|link| link.span_id.to_string()).collect();
    assert_eq!(links, ["00f067aa0ba902b9", "00f067aa0ba902b8"]);
    let child = seen.iter().find(|span| span.name == "child").unwrap();
    assert_eq!(child.parent(), Some("handles"));
    let (_, seen) = wait(async {
        let outer = otlp::span!("outer");
        otlp::FutureExt::in_span(handles_later(), outer).await;
    });
    assert_eq!(seen.iter().find(|span| span.name == "handles_later").unwrap().parent(), Some("outer"));
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

#[traced(future, args)]
fn aliased(n: u8) -> Later<Result<u8, Broken>> {
    if n == 0 {
        return Box::pin(std::future::ready(Err(Broken)));
    }
    Box::pin(async move {
        support::pause().await;
        Ok(n)
    })
}

#[traced]
fn early(n: u8) -> Pin<Box<dyn Future<Output = Result<u8, Broken>> + Send>> {
    if n == 0 {
        return Box::pin(std::future::ready(Err(Broken)));
    }
    Box::pin(async move {
        support::pause().await;
        Ok(n)
    })
}

#[traced]
fn forwarded(n: u8) -> impl Future<Output = Result<u8, Broken>> {
    early(n)
}

#[traced(future = off)]
fn not_its_own(n: u8) -> impl Future<Output = u8> {
    std::future::ready(n)
}

#[test]
fn futures_that_are_made_in_any_way() {
    for n in [0, 1] {
        let (_, seen) = wait(async move { (aliased(n).await, early(n).await) });
        for name in ["aliased", "early"] {
            let span = seen.iter().find(|span| span.name == name).unwrap();
            assert_eq!(span.is_error(), n == 0, "{name}");
            assert_eq!(span.events.len(), usize::from(n == 0), "{name}");
        }
        let children = seen.iter().filter(|span| span.name == "poll").count();
        assert_eq!(children, usize::from(n) * 4, "{seen:?}");
    }
    let (_, seen) = wait(async { forwarded(1).await });
    let names: Vec<_> = seen.iter().map(|span| (span.name.as_str(), span.parent())).collect();
    assert_eq!(names.last(), Some(&("forwarded", None)));
    assert_eq!(
        names.iter().find(|(name, _)| *name == "early").unwrap().1,
        None,
        "it is made before the other is polled"
    );
    let (n, seen) = wait(async {
        let future = not_its_own(3);
        future.await
    });
    assert_eq!((n, seen.len()), (3, 1));
}

#[traced(sample = 0.0)]
fn never_sampled() {
    sampled_below();
}

#[traced(sample = 1)]
fn sampled_below() {}

#[test]
fn sample_decides_where_a_trace_begins() {
    let collector = otlp::testing::Collector::start().unwrap();
    let config = || otlp::OtlpConfig::default().with_env(false).with_endpoint(collector.endpoint());
    let guard = config().init().unwrap();
    never_sampled();
    sampled_below();
    drop(guard);
    let guard = config().with_sampler(otlp::Sampler::always_off()).init().unwrap();
    never_sampled();
    sampled_below();
    drop(guard);
    assert_eq!(otlp::status().traces.recorded, 1);
    let names: Vec<_> = collector.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["sampled_below", "sampled_below"], "those that begin a trace themselves");
}

/// The statements before the block consume arguments, give their names to others, and the block owns none of them.
#[traced(args)]
fn consumes(url: String) -> impl Future<Output = usize> {
    let request = url.into_bytes();
    async move { request.len() }
}

#[traced(fields(id))]
fn renames(id: u64) -> impl Future<Output = usize> {
    let id = format!("order-{id}");
    async move { id.len() }
}

#[traced(fields(id))]
fn owns_nothing(id: u64) -> impl Future<Output = u32> {
    let _ = id;
    async { 1 }
}

impl Shop {
    #[traced(args, fields(self.0))]
    fn boxed<'a>(&'a self, key: &str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        let key = key.to_owned();
        Box::pin(async move { self.0 as usize + key.len() })
    }
}

#[test]
fn fields_of_returned_futures_are_taken_with_the_call() {
    let (sums, seen) = wait(async {
        let shop = Shop(1);
        let boxed = shop.boxed("key");
        consumes("url".to_owned()).await + renames(7).await + boxed.await + owns_nothing(3).await as usize
    });
    assert_eq!(sums, 3 + 7 + 4 + 1);
    let of = |name: &str| attributes(seen.iter().find(|span| span.name == name).unwrap()).join(" ");
    assert_eq!(
        (of("consumes"), of("renames"), of("owns_nothing")),
        ("url=\"url\"".into(), "id=7".into(), "id=3".into())
    );
    assert_eq!(of("boxed"), "0=1 key=\"key\"");
}

#[traced]
fn above_status_alone() -> Result<(), Broken> {
    status_alone()
}

#[test]
fn an_error_without_an_event_has_one_above() {
    let (_, seen) = spans(|| above_status_alone().unwrap_err());
    let events = |name: &str| seen.iter().find(|span| span.name == name).unwrap().events.len();
    assert_eq!((events("status_alone"), events("above_status_alone")), (0, 1));
}
