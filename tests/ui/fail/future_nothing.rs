use otlp::traced;

#[traced(future)]
fn f(n: u32) {
    drop(n);
}

fn main() {
    f(1);
}
