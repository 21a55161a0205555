use otlp::traced;

pub struct Load;

#[traced]
impl Load {
    fn load(&self) {}
}

fn main() {
    Load.load();
}
