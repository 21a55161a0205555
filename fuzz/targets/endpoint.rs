//! The URL of an endpoint.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| otlp_runtime::fuzz::endpoint(text));
