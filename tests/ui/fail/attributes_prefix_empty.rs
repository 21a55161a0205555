#[derive(otlp::Attributes)]
#[attributes(prefix = "")]
struct Labels {
    id: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1 });
}
