use otlp::traced;

#[traced(target = "app")]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
