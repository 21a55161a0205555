use otlp::traced;

#[traced = "x"]
fn f() {}

#[otlp::traced = "x"]
impl S {
    fn f(&self) {}
}

struct S;

fn main() {
    f();
    S.f();
}
