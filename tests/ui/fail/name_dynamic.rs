use otlp::traced;

#[traced(name = format!("f {n}"))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
