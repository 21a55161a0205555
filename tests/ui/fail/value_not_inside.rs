struct Inner;

#[derive(otlp::Value)]
struct Outer(Inner);

#[derive(otlp::Value)]
enum Either {
    Left(u32),
    Right { inner: Vec<Inner> },
}

fn main() {
    let _ = otlp::span!("s", outer = Outer(Inner), left = Either::Left(1), right = Either::Right { inner: vec![] });
}
