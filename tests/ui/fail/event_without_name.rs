fn main() {
    otlp::event!(n = 1);
}
