use otlp::traced;

#[traced(fields(size = size(n)?))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
