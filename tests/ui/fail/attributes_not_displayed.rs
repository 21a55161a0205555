struct Inner;

#[derive(otlp::Attributes)]
struct Labels<'a> {
    #[attribute(display)]
    inner: &'a Inner,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { inner: &Inner });
}
