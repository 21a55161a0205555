use otlp::traced;

#[traced(future = on)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
