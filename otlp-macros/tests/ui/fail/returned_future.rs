#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

use std::future::Future;

#[traced(crate = crate::support)]
fn load() -> impl Future<Output = u32> {
    std::future::ready(1)
}

fn main() {
    drop(load());
}
