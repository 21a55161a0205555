use otlp::traced;

#[traced(future)]
async fn f(n: u32) -> u32 {
    n
}

fn main() {
    drop(f(1));
}
