#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

pub struct Load;

#[traced(crate = crate::support)]
impl Load {
    fn load(&self) {}
}

fn main() {
    Load.load();
}
