use otlp::traced;

#[traced(%ret)]
fn f(n: u32) -> Vec<u32> {
    vec![n]
}

fn main() {
    f(1);
}
