use otlp::traced;

#[traced]
trait T {
    #[traced(level = debug)]
    fn f(&self);
}

impl T for u8 {
    fn f(&self) {}
}

fn main() {
    1_u8.f();
}
