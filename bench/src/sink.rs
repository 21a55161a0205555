//! The receiver: OTLP over gRPC and over HTTP, on one port. It counts spans and throws them away.
//!
//! It runs as a process of its own, on the core that the recording thread does not use, and takes requests of any size.

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

use crate::process::{self, OTHERS, pin};

/// How long a count must stay the same to be final.
const QUIET: Duration = Duration::from_millis(400);

/// What has arrived.
#[derive(Default)]
struct Counters {
    spans: AtomicU64,
    requests: AtomicU64,
    bytes: AtomicU64,
    largest: AtomicU64,
    unreadable: AtomicU64,
}

static COUNTERS: Counters = Counters {
    spans: AtomicU64::new(0),
    requests: AtomicU64::new(0),
    bytes: AtomicU64::new(0),
    largest: AtomicU64::new(0),
    unreadable: AtomicU64::new(0),
};

/// A copy of the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) spans: u64,
    pub(crate) requests: u64,
    /// Of the bodies.
    pub(crate) bytes: u64,
    /// The largest body.
    pub(crate) largest: u64,
    /// Requests that were no OTLP.
    pub(crate) unreadable: u64,
}

/// The process that receives, until it ends or this is dropped.
pub(crate) struct Sink {
    child: Child,
    /// Where spans are sent to.
    pub(crate) address: SocketAddr,
    control: SocketAddr,
}

impl Sink {
    /// Starts one.
    ///
    /// # Errors
    /// It did not start, or not as it should.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        let mut child = process::itself(&["sink"])?.stdin(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("the sink has no output")?);
        let mut port = |name: &str| {
            let mut line = String::new();
            lines.read_line(&mut line)?;
            let port = line.trim().strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
            Ok::<_, Box<dyn Error>>(SocketAddr::from((Ipv4Addr::LOCALHOST, port.ok_or("no port")?.parse::<u16>()?)))
        };
        let (address, control) = (port("port")?, port("control")?);
        Ok(Self { child, address, control })
    }

    /// What has arrived since the last reset.
    ///
    /// # Errors
    /// It does not run any more.
    pub(crate) fn counts(&self) -> io::Result<Counts> {
        self.ask(b'?')
    }

    /// Counts from 0 again.
    ///
    /// # Errors
    /// It does not run any more.
    pub(crate) fn reset(&self) -> io::Result<Counts> {
        self.ask(b'0')
    }

    /// What has arrived once `expected` spans have, or none more comes.
    ///
    /// # Errors
    /// It does not run any more.
    pub(crate) fn settled(&self, expected: u64) -> io::Result<Counts> {
        let (mut last, mut since) = (self.counts()?, Instant::now());
        while last.spans < expected && since.elapsed() < QUIET {
            std::thread::sleep(Duration::from_millis(10));
            let now = self.counts()?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(last)
    }

    fn ask(&self, command: u8) -> io::Result<Counts> {
        let mut stream = std::net::TcpStream::connect(self.control)?;
        stream.write_all(&[command])?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let report = process::pairs(&text);
        let count = |name: &str| {
            let number = report.get(name).and_then(|value| value.parse().ok());
            number.ok_or_else(|| io::Error::other("the sink did not answer"))
        };
        Ok(Counts {
            spans: count("spans")?,
            requests: count("requests")?,
            bytes: count("bytes")?,
            largest: count("largest")?,
            unreadable: count("unreadable")?,
        })
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process does: prints its ports, and receives until its input is closed.
///
/// # Errors
/// The ports cannot be had.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    pin(OTHERS);
    std::thread::spawn(|| {
        // So it never outlives the process that started it.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("port={}\ncontrol={}", listener.local_addr()?.port(), control.local_addr()?.port());
        io::stdout().flush()?;
        tokio::spawn(answer_questions(control));
        receive(listener).await
    })
}

async fn receive(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut server = auto::Builder::new(TokioExecutor::new());
            server.http2().initial_stream_window_size(8 << 20).initial_connection_window_size(16 << 20);
            // A connection that breaks is its client's matter.
            let _ = server.serve_connection(TokioIo::new(stream), service_fn(take)).await;
        });
    }
}

/// Takes one request, whatever is in it.
async fn take(request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
    let kind = request.headers().get(header::CONTENT_TYPE).cloned();
    let grpc = kind.as_ref().is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    // An interrupted body is no delivery.
    if let Ok(body) = request.into_body().collect().await {
        let mut body = body.aggregate();
        let bytes = body.remaining() as u64;
        let spans = if grpc { unframed(&mut body) } else { Some(()) }.and_then(|()| spans_of(&mut body));
        COUNTERS.requests.fetch_add(1, Ordering::Relaxed);
        COUNTERS.bytes.fetch_add(bytes, Ordering::Relaxed);
        COUNTERS.largest.fetch_max(bytes, Ordering::Relaxed);
        match spans {
            Some(spans) => COUNTERS.spans.fetch_add(spans, Ordering::Relaxed),
            None => COUNTERS.unreadable.fetch_add(1, Ordering::Relaxed),
        };
    }
    let mut response = Response::new(if grpc { grpc_answer() } else { answer(Vec::new()) });
    let kind = kind.unwrap_or(HeaderValue::from_static("application/x-protobuf"));
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}

/// The body of a response.
struct Answer(std::vec::IntoIter<Frame<Bytes>>);

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

fn answer(frames: Vec<Frame<Bytes>>) -> Answer {
    Answer(frames.into_iter())
}

/// An empty message, and the status `OK`.
fn grpc_answer() -> Answer {
    let trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    answer(vec![Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)])
}

/// Skips the frame of the one message of a gRPC request. `None`: it is compressed or cut off.
fn unframed(body: &mut impl Buf) -> Option<()> {
    (body.remaining() >= 5 && body.get_u8() == 0 && body.get_u32() as usize == body.remaining()).then_some(())
}

/// The spans of an `ExportTraceServiceRequest`: fields `resource_spans` (1), `scope_spans` (2), `spans` (2). `None`: it is
/// none.
fn spans_of(body: &mut impl Buf) -> Option<u64> {
    count(body, 0, &[1, 2, 2])
}

/// How often the last field of `path` occurs in the message that ends where `end` bytes remain.
fn count(body: &mut impl Buf, end: usize, path: &[u64]) -> Option<u64> {
    let (wanted, rest) = path.split_first()?;
    let mut found = 0;
    while body.remaining() > end {
        let key = varint(body)?;
        let len = match key & 7 {
            0 => {
                varint(body)?;
                continue;
            }
            1 => 8,
            2 => usize::try_from(varint(body)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let after = body.remaining().checked_sub(len).filter(|after| *after >= end)?;
        if key >> 3 == *wanted && !rest.is_empty() {
            found += count(body, after, rest)?;
        } else {
            found += u64::from(key >> 3 == *wanted);
            body.advance(len);
        }
    }
    Some(found)
}

fn varint(body: &mut impl Buf) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = body.has_remaining().then(|| body.get_u8())?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// One question a connection: `?` asks for the counts, `0` asks for them and resets them.
async fn answer_questions(control: TcpListener) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    while let Ok((mut stream, _)) = control.accept().await {
        let Ok(command) = stream.read_u8().await else { continue };
        let take = |counter: &AtomicU64| match command {
            b'0' => counter.swap(0, Ordering::Relaxed),
            _ => counter.load(Ordering::Relaxed),
        };
        let text = format!(
            "spans={}\nrequests={}\nbytes={}\nlargest={}\nunreadable={}\n",
            take(&COUNTERS.spans),
            take(&COUNTERS.requests),
            take(&COUNTERS.bytes),
            take(&COUNTERS.largest),
            take(&COUNTERS.unreadable),
        );
        let _ = stream.write_all(text.as_bytes()).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
    use prost::Message;

    use super::*;

    fn request(scopes: &[usize]) -> Vec<u8> {
        let span = Span { name: "name".to_owned(), end_time_unix_nano: 7, flags: 1, ..Span::default() };
        let scope = |spans: &usize| ScopeSpans {
            spans: vec![span.clone(); *spans],
            schema_url: "url".to_owned(),
            ..ScopeSpans::default()
        };
        let resource = ResourceSpans { scope_spans: scopes.iter().map(scope).collect(), ..ResourceSpans::default() };
        ExportTraceServiceRequest { resource_spans: vec![resource.clone(), resource] }.encode_to_vec()
    }

    #[test]
    fn spans_are_counted_wherever_they_are_and_whatever_the_chunks() {
        for scopes in [&[][..], &[0], &[1], &[3, 0, 200]] {
            let bytes = request(scopes);
            let expected = 2 * scopes.iter().sum::<usize>() as u64;
            for cut in [0, bytes.len() / 3, bytes.len()] {
                let (head, tail) = bytes.split_at(cut);
                assert_eq!(spans_of(&mut Buf::chain(head, tail)), Some(expected));
            }
        }
    }

    #[test]
    fn what_is_cut_off_is_no_request() {
        let bytes = request(&[2]);
        assert_eq!(spans_of(&mut &bytes[..bytes.len() - 1]), None);
        assert_eq!(spans_of(&mut &[0xff; 20][..]), None);
        assert_eq!(unframed(&mut &[0, 0, 0, 0, 2, 1][..]), None);
        assert_eq!(unframed(&mut &[1, 0, 0, 0, 0][..]), None);
        assert_eq!(unframed(&mut &[0, 0, 0, 0, 1, 1][..]), Some(()));
    }
}
