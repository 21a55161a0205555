use otlp::traced;

#[traced(fields(n.count_ones()))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
