use otlp::traced;

#[traced(%n)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
