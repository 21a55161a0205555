use otlp::traced;

#[traced(fields(n, size = 1, n = 2))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
