#![forbid(unsafe_code)]
#![deny(warnings, unused, missing_docs, unreachable_pub)]
//! A crate that denies much.
#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

#[traced(crate = crate::support, fields(n))]
fn sync(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[traced(crate = crate::support, fields(n))]
async fn later(n: u32) -> Result<u32, String> {
    Ok(n)
}

#[traced(crate = crate::support)]
async fn never() -> ! {
    loop {
        std::future::ready(()).await;
    }
}

fn main() {
    drop((sync(1), later(1), never()));
}
