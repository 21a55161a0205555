use otlp::traced;

#[traced(err = event)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
