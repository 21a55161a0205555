//! The fallback too is found under another name.
mod shop {
    pub(crate) use otlp as telemetry;
}

#[derive(shop::telemetry::Value)]
#[value(nonsense, crate = crate::shop::telemetry)]
struct Id(u32);

fn main() {
    let _ = otlp::span!("s", id = Id(1));
}
