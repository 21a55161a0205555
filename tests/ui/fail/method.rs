use otlp::traced;

pub struct Load;

impl Load {
    #[traced(skip_all)]
    pub async fn load(&self) {}
}

fn main() {
    drop(Load.load());
}
