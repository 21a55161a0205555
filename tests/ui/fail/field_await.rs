use otlp::traced;

#[traced(fields(size = size(n).await))]
async fn f(n: u32) -> u32 {
    n
}

async fn size(n: u32) -> u32 {
    n
}

fn main() {
    drop((f(1), size(1)));
}
