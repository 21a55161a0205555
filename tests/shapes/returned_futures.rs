//! Functions that return a future.

use super::*;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[traced(fields(n))]
fn by_hand(n: u32) -> impl Future<Output = Result<u32, Broken>> + Send {
    let twice = n * 2;
    async move {
        pause().await;
        if twice > 10 { Err(Broken) } else { Ok(twice) }
    }
}

#[traced(fields(text))]
fn boxed(text: &str) -> BoxFuture<'_, Result<Box<dyn Display + Send>, Broken>> {
    Box::pin(async move {
        pause().await;
        if text.is_empty() {
            return Err(Broken);
        }
        Ok(Box::new(text.len()))
    })
}

struct Store {
    name: String,
}

#[async_trait::async_trait]
trait Load {
    async fn load(&self, key: &str) -> Result<String, Broken>;

    #[traced(fields(key))]
    async fn load_twice(&mut self, key: String) -> usize {
        pause().await;
        self.load(&key).await.map_or(0, |text| text.len() * 2)
    }
}

#[async_trait::async_trait]
impl Load for Store {
    #[traced(fields(self.name, key, len = key.len()))]
    async fn load(&self, key: &str) -> Result<String, Broken> {
        pause().await;
        if key.is_empty() {
            Err(Broken)?;
        }
        Ok(format!("{}/{key}", self.name))
    }
}

#[test]
fn by_hand_and_boxed() {
    let (result, made) = wait(async { by_hand(2).await });
    assert_eq!(result.unwrap(), 4);
    assert_eq!(attributes(paused(&made, "by_hand")), ["n=2"]);
    assert_eq!(named(&wait(async { by_hand(6).await }).1, "by_hand").error(), broken());
    let (result, made) = wait(async { boxed("abc").await });
    assert_eq!(result.unwrap().to_string(), "3");
    assert_eq!(attributes(paused(&made, "boxed")), ["text=\"abc\""]);
    assert_eq!(named(&wait(async { boxed("").await }).1, "boxed").error(), broken());
    // Its field is taken with the call, so that is where the span begins.
    let (_, made) = spans(|| drop(boxed("never polled")));
    assert_eq!(attributes(named(&made, "boxed")), ["text=\"never polled\""]);
}

#[test]
fn below_async_trait() {
    let mut store = Store { name: "s".to_owned() };
    let (result, spans) = wait(store.load("k"));
    assert_eq!(result.unwrap(), "s/k");
    assert_eq!(names(&spans), ["poll", "poll", "load"]);
    assert_eq!(attributes(paused(&spans, "load")), ["name=\"s\"", "key=\"k\"", "len=1"]);
    assert_eq!(named(&wait(store.load("")).1, "load").error(), broken());
    let (result, spans) = wait(store.load_twice("k".to_owned()));
    assert_eq!((result, named(&spans, "load").parent()), (6, Some("load_twice")));
    assert_eq!(spans.last().unwrap().name, "load_twice");
}
