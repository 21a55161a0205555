//! Real requests over loopback sockets, in both protocols.
#![allow(clippy::unwrap_used)]

mod client;
mod compose;
mod lifecycle;
mod model;
mod refusals;
mod script;
mod tree;
