//! Recording: what happens on the application's threads, and the raw records that the collector reads.
//!
//! A span lives in a [`slot`] while it is open; when it ends, its raw record (see [`layout`]) is copied to the [`log`] of
//! the thread that ends it. Nothing here locks, waits, or allocates in steady state. All `unsafe` of the crate is in
//! this folder.
#![allow(unsafe_code)]

#[cfg(not(loom))]
pub mod callsite;
#[cfg(not(loom))]
pub(crate) mod heap;
#[cfg(not(loom))]
pub mod layout;
pub(crate) mod log;
mod sync;
