//! The collector's thread: accepts connections, reads requests, plays the script.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::task::Poll;
use std::time::Duration;

use http::HeaderMap;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::sync::oneshot;

use super::answer::{Answer, refuse, respond};
use super::connection::{Cut, Socket};
use super::export::{Export, MAX_BODY, Refusal};
use super::inbox::Inbox;
use super::reply::Reply;
use super::request::{Outcome, Protocol, Request};

/// After a failed `accept` (no file descriptor left, say), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Runs until `stopped` resolves, and then drops every connection.
pub(super) fn run(
    listener: TcpListener,
    inbox: Arc<Inbox>,
    stopped: oneshot::Receiver<()>,
    ready: &SyncSender<io::Result<()>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::spawn(accept(listener, inbox));
                let _ = ready.send(Ok(()));
                let _ = stopped.await;
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
}

async fn accept(listener: tokio::net::TcpListener, inbox: Arc<Inbox>) {
    let mut connections = 0;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, connections, Arc::clone(&inbox)));
                connections += 1;
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(stream: tokio::net::TcpStream, connection: u64, inbox: Arc<Inbox>) {
    let cut = Cut::default();
    let socket = TokioIo::new(Socket::new(stream, cut.clone()));
    let service = {
        let cut = cut.clone();
        service_fn(move |request| handle(request, connection, Arc::clone(&inbox), cut.clone()))
    };
    let server = auto::Builder::new(TokioExecutor::new());
    let mut served = pin!(server.serve_connection(socket, service));
    let mut closed = pin!(cut.closed());
    // The connection first, so that what it has to write is written before it is cut.
    poll_fn(|cx| if served.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { closed.as_mut().poll(cx) }).await;
}

async fn handle(
    request: http::Request<Incoming>,
    connection: u64,
    inbox: Arc<Inbox>,
    cut: Cut,
) -> Result<http::Response<Answer>, io::Error> {
    let (head, body) = request.into_parts();
    let protocol = match head.headers.get(http::header::CONTENT_TYPE) {
        Some(content_type) if content_type.as_bytes().starts_with(b"application/grpc") => Protocol::Grpc,
        _ => Protocol::HttpProtobuf,
    };
    let checked = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => Export::from_request(protocol, &head, body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::too_large()),
        Err(error) => return Err(io::Error::other(error)), // the client went away
    };
    let (export, refusal) = match checked {
        Ok(export) => (export, None),
        Err(refusal) => (Export::default(), Some(refusal)),
    };
    let index = inbox.arrived(Request {
        protocol,
        path: head.uri.path().to_owned(),
        headers: headers(&head.headers),
        bytes: export.body.len(),
        spans: export.spans,
        connection,
        outcome: Outcome::Waiting,
    });
    let pending = Pending { index, inbox, export };
    match refusal {
        None => Ok(play(&pending, protocol, &cut).await),
        Some(refusal) => {
            pending.settle(Outcome::Refused);
            Ok(refuse(protocol, &refusal))
        }
    }
}

/// Answers as the script says.
async fn play(request: &Pending, protocol: Protocol, cut: &Cut) -> http::Response<Answer> {
    let mut reply = request.inbox.next_reply();
    while let Reply::Delay(delay, then) = reply {
        tokio::time::sleep(delay).await;
        reply = *then;
    }
    match &mut reply {
        Reply::Accept | Reply::Garbage | Reply::Reset => request.settle(Outcome::Accepted),
        Reply::PartialSuccess { rejected, .. } => {
            *rejected = request.export.spans.min(*rejected);
            request.settle(Outcome::Partial { rejected: *rejected });
        }
        Reply::BlackHole => never().await,
        Reply::Disconnect => {
            request.settle(Outcome::Disconnected);
            cut.close();
            never().await;
        }
        _ => request.settle(Outcome::Refused),
    }
    respond(protocol, &reply, cut)
}

async fn never() {
    std::future::pending().await
}

/// A request in the inbox; one that is dropped without an outcome was abandoned by its client.
struct Pending {
    index: usize,
    inbox: Arc<Inbox>,
    export: Export,
}

impl Pending {
    fn settle(&self, outcome: Outcome) {
        self.inbox.settle(self.index, outcome, &self.export.body);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.settle(Outcome::Abandoned);
    }
}

fn headers(map: &HeaderMap) -> Vec<(String, String)> {
    map.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}
