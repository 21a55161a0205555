#[derive(otlp::Value)]
enum Id {
    #[value(display)]
    Number(u32),
}

fn main() {
    let _ = otlp::span!("s", id = Id::Number(1));
}
