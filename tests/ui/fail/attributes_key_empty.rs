#[derive(otlp::Attributes)]
struct Labels {
    #[attribute(rename = "")]
    id: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1 });
}
