//! `OTEL_RESOURCE_ATTRIBUTES`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| otlp_runtime::fuzz::resource_attributes(text));
