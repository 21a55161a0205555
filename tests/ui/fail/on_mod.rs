use otlp::traced;

#[traced]
mod m {
    pub(crate) fn f() {}
}

fn main() {
    m::f();
}
