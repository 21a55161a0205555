use otlp::traced;

#[traced(parent = None)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
