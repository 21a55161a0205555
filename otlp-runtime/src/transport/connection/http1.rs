//! HTTP/1.1: one request at a time on a connection, so a few connections.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;

use super::hold::Hold;
use super::stream::Refused;
use super::{Target, chain};
use crate::transport::classify::{lost, unsent};
use crate::transport::{Attempt, TransportError};

/// More idle connections than this are closed.
const IDLE_LIMIT: usize = 16;

/// No head of an answer may be larger. Also what is read at once, which bounds how long a receiver that never stops sending
/// keeps the export thread from looking at the time.
const HEAD_LIMIT: usize = 32 * 1024;

/// One connection.
#[derive(Debug)]
pub(in crate::transport) struct Link {
    sender: SendRequest<Full<Bytes>>,
    refused: Refused,
    _hold: Hold,
}

/// Kept connections (OTP14).
#[derive(Debug)]
pub(in crate::transport) struct Http1 {
    target: Target,
    idle: Mutex<Vec<Link>>,
}

impl Http1 {
    pub(in crate::transport) fn new(target: Target) -> Self {
        Self { target, idle: Mutex::default() }
    }

    /// Sends `request`. Give the link to [`Http1::keep`] when the answer's body has been read; dropped, it closes its
    /// connection.
    pub(in crate::transport) async fn request(
        &self,
        mut request: Request<Full<Bytes>>,
        attempt: &Attempt,
    ) -> Result<(Response<Incoming>, Link), TransportError> {
        // The receiver may have closed a kept connection in the meantime; hyper hands back what it could not write.
        while let Some(mut link) = self.take() {
            attempt.sending()?;
            match link.sender.try_send_request(request).await {
                Ok(response) => return Ok((response, link)),
                Err(mut error) => match error.take_message() {
                    Some(unwritten) => request = unwritten,
                    None => return Err(lost(explain(error.error()))),
                },
            }
        }
        let mut link = self.connect(attempt).await?;
        attempt.sending()?;
        match link.sender.try_send_request(request).await {
            Ok(response) => Ok((response, link)),
            Err(error) => Err(match link.refused.get() {
                Some(cause) => self.target.refused(cause),
                None if error.message().is_some() => unsent(explain(error.error())),
                None => lost(explain(error.error())),
            }),
        }
    }

    /// Keeps the connection for the next request.
    pub(in crate::transport) fn keep(&self, link: Link) {
        let mut idle = self.idle();
        idle.retain(|kept| !kept.sender.is_closed());
        if idle.len() < IDLE_LIMIT && !link.sender.is_closed() {
            idle.push(link);
        }
    }

    fn take(&self) -> Option<Link> {
        let mut idle = self.idle();
        idle.retain(|kept| !kept.sender.is_closed());
        idle.iter().rposition(|kept| kept.sender.is_ready()).map(|at| idle.swap_remove(at))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, attempt: &Attempt) -> Result<Link, TransportError> {
        let stream = self.target.dial(attempt).await?;
        let refused = stream.refused();
        let handshake = Builder::new().max_buf_size(HEAD_LIMIT).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| unsent(explain(&error)))?;
        let (hold, held) = Hold::new();
        // Ends with its sender; its error reaches the request that was under way.
        tokio::spawn(held.run(connection));
        Ok(Link { sender, refused, _hold: hold })
    }
}

fn explain(error: &hyper::Error) -> String {
    let hint = if error.is_parse() { " (does this port speak HTTP/1.1? gRPC has its own, mostly 4317)" } else { "" };
    format!("{}{hint}", chain(error))
}
