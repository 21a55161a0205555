use otlp::traced;

#[traced(ret)]
fn f(n: u32) {
    drop(n);
}

fn main() {
    f(1);
}
