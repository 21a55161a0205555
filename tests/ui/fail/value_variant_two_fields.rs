#[derive(otlp::Value)]
enum Shape {
    Point,
    Square(u32, u32),
}

fn main() {
    let _ = otlp::span!("s", a = Shape::Point, b = Shape::Square(1, 2));
}
