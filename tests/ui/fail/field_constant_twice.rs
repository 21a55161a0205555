use otlp::traced;

const KEY: &str = "key";

#[traced(fields({ KEY } = 1, {KEY} = 2))]
fn f() {}

fn main() {
    f();
}
