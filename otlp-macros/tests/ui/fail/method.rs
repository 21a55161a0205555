#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

pub struct Load;

impl Load {
    #[traced(crate = crate::support, skip_all)]
    pub async fn load(&self) {}
}

fn main() {
    drop(Load.load());
}
