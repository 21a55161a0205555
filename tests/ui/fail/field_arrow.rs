use otlp::traced;

#[traced(fields(size => n))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
