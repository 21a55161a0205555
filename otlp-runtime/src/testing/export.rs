//! From an HTTP request to the export request in it, as strictly as a real collector reads it.

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, header};

use super::decode::count_spans;
use super::request::Protocol;

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// A request body over this is refused.
pub(super) const MAX_BODY: usize = 64 << 20;

const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const HTTP_PATH: &str = "/v1/traces";

/// A valid export request: its bytes without framing.
#[derive(Default)]
pub(super) struct Export {
    pub(super) body: Bytes,
    pub(super) spans: u64,
}

/// Why a request is refused whatever the script says.
pub(super) struct Refusal {
    pub(super) http: u16,
    pub(super) grpc: i32,
    pub(super) message: String,
}

impl Refusal {
    fn new(http: u16, grpc: i32, message: impl Into<String>) -> Self {
        Self { http, grpc, message: message.into() }
    }

    pub(super) fn too_large() -> Self {
        Self::new(413, 8, format!("the request is larger than {MAX_BODY} bytes"))
    }
}

impl Export {
    /// Checks the head and unwraps and checks the body.
    pub(super) fn from_request(protocol: Protocol, head: &Parts, body: Bytes) -> Result<Self, Refusal> {
        if head.method != Method::POST {
            return Err(Refusal::new(405, 12, format!("{} is not allowed, only POST", head.method)));
        }
        let body = match protocol {
            Protocol::Grpc => grpc_message(head, body)?,
            Protocol::HttpProtobuf => http_message(head, body)?,
        };
        let spans = count_spans(&body).map_err(|e| Refusal::new(400, 3, e.to_string()))?;
        Ok(Self { body, spans })
    }
}

fn http_message(head: &Parts, body: Bytes) -> Result<Bytes, Refusal> {
    let path = head.uri.path();
    // An endpoint may have a path of its own in front.
    if !path.ends_with(HTTP_PATH) {
        return Err(Refusal::new(404, 12, format!("nothing at {path}; traces go to {HTTP_PATH}")));
    }
    let content_type = text(&head.headers, header::CONTENT_TYPE);
    if content_type.split(';').next().map(str::trim) != Some("application/x-protobuf") {
        return Err(Refusal::new(415, 3, format!("content-type {content_type:?} is not application/x-protobuf")));
    }
    match text(&head.headers, header::CONTENT_ENCODING) {
        "" | "identity" => Ok(body),
        "gzip" => unpacked(&body),
        other => Err(Refusal::new(415, 12, format!("content-encoding {other:?} is not supported"))),
    }
}

/// A unary call carries one message: a compression flag, the length in four bytes, the message.
fn grpc_message(head: &Parts, mut body: Bytes) -> Result<Bytes, Refusal> {
    let path = head.uri.path();
    if path != GRPC_PATH {
        return Err(Refusal::new(404, 12, format!("unknown method {path}; traces go to {GRPC_PATH}")));
    }
    let Some((&[flag, a, b, c, d], _)) = body.split_first_chunk::<5>() else {
        return Err(Refusal::new(400, 13, "the body is shorter than a gRPC message's prefix"));
    };
    let message = body.split_off(5);
    if message.len() as u64 != u64::from(u32::from_be_bytes([a, b, c, d])) {
        return Err(Refusal::new(400, 13, "the length in the gRPC message's prefix is not the message's"));
    }
    match (flag, text(&head.headers, GRPC_ENCODING)) {
        (0, _) => Ok(message),
        (1, "gzip") => unpacked(&message),
        (_, other) => Err(Refusal::new(415, 12, format!("grpc-encoding {other:?} is not supported"))),
    }
}

fn unpacked(packed: &[u8]) -> Result<Bytes, Refusal> {
    let mut bytes = Vec::new();
    match MultiGzDecoder::new(packed).take(MAX_BODY as u64 + 1).read_to_end(&mut bytes) {
        _ if bytes.len() > MAX_BODY => Err(Refusal::too_large()),
        Ok(_) => Ok(bytes.into()),
        Err(error) => Err(Refusal::new(400, 13, format!("the body is no gzip: {error}"))),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}
