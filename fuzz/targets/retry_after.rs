//! The header `Retry-After` of an answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| otlp_runtime::fuzz::retry_after(bytes));
