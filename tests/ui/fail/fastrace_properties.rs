use otlp::traced;

#[traced(properties = { "n": "{n}" })]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
