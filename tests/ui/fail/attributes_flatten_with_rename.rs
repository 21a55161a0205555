#[derive(otlp::Attributes)]
struct Labels {
    #[attribute(rename = "more", flatten)]
    more: [(&'static str, u32); 1],
}

fn main() {
    let _ = otlp::span!("s", ..Labels { more: [("n", 1)] });
}
