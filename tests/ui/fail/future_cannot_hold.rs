use std::future::{Ready, ready};

use otlp::traced;

struct Named;

#[traced(future)]
fn concrete() -> Ready<u32> {
    ready(1)
}

#[traced(future)]
fn none() -> Named {
    Named
}

#[traced(future = off)]
fn call() -> Ready<u32> {
    ready(1)
}

fn main() {
    drop((concrete(), none(), call()));
}
