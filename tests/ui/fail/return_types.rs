use otlp::traced;

#[traced]
fn unknown() -> Result<Unknown, String> {
    todo!()
}

#[traced]
async fn later() -> Result<(), Unknown> {
    todo!()
}

fn main() {}
