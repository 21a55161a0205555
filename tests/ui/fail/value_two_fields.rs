#[derive(otlp::Value)]
struct Point {
    x: u32,
    y: u32,
}

fn main() {
    let point = Point { x: 1, y: 2 };
    let _ = otlp::span!("s", point, sum = point.x + point.y);
}
