use otlp::traced;

#[traced(kind = "server")]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
