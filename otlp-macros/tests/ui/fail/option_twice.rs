#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

#[traced(crate = crate::support, name = "a", level = debug, name = "b")]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
