#[derive(otlp::Value)]
#[value(transparent)]
struct Id(u32);

#[derive(otlp::Value)]
#[value(nonsense)]
struct Other(u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1), other = Other(1));
}
