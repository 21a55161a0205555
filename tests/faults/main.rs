//! Everything that can go wrong between this program and a receiver, through a whole pipeline in a process of its own.
//!
//! Every run checks what must hold whatever happens (`run::Outcome::check`): each record has exactly one fate, flush and
//! shutdown end within the time that they were given, and stderr says what is wrong without repetition and without secrets.
//! Each test adds what the receiver counted.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod answers;
mod bodies;
#[cfg(feature = "tls")]
#[path = "../../otlp-runtime/tests/support/certificates.rs"]
mod certificates;
mod connections;
mod contract;
mod credentials;
mod http2;
mod outages;
#[path = "../../otlp-runtime/tests/support/port.rs"]
mod port;
#[path = "../support/process.rs"]
mod process;
mod run;
mod server;
mod stderr;
#[path = "../support/timed.rs"]
mod timed;
#[cfg(feature = "tls")]
mod tls;

/// No test, but the program that the others start.
#[test]
fn the_program() {
    if process::is_child("the_program") {
        run::play();
    }
}
