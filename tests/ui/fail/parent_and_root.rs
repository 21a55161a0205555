use otlp::traced;

#[traced(root, parent = otlp::Context::root())]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
