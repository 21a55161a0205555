//! The tables of the OTLP specification: which answer may be sent again (spec-checklist 2.2).
//!
//! Pure functions; nothing after them guesses from texts.

use std::time::Duration;

use super::{Accepted, Hop, TransportError, wire};

/// No more of a receiver's text than this many characters reaches a message.
const TEXT_LIMIT: usize = 256;

/// A connection could not be had, or was gone before a byte of the request was written.
pub(super) fn unsent(cause: impl Into<String>) -> TransportError {
    unsent_at(Hop::Receiver, cause.into())
}

/// The same, and where it failed.
pub(super) fn unsent_at(at: Hop, cause: String) -> TransportError {
    TransportError::Retryable { cause, after: None, may_have_arrived: false, at }
}

/// The connection ended after the request may have been read (OTP13).
pub(super) fn lost(cause: impl Into<String>) -> TransportError {
    TransportError::Retryable { cause: cause.into(), after: None, may_have_arrived: true, at: Hop::Receiver }
}

/// The body of a success: a partial success, nothing, or something else, which changes nothing about the acceptance (OTP6).
pub(super) fn success(body: &[u8]) -> Accepted {
    match wire::export_response(body) {
        Ok(partial) => {
            let message = text(partial.message.as_bytes());
            Accepted { rejected: partial.rejected, message: (!message.is_empty()).then_some(message) }
        }
        Err(_) => unreadable("is not an OTLP response"),
    }
}

/// Accepted, but whether everything was is not known: never sent again (reliability P9).
pub(super) fn unreadable(what: &str) -> Accepted {
    let message = format!(
        "the receiver accepted the request, but its answer {what}: check that the endpoint is an OTLP receiver"
    );
    Accepted { rejected: 0, message: Some(message) }
}

/// What a receiver wrote, fit for one line: bounded, without control characters. What is cut ends in `…`.
pub(super) fn text(bytes: &[u8]) -> String {
    let head = beginning(bytes, 4 * TEXT_LIMIT);
    let is_cut = head.len() < bytes.len();
    let head = String::from_utf8_lossy(head);
    let mut line = String::new();
    for (count, word) in head.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).enumerate()
    {
        if count > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if is_cut => format!("{line}…"),
        None => line,
    }
}

/// At most `limit` bytes, without a part of a character at their end.
fn beginning(bytes: &[u8], limit: usize) -> &[u8] {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    let end = (limit.saturating_sub(3)..=limit).rev().find(|at| !continues(at)).unwrap_or(limit);
    bytes.get(..end).unwrap_or(bytes)
}

fn with_text(cause: String, said: &[u8], hint: &str) -> String {
    let said = text(said);
    let colon = if said.is_empty() { "" } else { ": " };
    let (open, close) = if hint.is_empty() { ("", "") } else { (" (", ")") };
    format!("{cause}{colon}{said}{open}{hint}{close}")
}

/// An HTTP answer other than 2xx (OTP11, T3). `said` is the receiver's text.
pub(super) fn http(status: http::StatusCode, after: Option<Duration>, said: &[u8]) -> TransportError {
    let code = status.as_u16();
    let hint = match code {
        300..=399 => "redirects are not followed: set the endpoint to where it points",
        401 | 403 => "the receiver wants other credentials: check OTEL_EXPORTER_OTLP_HEADERS",
        407 => "the proxy wants credentials: check HTTPS_PROXY",
        404 | 405 => "no OTLP receiver under this path: check the endpoint",
        413 => "the receiver takes smaller requests only: see `with_max_request_bytes`",
        415 => "the receiver does not take protobuf over HTTP: check the endpoint and the protocol",
        429 | 502..=504 => "",
        400..=499 => "check that the endpoint is an OTLP receiver, and that it takes what is sent",
        _ => "the receiver's own log says more",
    };
    let cause = with_text(format!("HTTP {status}"), said, hint);
    match code {
        // A gateway's own answer says nothing about what became of the request behind it.
        502 | 504 => TransportError::Retryable { cause, after, may_have_arrived: true, at: Hop::Receiver },
        429 | 503 => TransportError::Retryable { cause, after, may_have_arrived: false, at: Hop::Receiver },
        _ => TransportError::Permanent { cause },
    }
}

/// `Retry-After`: seconds, or an HTTP date that is compared with `now` (OTP12). Anything else is as if it were not there.
#[cfg(feature = "http")]
pub(super) fn retry_after(value: &[u8], now: std::time::SystemTime) -> Option<Duration> {
    let value = std::str::from_utf8(value).ok()?.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

/// A gRPC status other than OK (OTP8, T4). `details` is the decoded `grpc-status-details-bin`.
#[cfg(feature = "grpc")]
pub(super) fn grpc(code: super::status::Code, said: &str, details: &[u8]) -> TransportError {
    use super::status::Code;
    let after = wire::rpc_status(details).ok().and_then(|status| status.retry_delay);
    let hint = match code {
        Code::Unimplemented => "no OTLP receiver for this signal: check the endpoint and the protocol",
        Code::Unauthenticated | Code::PermissionDenied => {
            "the receiver wants other credentials: check OTEL_EXPORTER_OTLP_HEADERS"
        }
        Code::ResourceExhausted if after.is_none() => {
            "the receiver may take smaller requests only: see `with_max_request_bytes`"
        }
        Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::FailedPrecondition => {
            "check that the endpoint is an OTLP receiver, and that it takes what is sent"
        }
        Code::Unknown | Code::Internal => "the receiver's own log says more",
        _ => "",
    };
    let cause = with_text(format!("gRPC status {code:?}"), said.as_bytes(), hint);
    let may_have_arrived = matches!(code, Code::Cancelled | Code::DeadlineExceeded);
    match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => TransportError::Retryable { cause, after, may_have_arrived, at: Hop::Receiver },
        Code::ResourceExhausted if after.is_some() => {
            TransportError::Retryable { cause, after, may_have_arrived, at: Hop::Receiver }
        }
        _ => TransportError::Permanent { cause },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    #[cfg(feature = "http")]
    use std::time::SystemTime;

    use super::*;

    #[test]
    #[cfg(feature = "http")]
    fn otp11_t3_http_retries_exactly_four_codes() {
        for code in (300..600).filter_map(|c| http::StatusCode::from_u16(c).ok()) {
            let retried = matches!(http(code, None, b""), TransportError::Retryable { .. });
            assert_eq!(retried, [429, 502, 503, 504].contains(&code.as_u16()), "{code}");
        }
    }

    #[test]
    #[cfg(feature = "http")]
    fn otp12_retry_after_takes_seconds_and_dates() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777); // Sun, 06 Nov 1994 08:49:37 GMT
        for (value, after) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun Nov  6 08:50:07 1994", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(retry_after(value.as_bytes(), now), after.map(Duration::from_secs), "{value}");
        }
        assert_eq!(retry_after(b"\xff", now), None);
    }

    #[test]
    #[cfg(feature = "grpc")]
    fn otp8_t4_grpc_retries_exactly_the_listed_codes() {
        const RETRY_INFO: &[u8] = b"\x1a\x2e\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x02\x0a\x00";
        for code in 1..=16 {
            let of = || super::super::status::Code::of(code.to_string().as_bytes());
            let plain = matches!(grpc(of(), "", &[]), TransportError::Retryable { .. });
            let told = matches!(grpc(of(), "", RETRY_INFO), TransportError::Retryable { .. });
            assert_eq!(plain, [1, 4, 10, 11, 14, 15].contains(&code), "{code}");
            assert_eq!(told, [1, 4, 8, 10, 11, 14, 15].contains(&code), "{code} with RetryInfo");
        }
    }

    /// What is refused for good is lost until somebody does something: the line says what.
    #[test]
    fn every_final_answer_says_what_to_do() {
        #[cfg(feature = "http")]
        let of_http = (300..600).filter_map(|c| http::StatusCode::from_u16(c).ok()).map(|c| http(c, None, b"no"));
        #[cfg(not(feature = "http"))]
        let of_http = std::iter::empty();
        #[cfg(feature = "grpc")]
        let of_grpc = (1..=16).map(|c| grpc(super::super::status::Code::of(c.to_string().as_bytes()), "no", &[]));
        #[cfg(not(feature = "grpc"))]
        let of_grpc = std::iter::empty();
        for answer in of_http.chain(of_grpc) {
            if let TransportError::Permanent { cause } = answer {
                assert!(cause.contains(": no (") && cause.ends_with(')'), "{cause}");
            }
        }
    }

    #[test]
    fn a_receivers_text_is_one_bounded_line() {
        assert_eq!(text(b"  a\r\n\tb\x1b[31m \0 c "), "a b [31m c");
        let long = text("ä".repeat(5000).as_bytes());
        assert_eq!(long.chars().count(), TEXT_LIMIT + 1);
        assert_eq!(text(&[0xff, 0xfe]), "\u{fffd}\u{fffd}");
        // Whatever is cut says so: who hides what is secret looks there for the beginning of it.
        let spaces = " ".repeat(4 * TEXT_LIMIT - 2);
        assert_eq!(text(format!("{spaces}hunter2").as_bytes()), "hu…");
        assert_eq!(text(format!("{spaces}hu").as_bytes()), "hu");
        assert_eq!(text(format!("{spaces}h\u{e9}!").as_bytes()), "h…");
    }

    #[test]
    fn otp6_whatever_follows_a_success_it_stays_one() {
        assert_eq!(success(b""), Accepted::default());
        assert_eq!(success(b"\x0a\x06\x08\x03\x12\x02no"), Accepted { rejected: 3, message: Some("no".into()) });
        assert_eq!(success(b"\x0a\x04\x12\x02hm"), Accepted { rejected: 0, message: Some("hm".into()) });
        let garbage = success(b"<html>");
        assert_eq!(garbage.rejected, 0);
        assert!(garbage.message.unwrap().contains("not an OTLP response"));
    }
}
