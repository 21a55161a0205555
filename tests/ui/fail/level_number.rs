use otlp::traced;

#[traced(level = 3)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
