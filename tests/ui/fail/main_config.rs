#[otlp::main(config = 7)]
fn main() {}
