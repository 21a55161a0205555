use otlp::traced;

#[traced(args, skip)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
