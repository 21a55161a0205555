#[derive(otlp::Value)]
#[repr(C, packed)]
struct Packed(u64);

fn main() {
    let _ = otlp::span!("s", packed = Packed(1));
}
