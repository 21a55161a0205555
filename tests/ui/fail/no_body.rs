use otlp::traced;

pub trait Load {
    #[traced]
    fn load(&self) -> u32;
}

fn main() {}
