#[derive(otlp::Value)]
struct Id(#[value(display, debug)] u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
