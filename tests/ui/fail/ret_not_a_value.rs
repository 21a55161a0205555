use otlp::traced;

#[traced(ret)]
fn f(n: u32) -> Result<Plain, ()> {
    Ok(Plain(n))
}

struct Plain(u32);

fn main() {
    let _ = f(1);
}
