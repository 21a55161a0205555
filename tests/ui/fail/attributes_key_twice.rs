#[derive(otlp::Attributes)]
#[attributes(prefix = "shop.")]
struct Labels {
    id: u32,
    #[attribute(rename = "id")]
    number: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1, number: 2 });
}
