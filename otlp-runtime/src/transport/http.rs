//! OTLP over HTTP/1.1 with protobuf bodies.

use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body::Body;
use http_body_util::{BodyExt, Full};

use super::connection::{Http1, Target};
use super::gzip::{self, Unpacked};
use super::{
    Accepted, Attempt, Endpoint, Options, Payload, RESPONSE_LIMIT, SendFuture, Transport, TransportError, classify,
    compress, wire,
};
use crate::config::Compression;

const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// An error's body is read no further than this.
const ERROR_BODY_LIMIT: usize = 64 * 1024;

/// How long an answer's body may follow its head, if the attempt lasts so long. The verdict stands in the head; only details
/// are in the body.
const BODY_TIME: Duration = Duration::from_secs(2);

/// Sends to one endpoint over kept connections.
#[derive(Debug)]
pub(super) struct HttpTransport {
    connections: Http1,
    display: String,
    host: HeaderValue,
    /// Of the program, `User-Agent` included.
    headers: HeaderMap,
    compression: Compression,
    endpoint: Endpoint,
}

impl HttpTransport {
    pub(super) fn new(endpoint: Endpoint, options: Options) -> Self {
        Self {
            display: endpoint.to_string(),
            // An authority consists of characters that a header may hold.
            host: HeaderValue::from_str(endpoint.authority()).unwrap_or(HeaderValue::from_static("")),
            connections: Http1::new(Target::new(endpoint.clone(), &options, b"http/1.1")),
            headers: options.headers,
            compression: options.compression,
            endpoint,
        }
    }

    fn request(&self, payload: Payload) -> Request<Full<Bytes>> {
        let length = HeaderValue::from(payload.body.len());
        let mut request = Request::new(Full::new(payload.body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.path(payload.signal).parse().unwrap_or(Uri::from_static("/"));
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, PROTOBUF);
        headers.insert(CONTENT_LENGTH, length);
        if payload.gzip {
            headers.insert(CONTENT_ENCODING, GZIP);
        }
        request
    }

    async fn attempt(&self, payload: Payload, attempt: Attempt) -> Result<Accepted, TransportError> {
        // A body that is late is not waited for to the very end: the attempt would count as never answered.
        let spare = (attempt.left() / 10).min(Duration::from_millis(100));
        let request = self.request(payload);
        let (response, link) = self.connections.request(request, &attempt).await?;
        let (head, body) = response.into_parts();
        let limit = if head.status.is_success() { RESPONSE_LIMIT } else { ERROR_BODY_LIMIT };
        let body = read(body, limit, BODY_TIME.min(attempt.left().saturating_sub(spare))).await;
        if body.end == End::Whole {
            self.connections.keep(link);
        }
        let body = body.decoded(&head.headers, limit);
        verdict(head.status, &head.headers, &body, SystemTime::now())
    }
}

impl Transport for HttpTransport {
    fn prepare(&self, payload: Payload) -> Payload {
        compress(self.compression, payload)
    }

    fn send(&self, payload: Payload, attempt: Attempt) -> SendFuture<'_> {
        Box::pin(self.attempt(payload, attempt))
    }

    fn endpoint(&self) -> &str {
        &self.display
    }
}

/// As much of an answer's body as came.
#[derive(Debug)]
struct Answer {
    bytes: Bytes,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    TooLarge,
    Broken,
    /// Compressed in a way that was not asked for.
    Unknown,
}

impl Answer {
    /// What it says once it is decompressed, which is nothing larger than `limit` either (OTP2).
    fn decoded(self, headers: &HeaderMap, limit: usize) -> Self {
        let encoding = headers.get(CONTENT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes).trim_ascii();
        if encoding.is_empty() || encoding.eq_ignore_ascii_case(b"identity") || self.bytes.is_empty() {
            return self;
        }
        if !encoding.eq_ignore_ascii_case(b"gzip") {
            return Self { bytes: Bytes::new(), end: End::Unknown };
        }
        let (bytes, unpacked) = gzip::unpack(&self.bytes, limit);
        let end = match unpacked {
            Unpacked::Whole => self.end,
            Unpacked::TooLarge => End::TooLarge,
            Unpacked::Broken => End::Broken,
        };
        Self { bytes, end }
    }
}

async fn read<B: Body<Data = Bytes> + Unpin>(mut body: B, limit: usize, time: Duration) -> Answer {
    let mut bytes = BytesMut::new();
    let reading = async {
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return End::Broken };
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > limit {
                bytes.extend_from_slice(&data[..limit - bytes.len()]);
                return End::TooLarge;
            }
            bytes.extend_from_slice(&data);
        }
        End::Whole
    };
    let end = tokio::time::timeout(time, reading).await.unwrap_or(End::Broken);
    Answer { bytes: bytes.freeze(), end }
}

/// Any 2xx is a success (T14), whatever its body holds (OTP6, OTP2).
fn verdict(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Answer,
    now: SystemTime,
) -> Result<Accepted, TransportError> {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    let protobuf = media.is_empty() || media.eq_ignore_ascii_case("application/x-protobuf");
    if !status.is_success() {
        let after = headers.get(RETRY_AFTER).and_then(|v| classify::retry_after(v.as_bytes(), now));
        return Err(match wire::rpc_status(&body.bytes) {
            Ok(rpc) if protobuf && !(rpc.message.is_empty() && is_text(&body.bytes)) => {
                classify::http(status, after, rpc.message.as_bytes())
            }
            _ => classify::http(status, after, &body.bytes),
        });
    }
    Ok(match body.end {
        End::Whole if body.bytes.is_empty() => Accepted::default(),
        End::Whole if protobuf => classify::success(&body.bytes),
        End::Whole if media.eq_ignore_ascii_case("application/json") && body.bytes.trim_ascii() == b"{}" => {
            Accepted::default()
        }
        End::Whole => classify::unreadable("is not in protobuf"),
        End::TooLarge => classify::unreadable("is larger than 4 MiB"),
        End::Broken => classify::unreadable("broke off"),
        End::Unknown => classify::unreadable("is compressed in an unknown way"),
    })
}

/// Some texts read as protobuf too, of fields that nobody knows.
fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn judge(
        status: u16,
        headers: &[(http::HeaderName, &str)],
        body: &[u8],
        end: End,
    ) -> Result<Accepted, TransportError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        let body = Answer { bytes: Bytes::copy_from_slice(body), end };
        verdict(StatusCode::from_u16(status).unwrap(), &map, &body, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn otp6_otp2_t14_a_2xx_is_never_an_error() {
        for status in [200, 202, 204, 299] {
            assert_eq!(judge(status, &[], b"", End::Whole), Ok(Accepted::default()), "{status}");
        }
        let json = [(CONTENT_TYPE, "application/json; charset=utf-8")];
        assert_eq!(judge(200, &json, b" {}\n", End::Whole), Ok(Accepted::default()));
        for (headers, body, end, says) in [
            (&json[..], &b"{\"partialSuccess\":{}}"[..], End::Whole, "not in protobuf"),
            (&[(CONTENT_TYPE, "text/html")], b"<html>", End::Whole, "not in protobuf"),
            (&[], b"garbage", End::Whole, "not an OTLP response"),
            (&[], b"", End::TooLarge, "larger than 4 MiB"),
            (&[], b"\x0a\x02\x08\x01", End::Broken, "broke off"),
        ] {
            let accepted = judge(200, headers, body, end).unwrap();
            assert_eq!(accepted.rejected, 0);
            let message = accepted.message.unwrap();
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn otp17_an_error_tells_the_receivers_text_but_no_header() {
        let headers = [(http::header::LOCATION, "http://secret/"), (http::header::SET_COOKIE, "secret")];
        for (status, body, says) in [
            (
                400,
                &b"\x08\x03\x12\x03bad"[..],
                "HTTP 400 Bad Request: bad (check that the endpoint is an OTLP receiver, and that it takes what is sent)",
            ),
            (500, b"xxxxxxxxx", "HTTP 500 Internal Server Error: xxxxxxxxx (the receiver's own log says more)"),
            (500, b"plain\ntext", "HTTP 500 Internal Server Error: plain text (the receiver's own log says more)"),
            (302, b"", "HTTP 302 Found (redirects are not followed: set the endpoint to where it points)"),
        ] {
            let error = judge(status, &headers, body, End::Whole).unwrap_err();
            assert_eq!(error, TransportError::Permanent { cause: says.into() });
        }
    }

    #[test]
    fn otp12_retry_after_reaches_the_error() {
        let error = judge(503, &[(RETRY_AFTER, "7")], b"", End::Broken).unwrap_err();
        let TransportError::Retryable { after, may_have_arrived, .. } = error else { panic!("{error:?}") };
        assert_eq!((after, may_have_arrived), (Some(Duration::from_secs(7)), false));
    }
}
