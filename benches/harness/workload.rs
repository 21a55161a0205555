//! The annotated functions that the benches call. A root without attributes has ten children.

use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use otlp::traced;

pub(crate) const CHILDREN: u64 = 10;
/// Spans of one root.
pub(crate) const SPANS: u64 = CHILDREN + 1;

/// Two attributes' worth of arguments.
pub(crate) const TEXT: &str = "sixteen-byte-str";

/// A function that nobody annotated.
#[inline(never)]
pub(crate) fn bare(id: u64, name: &str) {
    black_box((id, name));
}

#[traced]
#[inline(never)]
pub(crate) fn none() {
    black_box(());
}

#[traced(fields(id, name))]
#[inline(never)]
pub(crate) fn two(id: u64, name: &str) {
    black_box((id, name));
}

/// Eight attributes' worth of arguments.
#[derive(Clone, Copy)]
pub(crate) struct Eight {
    a: u64,
    b: i64,
    c: f64,
    d: bool,
    e: &'static str,
    f: &'static str,
    g: &'static str,
    h: &'static str,
}

impl Eight {
    pub(crate) fn new(i: u64) -> Self {
        let [e, f, g, h] = black_box([TEXT, "another-16-bytes", "and-a-third-one!", "the-fourth-value"]);
        Self { a: i, b: -(i as i64), c: i as f64 * 0.5, d: i & 1 == 0, e, f, g, h }
    }
}

#[traced(fields(a, b, c, d, e, f, g, h))]
#[inline(never)]
#[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
pub(crate) fn eight(a: u64, b: i64, c: f64, d: bool, e: &str, f: &str, g: &str, h: &str) {
    black_box((a, b, c, d, e, f, g, h));
}

#[traced]
#[inline(never)]
pub(crate) fn root_none() {
    (0..CHILDREN).for_each(|_| none());
}

#[traced]
#[inline(never)]
pub(crate) fn root_two(id: u64, name: &str) {
    (0..CHILDREN).for_each(|i| two(id + i, name));
}

#[traced]
#[inline(never)]
pub(crate) fn root_eight(v: Eight) {
    (0..CHILDREN).for_each(|i| eight(v.a + i, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
}

#[inline(never)]
fn entered(id: u64, name: &str) {
    let _span = otlp::span!("entered", id, name).entered();
    black_box((id, name));
}

#[traced]
#[inline(never)]
pub(crate) fn root_entered(id: u64, name: &str) {
    (0..CHILDREN).for_each(|i| entered(id + i, name));
}

#[traced]
#[inline(never)]
fn none_and_attribute(id: u64) {
    otlp::Span::current().set_attribute("id", id);
}

#[traced]
#[inline(never)]
pub(crate) fn root_attribute(id: u64) {
    (0..CHILDREN).for_each(|i| none_and_attribute(id + i));
}

#[traced(fields(id, name))]
#[inline(never)]
pub(crate) async fn ready(id: u64, name: &str) {
    black_box((id, name));
    std::future::ready(()).await;
}

#[traced]
#[inline(never)]
pub(crate) async fn root_ready(id: u64, name: &str) {
    for i in 0..CHILDREN {
        ready(id + i, name).await;
    }
}

/// A function with a `Result`, and one that is annotated with much.
#[inline(never)]
pub(crate) fn bare_result(id: u64, name: &str) -> Result<u64, u8> {
    black_box(name);
    if id == u64::MAX { Err(1) } else { Ok(id) }
}

#[traced(args, ret)]
#[inline(never)]
pub(crate) fn result(id: u64, name: &str) -> Result<u64, u8> {
    black_box(name);
    if id == u64::MAX { Err(1) } else { Ok(id) }
}

/// The bare form of [`ready`].
#[inline(never)]
pub(crate) async fn bare_ready(id: u64, name: &str) {
    black_box((id, name));
    std::future::ready(()).await;
}

/// The same in a block of its own, which is how `#[traced]` keeps the body's `return` and `?`, and owns its arguments.
#[inline(never)]
pub(crate) async fn nested_ready(id: u64, name: &str) {
    async move {
        black_box((id, name));
        std::future::ready(()).await;
    }
    .await;
}

/// A method of a block, and a bare one.
pub(crate) struct Shop(pub(crate) u64);

#[traced(args)]
impl Shop {
    #[inline(never)]
    pub(crate) fn method(&self, id: u64) -> u64 {
        black_box(self.0 + id)
    }

    #[traced(skip)]
    #[inline(never)]
    pub(crate) fn bare_method(&self, id: u64) -> u64 {
        black_box(self.0 + id)
    }
}

/// Polls a future that is ready at once; by a call, as the other functions here are called.
pub(crate) fn now<F: Future>(future: F) -> Option<F::Output> {
    match poll(pin!(future)) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

#[inline(never)]
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
