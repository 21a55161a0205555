//! Variables of the environment, one a line, the first character of which chooses its name.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| otlp_runtime::fuzz::environment(text));
