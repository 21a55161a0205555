//! The in-process OTLP collector.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::captured::Captured;
use super::inbox::Inbox;
use super::reply::Reply;
use super::request::{Outcome, Request};
use super::server;
use super::span::CapturedSpan;

/// An OTLP receiver for traces on a loopback port, for tests and examples.
///
/// It speaks gRPC and HTTP/protobuf on the same port, runs on its own thread, needs no runtime, and stops when it is
/// dropped. It is strict: what a real collector would refuse (a body that is no export request, an id of the wrong
/// length, another content type) is refused, and shows in [`requests`](Self::requests).
///
/// It keeps the first 512 MiB of what it accepts and counts what comes after that.
pub struct Collector {
    address: SocketAddr,
    inbox: Arc<Inbox>,
    server: Mutex<Option<Server>>,
}

struct Server {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Collector {
    /// Starts a collector on a free port.
    ///
    /// # Errors
    /// If the system refuses a port or a thread.
    pub fn start() -> io::Result<Self> {
        Self::start_on(0)
    }

    /// Starts a collector on a given port, for an endpoint that comes back after it was down.
    ///
    /// # Errors
    /// If the port is in use, or the system refuses a thread.
    pub fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let inbox = Arc::new(Inbox::default());
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("otlp-test-server".to_owned()).spawn({
            let inbox = Arc::clone(&inbox);
            move || {
                super::suppress_this_thread();
                server::run(listener, inbox, stopped, &ready);
            }
        })?;
        started.recv().unwrap_or_else(|_| Err(io::Error::other("the collector's thread ended at once")))?;
        Ok(Self { address, inbox, server: Mutex::new(Some(Server { stop, thread })) })
    }

    /// The endpoint for either protocol: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The endpoint for gRPC, the same as [`endpoint`](Self::endpoint).
    pub fn grpc_endpoint(&self) -> String {
        self.endpoint()
    }

    /// The full URL of traces for HTTP, for settings that take a signal's own URL: `http://127.0.0.1:PORT/v1/traces`.
    pub fn http_endpoint(&self) -> String {
        format!("{}/v1/traces", self.endpoint())
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers the coming valid requests with these replies, one each in the order of arrival, and then again with
    /// [`Reply::Accept`] or what [`reply_always`](Self::reply_always) said. Replaces what is left of an earlier script.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.inbox.script(replies);
        self
    }

    /// The reply to every valid request for which the script has none.
    pub fn reply_always(&self, reply: Reply) -> &Self {
        self.inbox.always(reply);
        self
    }

    /// Closes the port and every connection, as an outage would; what arrived stays. Dropping does the same.
    pub fn stop(&self) {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Server { stop, thread }) = server {
            drop(stop);
            let _ = thread.join();
        }
    }

    /// From now on spans are counted and not kept, for tests with very many of them.
    pub fn count_only(&self) -> &Self {
        self.inbox.state().count_only = true;
        self
    }

    /// Waits until at least `spans` spans were received in all, at most for `timeout`; whether they were.
    #[must_use]
    pub fn wait_for(&self, spans: u64, timeout: Duration) -> bool {
        self.inbox.wait_until(timeout, |state| state.received >= spans)
    }

    /// Waits until at least `requests` requests arrived in all, whatever their outcome; whether they did.
    #[must_use]
    pub fn wait_for_requests(&self, requests: usize, timeout: Duration) -> bool {
        self.inbox.wait_until(timeout, |state| state.requests.len() >= requests)
    }

    /// Waits until no request is without its outcome; whether that came about. A black hole's request has one when
    /// its client has gone.
    #[must_use]
    pub fn wait_until_settled(&self, timeout: Duration) -> bool {
        self.inbox.wait_until(timeout, |state| state.requests.iter().all(|r| r.outcome != Outcome::Waiting))
    }

    /// What was received so far.
    pub fn captured(&self) -> Captured {
        let deliveries = self.inbox.state().deliveries.clone();
        let mut captured = Captured::default();
        for delivery in deliveries {
            // It was decoded once before it was accepted.
            if let Ok(part) = Captured::decode(&delivery.body) {
                captured
                    .extend(part.into_spans().into_iter().take(usize::try_from(delivery.taken).unwrap_or(usize::MAX)));
            }
        }
        captured
    }

    /// The spans received so far, in the order of arrival.
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.captured().into_spans()
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.inbox.state().requests.clone()
    }

    /// How many spans were received: only those that were accepted.
    pub fn span_count(&self) -> u64 {
        self.inbox.state().received
    }

    /// How many spans were in requests that were answered, and were not accepted. A span that is sent again counts
    /// again.
    pub fn refused_count(&self) -> u64 {
        self.inbox.state().refused
    }

    /// Bytes of the accepted export requests, without framing.
    pub fn bytes(&self) -> u64 {
        self.inbox.state().bytes
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("endpoint", &self.endpoint()).field("spans", &self.span_count()).finish()
    }
}
