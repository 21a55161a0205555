#[derive(otlp::Attributes)]
struct Labels {
    #[attribute(rename = "n", skip)]
    id: u32,
}

fn main() {
    let labels = Labels { id: 1 };
    let _ = otlp::span!("s", ..labels, labels.id);
}
