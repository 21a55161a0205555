//! HTTP/2: many requests at once on one connection.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use bytes::buf::Chain;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};

use super::corked::Corked;
use super::hold::Hold;
use super::stream::Refused;
use super::{Target, chain};
use crate::transport::classify::{self, lost, unsent};
use crate::transport::status::Code;
use crate::transport::{Attempt, TransportError};

/// Answers are small; a window this large never makes the receiver wait.
const WINDOW: u32 = 1024 * 1024;
const FRAME: u32 = 256 * 1024;
/// What hyper may hold of one request before the receiver's window lets it go.
const SEND_BUFFER: usize = 1024 * 1024;
/// While a call waits this long, a PING asks whether the receiver is still there; without an answer the connection ends. It
/// matters where attempts may last long. Servers take several PINGs in one call, but few on an idle connection.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIME: Duration = Duration::from_secs(10);

/// A request's body: gRPC's prefix and the message.
pub(in crate::transport) type Framed = Full<Chain<Bytes, Bytes>>;

/// The one connection, shared by all requests (OTP14).
#[derive(Debug)]
pub(in crate::transport) struct Http2 {
    target: Target,
    /// Held while connecting, so that requests wait for one connection instead of making several. Holds the last failure.
    connecting: tokio::sync::Mutex<Option<TransportError>>,
    /// How often connecting has been tried to its end.
    tries: AtomicU64,
    current: Mutex<Option<Link>>,
}

#[derive(Clone, Debug)]
struct Link {
    id: u64,
    sender: SendRequest<Framed>,
    refused: Refused,
    /// A request on it was answered.
    answered: Arc<AtomicBool>,
    hold: Hold,
}

impl Http2 {
    pub(in crate::transport) fn new(target: Target) -> Self {
        Self { target, connecting: tokio::sync::Mutex::default(), tries: AtomicU64::new(0), current: Mutex::default() }
    }

    /// Sends `request`. The lease says whether the connection proved good.
    pub(in crate::transport) async fn request(
        self: &Arc<Self>,
        mut request: Request<Framed>,
        attempt: &Attempt,
    ) -> Result<(Response<Incoming>, Lease), TransportError> {
        loop {
            let (mut link, fresh) = self.link(attempt).await?;
            attempt.sending()?;
            let mut lease = Lease { owner: Some(Arc::clone(self)), id: link.id, _hold: link.hold.clone() };
            match link.sender.try_send_request(request).await {
                Ok(response) => {
                    link.answered.store(true, Ordering::Relaxed);
                    return Ok((response, lease));
                }
                // Later on, requests may have been read before the receiver changed its mind.
                Err(error) if link.refused.get().is_some() && !link.answered.load(Ordering::Relaxed) => {
                    let cause = link.refused.get().cloned().unwrap_or_else(|| chain(error.error()));
                    return Err(self.target.refused(&cause));
                }
                Err(mut error) => match error.take_message() {
                    // A kept connection that the receiver has closed in the meantime: the request was not written.
                    Some(unwritten) if !fresh => request = unwritten,
                    Some(_) => return Err(unsent(explain(error.error()))),
                    None => {
                        let (failure, stream_only) = failure(error.error());
                        if stream_only {
                            lease.release();
                        }
                        return Err(failure);
                    }
                },
            }
        }
    }

    /// The connection, and whether it was made just now.
    async fn link(&self, attempt: &Attempt) -> Result<(Link, bool), TransportError> {
        if let Some(link) = self.usable() {
            return Ok((link, false));
        }
        attempt.unsent();
        let tries = self.tries.load(Ordering::Relaxed);
        let mut failure = self.connecting.lock().await;
        if let Some(link) = self.usable() {
            return Ok((link, false));
        }
        // What failed while this request waited failed for it too: its own try would come too late.
        if let Some(failure) = failure.as_ref().filter(|_| self.tries.load(Ordering::Relaxed) > tries) {
            return Err(failure.clone());
        }
        let connected = self.connect(attempt).await;
        let id = self.tries.fetch_add(1, Ordering::Relaxed);
        *failure = connected.as_ref().err().cloned();
        let (sender, refused, hold) = connected?;
        let link = Link { id, answered: Arc::default(), sender, refused, hold };
        *self.current() = Some(link.clone());
        Ok((link, true))
    }

    async fn connect(&self, attempt: &Attempt) -> Result<(SendRequest<Framed>, Refused, Hold), TransportError> {
        let stream = self.target.dial(attempt).await?;
        let refused = stream.refused();
        let corked = Corked::new(stream);
        let (hold, held) = Hold::new();
        let (sender, connection) = Builder::new(corked.uncork(held))
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(2 * WINDOW)
            .max_frame_size(FRAME)
            .max_send_buf_size(SEND_BUFFER)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_TIME)
            .handshake(TokioIo::new(corked))
            .await
            .map_err(|error| unsent(explain(&error)))?;
        // Ends with its last sender and request; its error reaches the requests that were under way.
        tokio::spawn(connection);
        Ok((sender, refused, hold))
    }

    fn usable(&self) -> Option<Link> {
        self.current().as_ref().filter(|link| !link.sender.is_closed()).cloned()
    }

    fn current(&self) -> MutexGuard<'_, Option<Link>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Dropped without [`Lease::release`] (a time-out, an error), no new request uses the connection: its other end may be gone.
#[derive(Debug)]
pub(in crate::transport) struct Lease {
    owner: Option<Arc<Http2>>,
    id: u64,
    _hold: Hold,
}

impl Lease {
    /// The connection did its work.
    pub(in crate::transport) fn release(&mut self) {
        self.owner = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(owner) = &self.owner {
            owner.current().take_if(|link| link.id == self.id);
        }
    }
}

/// What a failed request means, and whether only its stream failed. A stream that was reset for a reason is a gRPC status
/// (as gRPC's PROTOCOL-HTTP2 maps them). One that was reset without a reason of ours, as proxies do, is an answer that never
/// came, as a lost connection is.
pub(in crate::transport) fn failure(error: &(dyn Error + 'static)) -> (TransportError, bool) {
    let mut next = Some(error);
    while let Some(cause) = next {
        // The receiver says up to which stream it has read; this one came later (RFC 9113, 6.8).
        if cause.downcast_ref::<h2::Error>().is_some_and(|e| e.is_go_away() && e.is_remote()) {
            return (unsent(chain(error)), false);
        }
        if let Some(reset) = cause.downcast_ref::<h2::Error>().filter(|e| e.is_reset() && e.is_remote()) {
            let code = match reset.reason() {
                Some(h2::Reason::REFUSED_STREAM) => return (unsent(chain(error)), true),
                Some(h2::Reason::CANCEL) => Code::Cancelled,
                Some(h2::Reason::ENHANCE_YOUR_CALM) => Code::ResourceExhausted,
                Some(h2::Reason::INADEQUATE_SECURITY) => Code::PermissionDenied,
                Some(h2::Reason::HTTP_1_1_REQUIRED) => Code::Unknown,
                _ => return (lost(chain(error)), true),
            };
            return (classify::grpc(code, &chain(error), &[]), true);
        }
        next = cause.source();
    }
    (lost(explain(error)), false)
}

fn explain(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.downcast_ref::<h2::Error>().is_some_and(|e| e.is_go_away() && e.is_library()) {
            return format!("{} (does this port speak gRPC? HTTP has its own, mostly 4318)", chain(error));
        }
        next = cause.source();
    }
    chain(error)
}
