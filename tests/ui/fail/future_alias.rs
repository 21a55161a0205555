#![deny(deprecated)]

use std::pin::Pin;

use otlp::traced;

type Later = Pin<Box<dyn Future<Output = u32>>>;

#[traced]
fn f(n: u32) -> Later {
    Box::pin(async move { n })
}

#[traced(future)]
fn g(n: u32) -> Later {
    Box::pin(async move { n })
}

#[traced(future = off)]
fn h(n: u32) -> Later {
    Box::pin(async move { n })
}

fn main() {
    drop((f(1), g(2), h(3)));
}
