#[derive(otlp::Attributes)]
struct Labels(u32);

fn main() {
    let _ = otlp::span!("s", ..Labels(1));
}
