use otlp::traced;

#[traced(fields(n, n + 1))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
