#[derive(otlp::Value)]
#[value(rename = "state")]
enum State {
    InProgress,
}

fn main() {
    let _ = otlp::span!("s", state = State::InProgress);
}
