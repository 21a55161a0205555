use otlp::traced;

#[traced(root = true)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
