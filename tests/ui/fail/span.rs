use otlp::span;

struct Id;

fn main() {
    let n = 1;
    span!();
    span!(n);
    span!("");
    span!("name" n);
    span!("name", n + 1);
    span!("name", n, n);
    span!("name", m);
    span!("name", id = Id);
    let _: otlp::Span = span!(name = "name", n);
}
