use otlp::traced;

#[traced(kind = rpc)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
