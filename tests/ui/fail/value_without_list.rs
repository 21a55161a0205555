#[derive(otlp::Value)]
#[value]
struct Id(u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
