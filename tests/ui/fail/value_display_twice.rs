#[derive(Debug, otlp::Value)]
#[value(debug)]
struct Id(#[value(display)] u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
