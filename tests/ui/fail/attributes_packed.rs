#[derive(otlp::Attributes)]
#[repr(packed(1))]
struct Labels {
    id: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1 });
}
