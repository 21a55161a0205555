use otlp::traced;

#[traced(level = Level::DEBUG)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
