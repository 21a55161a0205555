//! [`Hold`]: who still has a use for a connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// How long a connection that nobody holds any more may take to end. One whose receiver does not read would never write what it
/// still has, and every attempt would leave another behind.
const LINGER: Duration = Duration::from_secs(1);

/// A part of a connection's use; the connection may go when the last is dropped.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    _alive: Arc<watch::Sender<()>>,
}

/// The other end, for the tasks of the connection.
#[derive(Clone, Debug)]
pub(super) struct Held(watch::Receiver<()>);

impl Hold {
    pub(super) fn new() -> (Self, Held) {
        let (sender, receiver) = watch::channel(());
        (Self { _alive: Arc::new(sender) }, Held(receiver))
    }
}

impl Held {
    /// Runs `task` to its end, or until [`LINGER`] after the last [`Hold`] was dropped.
    pub(super) async fn run<T>(mut self, task: impl Future<Output = T>) -> Option<T> {
        let mut task = pin!(task);
        let mut over = pin!(async {
            while self.0.changed().await.is_ok() {}
            sleep(LINGER).await;
        });
        poll_fn(|cx| match task.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending => over.as_mut().poll(cx).map(|()| None),
        })
        .await
    }
}
