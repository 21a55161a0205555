#[otlp::main]
fn start() {}

fn main() {
    start();
}
