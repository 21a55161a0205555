#[derive(otlp::Value)]
struct Id(#[value(display = true)] u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
