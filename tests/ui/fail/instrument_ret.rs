use otlp::traced;

#[traced(ret(Debug))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
