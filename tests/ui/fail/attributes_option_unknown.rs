#[derive(otlp::Attributes)]
struct Labels {
    #[attribute(key = "n")]
    id: u32,
}

#[derive(otlp::Attributes)]
struct Others {
    #[attribute(nonsense)]
    id: u32,
}

fn main() {
    let _ = otlp::span!("s", ..Labels { id: 1 }, ..Others { id: 1 });
}
