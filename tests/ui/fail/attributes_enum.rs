#[derive(otlp::Attributes)]
enum Labels {
    One { n: u32 },
}

fn main() {
    let _ = otlp::span!("s", ..Labels::One { n: 1 });
}
