#[derive(otlp::Value)]
#[value(rename_all = "Snake_Case")]
enum State {
    InProgress,
}

fn main() {
    let _ = otlp::span!("s", state = State::InProgress);
}
