use otlp::traced;

use std::future::Future;

#[traced]
fn load() -> impl Future<Output = u32> {
    std::future::ready(1)
}

fn main() {
    drop(load());
}
