fn main() {
    let text = "text";
    otlp::info!(text, n = 1);
}
