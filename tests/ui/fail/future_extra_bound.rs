use std::future::ready;

use otlp::traced;

#[traced]
fn f() -> impl Future<Output = u32> + Send + Clone {
    ready(1)
}

#[traced(future = off)]
fn g() -> impl Future<Output = u32> + Clone {
    ready(1)
}

fn main() {
    drop((f().clone(), g().clone()));
}
