//! `OTLP_FILTER`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| otlp_runtime::fuzz::filter(text));
