#[path = "../../support/mod.rs"]
mod support;

use otlp_macros::traced;

#[traced(crate = crate::support)]
fn local() -> Result<&'static str, String> {
    let text = String::new();
    Ok(&text)
}

#[traced(crate = crate::support)]
fn moved(text: String) -> Result<usize, String> {
    drop(text);
    Ok(text.len())
}

#[traced(crate = crate::support)]
async fn later_moved(text: String) -> usize {
    drop(text);
    text.len()
}

#[traced(crate = crate::support, fields(n = count(text)))]
fn moved_by_a_field(text: String) -> usize {
    text.len()
}

fn count(text: String) -> usize {
    text.len()
}

fn main() {}
