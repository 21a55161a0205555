use otlp::traced;

#[traced(name = "a", level = debug, name = "b")]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
