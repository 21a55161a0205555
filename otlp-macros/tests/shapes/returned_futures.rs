//! Functions that return a future.

use super::*;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[traced(crate = crate::support, fields(n))]
fn by_hand(n: u32) -> impl Future<Output = Result<u32, Broken>> + Send {
    let twice = n * 2;
    async move {
        tokio::task::yield_now().await;
        if twice > 10 { Err(Broken) } else { Ok(twice) }
    }
}

#[traced(crate = crate::support, fields(text))]
fn boxed(text: &str) -> BoxFuture<'_, Result<Box<dyn Display + Send>, Broken>> {
    Box::pin(async move {
        tokio::task::yield_now().await;
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

    #[traced(crate = crate::support, fields(key))]
    async fn load_twice(&mut self, key: String) -> usize {
        tokio::task::yield_now().await;
        self.load(&key).await.map_or(0, |text| text.len() * 2)
    }
}

#[async_trait::async_trait]
impl Load for Store {
    #[traced(crate = crate::support, fields(self.name, key, len = key.len()))]
    async fn load(&self, key: &str) -> Result<String, Broken> {
        tokio::task::yield_now().await;
        if key.is_empty() {
            Err(Broken)?;
        }
        Ok(format!("{}/{key}", self.name))
    }
}

#[test]
fn by_hand_and_boxed() {
    let (result, calls) = wait(by_hand(2));
    assert_eq!((result.unwrap(), calls.len(), calls[0].polls), (4, 1, 2));
    assert_eq!(wait(by_hand(6)).1[0].error, broken());
    let (result, calls) = wait(boxed("abc"));
    assert_eq!((result.unwrap().to_string(), calls[0].polls), ("3".to_owned(), 2));
    assert_eq!(wait(boxed("")).1[0].error, broken());
    let (_, calls) = calls_of(|| drop(boxed("never polled")));
    assert_eq!(calls, []);
}

fn calls_of<R>(f: impl FnOnce() -> R) -> (R, Vec<Call>) {
    calls(f)
}

#[test]
fn below_async_trait() {
    let mut store = Store { name: "s".to_owned() };
    let (result, calls) = wait(store.load("k"));
    assert_eq!((result.unwrap().as_str(), calls.len(), calls[0].polls), ("s/k", 1, 2));
    assert_eq!((calls[0].field("name"), calls[0].field("len")), (Some("s"), Some("1")));
    assert_eq!(wait(store.load("")).1[0].error, broken());
    let (result, calls) = wait(store.load_twice("k".to_owned()));
    assert_eq!((result, calls[0].parent, calls[1].name), (6, Some("load_twice"), "load_twice"));
}
