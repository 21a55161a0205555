struct Inner;

#[derive(otlp::Attributes)]
struct Labels {
    id: u32,
    inner: Inner,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1, inner: Inner });
}
