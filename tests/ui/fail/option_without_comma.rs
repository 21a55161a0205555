use otlp::traced;

#[traced(root level = debug)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
