#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

#[traced(crate = crate::support)]
pub struct Load;

fn main() {
    let _ = Load;
}
