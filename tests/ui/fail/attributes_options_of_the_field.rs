#[derive(otlp::Attributes)]
struct Labels {
    #[attributes(rename = "n")]
    id: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1 });
}
