#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

#[traced(crate = crate::support)]
fn unknown() -> Result<Unknown, String> {
    todo!()
}

#[traced(crate = crate::support)]
async fn later() -> Result<(), Unknown> {
    todo!()
}

fn main() {}
