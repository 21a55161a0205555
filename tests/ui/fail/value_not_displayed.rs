struct Inner;

#[derive(otlp::Value)]
struct Outer(#[value(display)] Inner);

#[derive(otlp::Value)]
#[value(debug)]
struct Whole {
    inner: Inner,
}

fn main() {
    let _ = otlp::span!("s", outer = Outer(Inner), whole = Whole { inner: Inner });
}
