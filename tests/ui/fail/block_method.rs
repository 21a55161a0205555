use otlp::traced;

struct S;

#[traced]
impl S {
    #[traced(levl = debug)]
    fn f(&self) {}

    fn g(&self) {
        self.f();
    }
}

fn main() {
    S.g();
}
