#[derive(otlp::Value)]
#[value(crate = "otlp")]
struct Id(u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
