#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

#[traced(crate = crate::support)]
const fn f(n: u32) -> u32 {
    n
}

fn main() {
    const _: u32 = f(1);
}
