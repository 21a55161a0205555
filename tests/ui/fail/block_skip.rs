use otlp::traced;

struct S;

#[traced(skip(f))]
impl S {
    fn f(&self) {}
}

fn main() {
    S.f();
}
