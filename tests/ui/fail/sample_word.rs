use otlp::traced;

#[traced(sample = half)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
