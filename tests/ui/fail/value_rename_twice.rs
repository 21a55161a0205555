#[derive(otlp::Value)]
enum State {
    #[value(rename = "a")]
    #[value(rename = "b")]
    New,
}

fn main() {
    let _ = otlp::span!("s", state = State::New);
}
