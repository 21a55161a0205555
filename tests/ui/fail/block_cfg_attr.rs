use otlp::traced;

struct S;

#[traced]
impl S {
    #[cfg_attr(all(), traced(levl = debug))]
    fn f(&self) {}

    // Not said where it does not hold.
    #[cfg_attr(any(), traced(levl = debug))]
    fn g(&self) {
        self.f();
    }

    #[cfg_attr(all(), inline, otlp::traced(future))]
    fn h(&self) -> u32 {
        self.g();
        1
    }
}

fn main() {
    S.h();
}
