use otlp::traced;

#[traced(?ret)]
async fn f() -> ! {
    loop {}
}

fn main() {
    drop(f());
}
