#[derive(otlp::Attributes)]
struct Labels {
    #[attribute(flatten)]
    more: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { more: 1 });
}
