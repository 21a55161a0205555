#[derive(otlp::Value)]
struct Nothing;

fn main() {
    let _ = otlp::span!("s", nothing = Nothing);
}
