use otlp::traced;

#[traced(sample = 1.5)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
