use otlp::traced;

#[traced(follows_from = causes)]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
