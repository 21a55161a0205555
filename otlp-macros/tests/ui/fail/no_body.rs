#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

pub trait Load {
    #[traced(crate = crate::support)]
    fn load(&self) -> u32;
}

fn main() {}
