use otlp::traced;

struct S;

#[traced(name = "s")]
impl S {
    #[traced(skip)]
    fn f(&self) {}
}

fn main() {
    S.f();
}
