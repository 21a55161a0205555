#[otlp::main]
const fn main() {}
