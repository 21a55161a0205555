use otlp::traced;

#[traced(ret)]
#[track_caller]
fn f(n: u32) -> u32 {
    n
}

fn main() {
    f(1);
}
