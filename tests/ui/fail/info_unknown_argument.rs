fn main() {
    otlp::info!("{missing}");
}
