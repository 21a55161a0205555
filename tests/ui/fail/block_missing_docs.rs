#![deny(missing_docs)]
//! A lint about a method points at the method.

use otlp::traced;

/// A type.
pub struct S;

#[traced]
impl S {
    pub fn undocumented(&self) {}
}

/// A trait.
#[traced]
pub trait T {
    fn provided(&self) {}
}

/// A function.
pub mod functions {
    #[otlp::traced]
    pub fn undocumented() {}
}

fn main() {}
