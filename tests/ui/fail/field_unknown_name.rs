use otlp::traced;

#[traced(fields(m))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
