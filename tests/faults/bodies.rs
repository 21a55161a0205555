//! Answers whose status says yes, and whose body says anything: accepted, whatever it is (OTP6, P9), and read in bounds (OTP2).

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use otlp::TransportProtocol::{self, Grpc, HttpProtobuf};
use otlp::testing::{Collector, Reply};

use crate::http2;
use crate::run::{Outcome, PROTOCOLS, Run, each};
use crate::server::{Server, answer, read_request};

/// What a process may need at most in KiB, whatever a receiver sends: far less than it sends.
const MOST_KIB: u64 = 96 * 1024;

/// The program accepts what `serve` answers, with a line that says `warning`.
fn accepted(protocol: TransportProtocol, serve: fn(TcpStream), warning: &str) -> Outcome {
    let server = Server::start(move |stream, _| serve(stream));
    let outcome = Run::new(server.endpoint(), protocol).outcome();
    assert_eq!((outcome.exported(), outcome.rejected(), outcome.dropped()), (300, 0, 0), "{outcome:?}");
    if warning.is_empty() {
        outcome.says_nothing();
    } else {
        outcome.says(&[&server.endpoint(), "accepted the request, but its answer", warning, "check that the endpoint"]);
    }
    assert!(outcome.count("peak") < MOST_KIB, "{outcome:?}");
    outcome
}

/// Writes for as long as the other end takes it.
fn endless(stream: &mut TcpStream, head: &[u8], part: &[u8]) {
    while read_request(stream) {
        if stream.write_all(head).is_err() {
            return;
        }
        while stream.write_all(part).is_ok() {}
    }
}

#[test]
fn p9_bodies_over_http() {
    type Case = (fn(TcpStream), &'static str);
    let cases: &[Case] = &[
        (|s| answer(s, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), ""),
        (|s| answer(s, b"HTTP/1.1 204 No Content\r\n\r\n"), ""),
        (|s| answer(s, b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"), ""),
        (|s| answer(s, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\x07\xff\xff\xff"), "is not an OTLP response"),
        (
            |s| answer(s, b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
            "is not in protobuf",
        ),
        (|s| answer(s, b"HTTP/1.1 200 OK\r\ncontent-length: 5368709120\r\n\r\nx"), "broke off"),
        (
            |mut s| {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n";
                endless(&mut s, head, &[0; 65_536]);
            },
            "is larger than 4 MiB",
        ),
        (
            |mut s| {
                let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
                endless(&mut s, head, &[b"8000\r\n".as_slice(), &[0; 0x8000], b"\r\n"].concat());
            },
            "is larger than 4 MiB",
        ),
        (
            |mut s| {
                let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n";
                endless(&mut s, head, &[0; 64]);
            },
            "broke off",
        ),
        // A byte now and then, for ever.
        (
            |mut s| {
                let _ = read_request(&mut s);
                let _ = s.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
                crate::server::trickle(s, b"x");
            },
            "broke off",
        ),
    ];
    each(cases, |&(serve, warning)| drop(accepted(HttpProtobuf, serve, warning)));
}

/// `matches` times 258 zeros, packed: DEFLATE's fixed codes take 13 bits for each (RFC 1951, 3.2.6).
fn gzip_bomb(matches: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false];
    let mut push = |code: u32, length: u32| bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
    push(0b0011_0000, 8); // a zero
    for _ in 0..matches {
        push(0b1100_0101, 8); // copy 258 bytes
        push(0, 5); // from one byte before
    }
    push(0, 7); // the end
    let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
    let mut bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    bomb.extend(bits.chunks(8).map(byte));
    bomb.extend([0; 4]); // no checksum is looked at before the end
    bomb.extend(u32::try_from(1 + matches * 258).unwrap().to_le_bytes());
    bomb
}

/// 250 MB of zeros in 1.6 MB, below the limit of an answer while they are packed.
#[test]
fn otp2_a_gzip_bomb_does_no_harm() {
    let bomb = gzip_bomb(1_000_000);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-encoding: gzip\r\ncontent-length:";
    let whole = [format!("{head} {}\r\n\r\n", bomb.len()).as_bytes(), &bomb].concat();
    let server = Server::start(move |stream, _| answer(stream, &whole));
    let outcome = Run::new(server.endpoint(), HttpProtobuf).outcome();
    assert_eq!((outcome.exported(), outcome.dropped()), (300, 0), "{outcome:?}");
    outcome.says(&[&server.endpoint(), "accepted the request, but its answer"]);
    assert!(outcome.count("peak") < MOST_KIB, "{outcome:?}");
}

/// gRPC: a message over the limit, one that is no message, and one packed without having been asked for.
#[test]
fn otp2_otp6_bodies_over_grpc() {
    type Case = (fn(u32) -> Vec<u8>, &'static str);
    let cases: &[Case] = &[
        (|id| [http2::head(id, &[]), http2::data(id, &[0; 5]), http2::trailers(id, "0")].concat(), ""),
        (
            |id| {
                let huge = [b"\0\x40\0\0\0".as_slice(), &[0; 1024]].concat();
                [http2::head(id, &[]), http2::data(id, &huge)].concat()
            },
            "is larger than 4 MiB",
        ),
        (
            |id| [http2::head(id, &[]), http2::data(id, b"\0\0\0\0\x02\x07\xff"), http2::trailers(id, "0")].concat(),
            "is not an OTLP response",
        ),
        // Packed, and broken off.
        (
            |id| {
                let packed =
                    [http2::head(id, &[("grpc-encoding", "gzip")]), http2::data(id, b"\x01\0\0\0\x02\x1f\x8b")];
                [packed.concat(), http2::trailers(id, "0")].concat()
            },
            "cannot be read",
        ),
        // Packed, and nobody said how.
        (
            |id| {
                let packed = [http2::head(id, &[]), http2::data(id, b"\x01\0\0\0\x02\x1f\x8b")];
                [packed.concat(), http2::trailers(id, "0")].concat()
            },
            "is compressed, for which nobody asked",
        ),
        // Only said to be.
        (
            |id| {
                let plain = [http2::head(id, &[("grpc-encoding", "zstd")]), http2::data(id, &[0; 5])];
                [plain.concat(), http2::trailers(id, "0")].concat()
            },
            "",
        ),
    ];
    each(cases, |&(reply, warning)| {
        let server = Server::start(move |stream, _| http2::serve(stream, reply));
        let outcome = Run::new(server.endpoint(), Grpc).outcome();
        assert_eq!((outcome.exported(), outcome.dropped()), (300, 0), "{outcome:?}");
        assert!(outcome.count("peak") < MOST_KIB, "{outcome:?}");
        if warning.is_empty() {
            outcome.says_nothing();
        } else {
            outcome.says(&[&server.endpoint(), "accepted the request, but its answer", warning]);
        }
    });
}

#[test]
fn otp6_garbage_and_a_reset_within_the_answer_are_no_reason_to_send_again() {
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        collector.script([Reply::Garbage]);
        let outcome = Run::new(collector.endpoint(), protocol).outcome();
        assert_eq!((outcome.exported(), collector.span_count()), (300, 300), "{outcome:?}");
        assert_eq!(collector.requests().len(), 3);
        outcome.says(&[&collector.endpoint(), "is not an OTLP response"]);
    });
    // Over HTTP the verdict stands in front; over gRPC it stands at the end, so the batch is sent again (OTP13, OTP20).
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        collector.script([Reply::Reset]);
        let outcome = Run::new(collector.endpoint(), protocol).outcome();
        assert_eq!(outcome.exported(), 300, "{outcome:?}");
        let twice = if protocol == Grpc { 100..=300 } else { 0..=0 };
        assert!(twice.contains(&(collector.span_count() - 300)), "{}", collector.span_count());
    });
}

/// Not followed: it could lead telemetry, and what is secret about a request, to anyone.
#[test]
fn redirects_are_not_followed() {
    for code in [301, 302, 303, 307, 308] {
        let elsewhere = Server::start(|stream, _| drop(stream));
        let location = format!("{}/hunter2", elsewhere.endpoint());
        let head = format!(
            "HTTP/1.1 {code} Moved\r\nlocation: {location}\r\nset-cookie: hunter2\r\ncontent-length: 0\r\n\r\n"
        );
        let server = Server::start(move |stream, _| answer(stream, head.as_bytes()));
        let mut run = Run::new(server.endpoint(), HttpProtobuf);
        run.shutdown = Duration::from_secs(5);
        let outcome = run.outcome();
        assert_eq!((outcome.exported(), outcome.rejected()), (0, 300), "{outcome:?}");
        assert_eq!(elsewhere.connections(), 0);
        outcome.says(&["redirects are not followed", "set the endpoint"]);
    }
}

/// A receiver of the other protocol, and a web server.
#[test]
fn the_wrong_kind_of_server_is_told() {
    let web = |stream: TcpStream| {
        answer(stream, b"HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<h1>404</");
    };
    let server = Server::start(move |stream, _| web(stream));
    let outcome = Run::new(server.endpoint(), HttpProtobuf).outcome();
    assert_eq!(outcome.rejected(), 300);
    outcome.says(&["refused 100 spans: HTTP 404", "no OTLP receiver under this path"]);
    let mut run = Run::new(server.endpoint(), Grpc);
    run.flush = Duration::from_millis(200);
    run.outcome().says(&["export to", &server.endpoint(), "fails: ", "OTEL_EXPORTER_OTLP_PROTOCOL"]);
    let server = Server::start(|stream, _| http2::serve(stream, |id| http2::head(id, &[])));
    let mut run = Run::new(server.endpoint(), HttpProtobuf);
    run.flush = Duration::from_millis(200);
    run.timeout = Duration::from_millis(100);
    run.shutdown = Duration::from_millis(200);
    assert_eq!(run.outcome().exported(), 0);
}
