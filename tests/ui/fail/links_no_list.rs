use otlp::traced;
#[traced(links = 3)]
fn f() {}
fn main() { f(); }
