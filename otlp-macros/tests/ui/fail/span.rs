#[path = "../../support/mod.rs"]
mod support;

macro_rules! span {
    ($($tokens:tt)*) => { $crate::support::__private::__span!([$crate::support] $($tokens)*) };
}

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
    let _: support::__private::Span = span!(name = "name", n);
}
