#[otlp::main(service = "shop")]
fn main() {}
