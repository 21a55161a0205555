use otlp::traced;

#[traced]
pub struct Load;

fn main() {
    let _ = Load;
}
