use otlp::traced;

#[traced]
fn local() -> Result<&'static str, String> {
    let text = String::new();
    Ok(&text)
}

#[traced]
fn moved(text: String) -> Result<usize, String> {
    drop(text);
    Ok(text.len())
}

#[traced]
async fn later_moved(text: String) -> usize {
    drop(text);
    text.len()
}

#[traced(fields(n = count(text)))]
fn moved_by_a_field(text: String) -> usize {
    text.len()
}

fn count(text: String) -> usize {
    text.len()
}

fn main() {}
