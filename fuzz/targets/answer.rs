//! The body of an answer: of a success, of an error over HTTP, and as the details of a gRPC status.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| otlp_runtime::fuzz::answer(bytes));
