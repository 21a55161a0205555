#[derive(otlp::Value)]
#[value(rename_all = "snake_case")]
struct Id(u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
