#[derive(otlp::Value)]
enum State {
    #[value(rename = new)]
    New,
}

fn main() {
    let _ = otlp::span!("s", state = State::New);
}
