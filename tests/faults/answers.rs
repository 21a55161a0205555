//! Receivers that answer, but with no: every status of HTTP and every code of gRPC.

use std::time::Duration;

use otlp::TransportProtocol::{self, Grpc, HttpProtobuf};
use otlp::testing::{Collector, Reply};

use crate::run::{Outcome, PROTOCOLS, Run, SECRET, each};

/// What became of 100 spans a batch, and one more batch than replies, when the receiver answers with `replies` first.
fn answered(protocol: TransportProtocol, replies: Vec<Reply>) -> (Outcome, Collector) {
    let collector = Collector::start().unwrap();
    let mut run = Run::new(collector.endpoint(), protocol);
    run.batch = 10;
    run.spans = 10 * (replies.len() as u64 + 1);
    collector.script(replies);
    let outcome = run.outcome();
    assert_eq!(outcome.exported(), collector.span_count(), "{outcome:?}");
    assert_eq!(outcome.dropped(), 0, "{outcome:?}");
    (outcome, collector)
}

/// Each of them costs exactly its batch, and none is sent again (OTP7, OTP11).
fn permanent(protocol: TransportProtocol, replies: Vec<Reply>) -> Outcome {
    let batches = replies.len();
    let (outcome, collector) = answered(protocol, replies);
    assert_eq!((outcome.rejected(), outcome.exported()), (10 * batches as u64, 10), "{outcome:?}");
    assert_eq!(collector.requests().len(), batches + 1);
    outcome.says(&[&collector.endpoint(), "refused 10 spans", "they are lost"]);
    // The one batch that it takes ends it.
    let recovered = format!("({batches} failed attempts, {} records refused)", 10 * batches);
    outcome.says(&["export to", &collector.endpoint(), "works again after", &recovered]);
    outcome
}

/// It costs nothing but another attempt (OTP8, OTP11), and its end is told.
fn retried(protocol: TransportProtocol, reply: &Reply) {
    let (outcome, collector) = answered(protocol, vec![reply.clone()]);
    assert_eq!((outcome.rejected(), outcome.exported()), (0, 20), "{outcome:?}");
    assert_eq!(collector.requests().len(), 3);
    let endpoint = collector.endpoint();
    outcome.says(&["export to", &endpoint, "fails: ", "retrying", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
    outcome.says(&["export to", &endpoint, "works again after", "(1 failed attempts)"]);
}

const RETRYABLE: [u16; 4] = [429, 502, 503, 504];

#[test]
fn t3_otp11_every_other_status_of_http_is_final() {
    for protocol in PROTOCOLS {
        permanent(protocol, (300..600).filter(|code| !RETRYABLE.contains(code)).map(Reply::status).collect());
    }
}

#[test]
fn t3_otp11_four_statuses_of_http_are_tried_again() {
    let each_of: Vec<_> = PROTOCOLS.into_iter().flat_map(|p| RETRYABLE.map(|code| (p, Reply::status(code)))).collect();
    each(&each_of, |(protocol, reply)| retried(*protocol, reply));
}

#[test]
fn some_statuses_say_what_to_do() {
    let hints = [
        (301, "redirects are not followed"),
        (401, "other credentials"),
        (404, "check the endpoint"),
        (413, "with_max_request_bytes"),
        (415, "check the endpoint and the protocol"),
    ];
    let each_of: Vec<_> = PROTOCOLS.into_iter().flat_map(|p| hints.map(|(code, hint)| (p, code, hint))).collect();
    each(&each_of, |&(protocol, code, hint)| {
        permanent(protocol, vec![Reply::status(code)]).says(&[&code.to_string(), hint]);
    });
}

/// Receivers like to say which key it was: what stderr says is looked at by [`Outcome`](crate::run::Outcome).
#[test]
fn a_key_that_the_receiver_repeats_is_not_shown() {
    let body = || format!("no such key: Bearer {SECRET}, and {SECRET}").into_bytes();
    let http = Reply::HttpStatus { code: 401, retry_after: None, body: body() };
    permanent(HttpProtobuf, vec![http]).says(&["no such key: ***, and ***"]);
    let message = String::from_utf8(body()).unwrap();
    permanent(Grpc, vec![Reply::Grpc { code: 16, message, retry_info: None }]).says(&["no such key: ***, and ***"]);
}

/// OTP12: seconds, a date that has passed, and nonsense.
#[test]
fn otp12_retry_after_is_obeyed_or_passed_over() {
    let after =
        |value: &str| Reply::HttpStatus { code: 503, retry_after: Some(value.to_owned()), body: b"busy".into() };
    let values = ["1", "0", "Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-1"].map(after);
    each(&values, |reply| retried(HttpProtobuf, reply));
}

/// A delay beyond the retry budget is a loss, and no reason to wait at the end.
#[test]
fn otp10_an_absurd_delay_loses_its_batch_and_holds_nobody_up() {
    let absurd: [(_, Reply); 2] = [
        (HttpProtobuf, Reply::HttpStatus { code: 429, retry_after: Some("4000000000".to_owned()), body: Vec::new() }),
        (Grpc, Reply::Grpc { code: 8, message: String::new(), retry_info: Some(Duration::from_secs(4_000_000_000)) }),
    ];
    each(&absurd, |(protocol, reply)| {
        let collector = Collector::start().unwrap();
        collector.reply_always(reply.clone());
        let mut run = Run::new(collector.endpoint(), *protocol);
        run.flush = Duration::from_millis(300);
        let outcome = run.outcome();
        assert_eq!((outcome.exported(), outcome.count("retry_exhausted")), (0, 300), "{outcome:?}");
        assert_eq!(collector.span_count(), 0);
        outcome.says(&["dropped (retry_exhausted)", "check that the endpoint"]);
    });
}

fn grpc(code: i32, told: bool) -> Reply {
    let retry_info = told.then_some(Duration::from_millis(10));
    Reply::Grpc { code, message: "so says the receiver".to_owned(), retry_info }
}

/// The table of the OTLP specification.
fn is_retryable(code: i32, told: bool) -> bool {
    [1, 4, 10, 11, 14, 15].contains(&code) || (code == 8 && told)
}

#[test]
fn t4_otp8_every_code_of_grpc_with_and_without_retry_info() {
    let all: Vec<_> = (1..=16).flat_map(|code| [(code, false), (code, true)]).collect();
    let (again, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(|&(code, told)| is_retryable(code, told));
    let outcome = permanent(Grpc, lost.into_iter().map(|(code, told)| grpc(code, told)).collect());
    outcome.says(&["gRPC status Unknown: so says the receiver"]);
    each(&again, |&(code, told)| retried(Grpc, &grpc(code, told)));
}

/// OTP17: over HTTP the status decides, and the text of the `google.rpc.Status` is told.
#[test]
fn otp17_the_receivers_text_is_told() {
    permanent(HttpProtobuf, vec![grpc(3, false)]).says(&["HTTP 400 Bad Request: so says the receiver"]);
    permanent(Grpc, vec![grpc(16, false)]).says(&["Unauthenticated: so says the receiver (the receiver wants other"]);
}

/// OTP6: what is accepted in part is never sent again.
#[test]
fn otp6_a_partial_success_is_counted_and_a_warning_is_told() {
    each(&PROTOCOLS, |&protocol| {
        let collector = Collector::start().unwrap();
        collector.script([Reply::partial(7, "too old"), Reply::partial(0, "nearly full")]);
        let outcome = Run::new(collector.endpoint(), protocol).outcome();
        assert_eq!((outcome.exported(), outcome.rejected(), outcome.dropped()), (293, 7, 0), "{outcome:?}");
        assert_eq!((collector.span_count(), collector.requests().len()), (293, 3));
        outcome.says(&[&collector.endpoint(), "7 of 100 spans rejected: too old; they are lost"]);
        outcome.says(&[&collector.endpoint(), "nearly full"]);
    });
}
