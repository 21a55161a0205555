use otlp::traced;

#[traced(fields(a.b.c = n, "a.b.c" = 2))]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
