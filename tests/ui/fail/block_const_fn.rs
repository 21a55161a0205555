use otlp::traced;

struct S;

#[traced]
impl S {
    #[traced]
    const fn f(&self) {}
}

fn main() {
    S.f();
}
