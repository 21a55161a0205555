//! [`Corked`]: a connection whose writes leave together.
//!
//! HTTP/2 cuts a body into frames of the receiver's size, 16 KiB mostly, and h2 writes and flushes each of them: a system call,
//! and a passage through the network stack, every time. Here they gather until the connection's task rests, or until there are
//! [`ROOM`] bytes.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use hyper::rt::Executor;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hold::Held;
use super::stream::Stream;

/// Bytes that may gather.
const ROOM: usize = 128 << 10;

/// A connection, and what is still to be written to it.
#[derive(Debug)]
struct Inner {
    stream: Stream,
    gathered: BytesMut,
    /// Written to by the task that is running.
    touched: bool,
    /// What went wrong while the task rested, until it asks.
    failed: Option<io::Error>,
}

impl Inner {
    /// Writes out what has gathered.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.gathered.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.gathered))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(written);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Makes room for more.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.touched = true;
        self.failed.take().map_or(Ok(()), Err)?;
        if self.gathered.len() >= ROOM {
            ready!(self.poll_drain(cx))?;
        }
        let room = ROOM.saturating_sub(self.gathered.len());
        self.gathered.reserve(room);
        Poll::Ready(Ok(room))
    }

    fn gather(&mut self, bytes: &[u8], room: usize) -> usize {
        let some = bytes.get(..room).unwrap_or(bytes);
        self.gathered.extend_from_slice(some);
        some.len()
    }
}

/// A connection that is written to when the task that owns it is about to rest; [`Uncork`] does that.
#[derive(Debug)]
pub(super) struct Corked(Arc<Mutex<Inner>>);

impl Corked {
    pub(super) fn new(stream: Stream) -> Self {
        let inner = Inner { stream, gathered: BytesMut::new(), touched: false, failed: None };
        Self(Arc::new(Mutex::new(inner)))
    }

    /// What is to run the tasks of this connection, as long as it is held.
    pub(super) fn uncork(&self, held: Held) -> Uncork {
        Uncork { inner: Arc::clone(&self.0), held }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }
}

/// Never waited for: the task that owns the connection is the only one that locks it, but for a look by the others.
fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AsyncRead for Corked {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        inner.failed.take().map_or(Ok(()), Err)?;
        Pin::new(&mut inner.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Corked {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        let room = ready!(inner.poll_room(cx))?;
        Poll::Ready(Ok(inner.gather(buf, room)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.inner();
        let room = ready!(inner.poll_room(cx))?;
        Poll::Ready(Ok(bufs.iter().fold(0, |sum, buf| sum + inner.gather(buf, room - sum))))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Put off until the task rests.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().touched = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        ready!(inner.poll_drain(cx))?;
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

/// Runs the tasks of one [`Corked`] connection, and has the one that owns it write out what has gathered each time.
#[derive(Clone, Debug)]
pub(super) struct Uncork {
    inner: Arc<Mutex<Inner>>,
    held: Held,
}

impl<F> Executor<F> for Uncork
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: F) {
        let shared = Arc::clone(&self.inner);
        tokio::spawn(self.held.clone().run(async move {
            let mut task = pin!(task);
            let mut owns = false;
            poll_fn(|cx| {
                lock(&shared).touched = false;
                let polled = task.as_mut().poll(cx);
                let mut inner = lock(&shared);
                owns |= inner.touched;
                // Only the owner: the stream wakes whoever has asked last.
                if owns
                    && polled.is_pending()
                    && let Poll::Ready(Err(error)) = inner.poll_drain(cx)
                {
                    inner.gathered.clear();
                    inner.failed = Some(error);
                    cx.waker().wake_by_ref();
                }
                polled.map(drop)
            })
            .await;
        }));
    }
}
