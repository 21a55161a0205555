use otlp::traced;

#[traced(fields(size = tracing::field::Empty))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
