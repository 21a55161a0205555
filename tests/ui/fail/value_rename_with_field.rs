#[derive(otlp::Value)]
enum State {
    #[value(rename = "code")]
    Code(u32),
}

fn main() {
    let _ = otlp::span!("s", state = State::Code(1));
}
