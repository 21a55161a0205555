#[derive(Clone, Copy, otlp::Value)]
union Bits {
    float: f32,
    int: u32,
}

fn main() {
    let _ = otlp::span!("s", bits = Bits { int: 1 });
    // SAFETY: every pattern is an integer.
    let _ = unsafe { Bits { float: 1.0 }.int };
}
