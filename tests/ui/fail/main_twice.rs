#[otlp::main(config = otlp::OtlpConfig::default(), config = otlp::OtlpConfig::default())]
fn main() {}
