//! What is asked of the operating system directly.
#![allow(unsafe_code)]
#![cfg_attr(not(feature = "export"), allow(dead_code))]

pub(crate) mod clock;
#[cfg(feature = "export")]
pub(crate) mod exit;
pub(crate) mod fork;
#[cfg(feature = "export")]
pub(crate) mod signal;
pub(crate) mod stderr;
#[cfg(feature = "export")]
pub(crate) mod stdout;
#[cfg(feature = "export")]
pub(crate) mod thread;
