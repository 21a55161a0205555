//! `Value` for the types of other crates, each behind a feature.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "http-types")]
mod http;
#[cfg(all(test, feature = "testing"))]
mod tests;
#[cfg(feature = "url")]
mod url;
#[cfg(feature = "uuid")]
mod uuid;
