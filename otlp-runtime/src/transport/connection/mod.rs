//! Connections to one receiver: made when needed, kept, and made anew after a failure.

#[cfg(feature = "grpc")]
mod corked;
mod hold;
#[cfg(feature = "http")]
mod http1;
#[cfg(feature = "grpc")]
mod http2;
mod proxy;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

#[cfg(feature = "http")]
pub(super) use http1::Http1;
#[cfg(feature = "grpc")]
pub(super) use http2::{Framed, Http2, Lease, failure};
use stream::Stream;

use super::classify::{unsent, unsent_at};
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::{Attempt, Endpoint, Hop, Options, TransportError};
use crate::config::Proxy;

/// How long one address may keep the next waiting, as RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// Where to connect to, and how long that may take.
#[derive(Debug)]
pub(super) struct Target {
    endpoint: Endpoint,
    proxy: Option<Proxy>,
    #[cfg(feature = "tls")]
    tls: Tls,
}

impl Target {
    /// `protocol` is the ALPN name of what is spoken.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    pub(super) fn new(endpoint: Endpoint, options: &Options, protocol: &'static [u8]) -> Self {
        Self {
            endpoint,
            proxy: options.proxy.clone(),
            #[cfg(feature = "tls")]
            tls: Tls::new(options.trust.clone(), protocol),
        }
    }

    /// What is wrong with a certificate may be put right while batches wait: it is renewed, its authority is installed, a
    /// clock is set. Nothing was sent, so every failure is retryable.
    ///
    /// Connecting takes less than the whole attempt, so that its own failure is what is told.
    async fn dial(&self, attempt: &Attempt) -> Result<Stream, TransportError> {
        attempt.unsent();
        let left = attempt.left();
        let limit = left.saturating_sub(left / 10);
        let until = Instant::now() + limit;
        let reached = within(limit, until, self.reach()).await;
        let stream = reached.map_err(|why| match &self.proxy {
            Some(proxy) => {
                let endpoint = self.endpoint.authority();
                unsent_at(Hop::Proxy, format!("cannot connect to {endpoint}: through {proxy}: {why}"))
            }
            None => self.refused(&why),
        })?;
        within(limit, until, self.secure(stream)).await.map_err(|why| self.refused(&why))
    }

    /// The receiver is reached, and refuses the program, or is not what it should be.
    fn refused(&self, cause: &str) -> TransportError {
        let through = self.proxy.as_ref().map_or_else(String::new, |proxy| format!(" (through {proxy})"));
        unsent(format!("cannot connect to {}{through}: {cause}", self.endpoint.authority()))
    }

    /// A connection to the receiver's port.
    async fn reach(&self) -> Result<TcpStream, String> {
        let Some(proxy) = &self.proxy else { return dial(self.endpoint.host(), self.endpoint.port()).await };
        let stream = dial(&proxy.server.host, proxy.server.port).await?;
        proxy::tunnel(&stream, &proxy.server, &self.endpoint.host_and_port()).await?;
        Ok(stream)
    }

    async fn secure(&self, stream: TcpStream) -> Result<Stream, String> {
        if !self.endpoint.is_secure() {
            return Ok(Stream::Plain(stream));
        }
        #[cfg(feature = "tls")]
        return self
            .tls
            .connect(self.endpoint.host(), stream)
            .await
            .map(|stream| Stream::Tls(stream, Default::default()));
        #[cfg(not(feature = "tls"))]
        Err("TLS needs the cargo feature `tls` of the crate `otlp`".to_owned())
    }
}

/// A step of connecting, all of whose steps together have `limit`, and end at `until`.
async fn within<T>(
    limit: Duration,
    until: Instant,
    step: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    timeout_at(until, step).await.unwrap_or_else(|_| Err(format!("no answer within {limit:.1?}")))
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, String> {
    let stream = connect(host, port).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}

/// Tries the addresses of `host` in turn; a slow one does not keep the others waiting.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    race(lookup_host((host, port)).await?).await
}

async fn race(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut addresses = addresses.peekable();
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    loop {
        if let Some(address) = addresses.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        let joined = if addresses.peek().is_some() {
            match timeout(HEAD_START, attempts.join_next()).await {
                Ok(joined) => joined,
                Err(_) => continue,
            }
        } else {
            attempts.join_next().await
        };
        match joined {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => failure = error,
            Some(Err(error)) => failure = io::Error::other(error),
            None => return Err(failure),
        }
    }
}

/// An error with its causes: hyper's own texts leave out what matters.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        next = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::net::TcpListener;

    use super::*;

    async fn listening() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    async fn refusing() -> SocketAddr {
        listening().await.1
    }

    #[tokio::test]
    async fn a_refusing_address_gives_way_to_the_next() {
        let (_listener, address) = listening().await;
        let addresses = [refusing().await, refusing().await, address];
        assert_eq!(race(addresses.into_iter()).await.unwrap().peer_addr().unwrap(), address);
    }

    #[tokio::test]
    async fn without_a_working_address_the_last_failure_is_told() {
        let error = race([refusing().await].into_iter()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race([].into_iter()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
