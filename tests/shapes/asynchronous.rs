//! `async fn`s.

use super::*;

#[traced(fields(n))]
async fn plain(n: u32) -> u32 {
    pause().await;
    n + 1
}

#[traced]
async fn unit() {
    plain(1).await;
}

#[test]
fn polls_within_the_span() {
    let (result, spans) = wait(plain(1));
    assert_eq!(result, 2);
    assert_eq!(names(&spans), ["poll", "poll", "plain"]);
    assert_eq!(attributes(paused(&spans, "plain")), ["n=1"]);
    let (_, spans) = wait(unit());
    assert_eq!((paused(&spans, "plain").parent(), named(&spans, "unit").parent()), (Some("unit"), None));
}

#[test]
fn begins_at_the_first_poll() {
    let (_, spans) = spans(|| drop(plain(1)));
    assert!(spans.is_empty(), "{spans:?}");
}

#[traced]
async fn fails(how: u8) -> Result<u32, Box<dyn Error>> {
    if how == 0 {
        return Ok(0);
    }
    tokio::task::yield_now().await;
    if how == 1 {
        inner().await?;
    }
    Err("late".into())
}

#[traced]
async fn inner() -> Result<(), Broken> {
    Err(Broken)
}

#[traced(err = off)]
async fn silent() -> Result<(), Broken> {
    Err(Broken)
}

#[test]
fn errors() {
    assert_eq!(wait(fails(0)).1[0].error(), None);
    let (_, spans) = wait(fails(1));
    assert_eq!(named(&spans, "inner").error(), broken());
    assert_eq!(named(&spans, "fails").error(), Some(("_OTHER".to_owned(), Some("broken".to_owned()))));
    assert_eq!(wait(fails(2)).1[0].error(), Some(("_OTHER".to_owned(), Some("late".to_owned()))));
    assert_eq!(wait(silent()).1[0].error(), None);
}

struct Service {
    name: String,
    seen: Vec<u32>,
}

impl Service {
    #[traced(fields(%self.name))]
    async fn by_ref(&self, n: &u32) -> Result<&str, Broken> {
        tokio::task::yield_now().await;
        if *n > 9 { Err(Broken) } else { Ok(&self.name) }
    }
    #[traced]
    async fn by_mut(&mut self, n: u32) -> Result<&mut u32, Broken> {
        tokio::task::yield_now().await;
        self.seen.push(n);
        self.seen.last_mut().ok_or(Broken)
    }
    #[traced]
    async fn by_value(mut self) -> Vec<u32> {
        self.seen.push(0);
        self.seen
    }
    #[traced]
    async fn boxed(self: Box<Self>) -> Result<Self, Broken> {
        Ok(*self)
    }
    #[traced]
    async fn pinned(self: Pin<&mut Self>) -> Result<usize, Broken> {
        Ok(self.seen.len())
    }
}

#[test]
fn methods() {
    let mut service = Service { name: "s".to_owned(), seen: vec![] };
    let (result, spans) = wait(service.by_ref(&1));
    assert_eq!((result.unwrap(), spans[0].string("name")), ("s", Some("s")));
    assert_eq!(wait(service.by_ref(&10)).1[0].error(), broken());
    *wait(service.by_mut(3)).0.unwrap() += 1;
    assert_eq!(wait(Pin::new(&mut service).pinned()).0.unwrap(), 1);
    let service = wait(Box::new(service).boxed()).0.unwrap();
    assert_eq!(wait(service.by_value()).0, [4, 0]);
}

trait Load {
    fn load(&self, key: &str) -> impl Future<Output = Result<String, Broken>> + Send;
}
impl Load for Service {
    #[traced(fields(key))]
    async fn load(&self, key: &str) -> Result<String, Broken> {
        Ok(format!("{}{key}", self.name))
    }
}

#[test]
fn trait_method() {
    let service = Service { name: "s".to_owned(), seen: vec![] };
    assert_eq!(wait(service.load("k")).0.unwrap(), "sk");
}

#[traced]
async fn dyn_returns(n: u8) -> Box<dyn Display + Send> {
    if n == 0 {
        return Box::new("zero");
    }
    tokio::task::yield_now().await;
    Box::new(n)
}

#[traced]
async fn inferred(n: u8) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::new();
    if n == 0 {
        return Ok(out);
    }
    out.push(n);
    Ok(out.into_iter().collect())
}

#[traced]
async fn impl_inside(text: &str, ok: bool) -> Result<impl Iterator<Item = char>, Broken> {
    if !ok {
        return Err(Broken);
    }
    Ok(text.chars().rev())
}

#[traced]
async fn impl_out(text: &str) -> impl Iterator<Item = char> {
    text.chars().rev()
}

#[test]
fn inference() {
    assert_eq!(wait(dyn_returns(0)).0.to_string(), "zero");
    assert_eq!(wait(dyn_returns(1)).0.to_string(), "1");
    assert_eq!(wait(inferred(1)).0.unwrap(), [1]);
    assert_eq!(wait(impl_inside("ab", true)).0.unwrap().collect::<String>(), "ba");
    assert_eq!(wait(impl_inside("ab", false)).1[0].error(), broken());
    assert_eq!(wait(impl_out("ab")).0.collect::<String>(), "ba");
}

#[traced]
async fn never(n: u32) -> ! {
    loop {
        tokio::task::yield_now().await;
        assert!(n > 10, "on purpose");
    }
}

#[traced]
async fn factorial(n: u64) -> Result<u64, Broken> {
    if n == 0 { Ok(1) } else { Ok(n * Box::pin(factorial(n - 1)).await?) }
}

#[traced]
async fn generic<'a, T, F, const N: usize>((first, _): (&'a T, u8), f: F, mut items: [u8; N]) -> Result<&'a T, Broken>
where
    T: Sync,
    F: AsyncFnOnce(&mut [u8; N]) -> bool,
{
    if f(&mut items).await { Ok(first) } else { Err(Broken) }
}

/// # Safety
/// `p` must be valid.
#[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
#[traced]
async unsafe fn raw(p: *const u32) -> Result<u32, Broken> {
    Ok(unsafe { *p })
}

#[test]
#[allow(unsafe_code, clippy::undocumented_unsafe_blocks)]
fn further_shapes() {
    let (result, call) = one(|| std::panic::catch_unwind(|| block_on(never(1))));
    assert!(result.is_err() && call.panicked());
    let (result, spans) = wait(factorial(3));
    assert_eq!((result.unwrap(), spans.len(), spans[0].parent()), (6, 4, Some("factorial")));
    assert_eq!(wait(generic((&"x", 1), async |_: &mut [u8; 2]| true, [1, 2])).0.unwrap(), &"x");
    let n = 4;
    assert_eq!(wait(unsafe { raw(&raw const n) }).0.unwrap(), 4);
}

fn is_send<T: Send>(_: &T) {}

#[test]
fn futures_stay_send_and_small() {
    async fn bare(a: [u64; 16], n: u32) -> Result<u32, Broken> {
        tokio::task::yield_now().await;
        Ok(n + a.len() as u32)
    }
    #[traced(fields(n))]
    async fn traced_one(a: [u64; 16], n: u32) -> Result<u32, Broken> {
        tokio::task::yield_now().await;
        Ok(n + a.len() as u32)
    }
    is_send(&factorial(1));
    let (bare, traced_one) = (bare([0; 16], 1), traced_one([0; 16], 1));
    let handle = size_of::<otlp::__private::SpanHandle>();
    let growth = size_of_val(&traced_one) - size_of_val(&bare);
    assert!(growth <= handle + 16, "{growth} bytes, of which the handle has {handle}");
    drop((bare, traced_one));
}

/// A future that was polled once ends its span when it is dropped.
#[test]
fn cancelled() {
    let (_, spans) = spans(|| {
        let mut future = Box::pin(plain(1));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    });
    assert_eq!(names(&spans), ["poll", "plain"]);
    assert_eq!((spans[0].parent(), spans[1].status), (Some("plain"), StatusCode::Unset));
}

trait Retry {
    #[traced]
    async fn twice(&mut self) -> Result<u32, Broken> {
        self.once().await.or(Err(Broken))
    }
    async fn once(&mut self) -> Result<u32, Broken>;
}
impl Retry for u32 {
    #[traced]
    async fn once(&mut self) -> Result<u32, Broken> {
        *self += 1;
        Ok(*self)
    }
}

#[test]
fn provided_method() {
    let (result, spans) = wait(async { 1.twice().await });
    assert_eq!((result.unwrap(), spans[0].parent()), (2, Some("twice")));
}

#[tokio::test]
#[traced]
async fn below_tokio_test() -> Result<(), Box<dyn Error>> {
    plain(1).await;
    Ok(())
}

#[traced]
#[tokio::test]
async fn above_tokio_test() {
    plain(1).await;
}
