//! Which protocol carries the telemetry.

use std::fmt;
use std::str::FromStr;

use super::parse::shown;
use crate::error::OtlpError;

/// How telemetry travels to the receiver (spec-checklist EXP6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportProtocol {
    /// OTLP over gRPC; its usual port is 4317.
    Grpc,
    /// OTLP over HTTP with protobuf bodies, the default of the specification; its usual port is 4318.
    #[default]
    HttpProtobuf,
    /// Readable text on stdout, as `OTEL_TRACES_EXPORTER=console` has it, and to no receiver. Its format is not stable.
    Stdout,
}

impl TransportProtocol {
    /// Every protocol that reaches a receiver.
    pub(super) const ALL: [Self; 2] = [Self::Grpc, Self::HttpProtobuf];

    /// The name in `OTEL_EXPORTER_OTLP_PROTOCOL`: `grpc`, `http/protobuf`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
            Self::Stdout => "stdout",
        }
    }

    /// Where a receiver of this protocol listens by default (spec-checklist EXP4); none does for [`Self::Stdout`].
    pub const fn default_endpoint(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf => "http://localhost:4318",
            Self::Stdout => "",
        }
    }

    /// The cargo feature that brings the protocol; for [`Self::Stdout`] any of them does.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf | Self::Stdout => "http",
        }
    }

    /// Whether that feature is on.
    pub const fn is_available(self) -> bool {
        match self {
            Self::Grpc => cfg!(feature = "grpc"),
            Self::HttpProtobuf => cfg!(feature = "http"),
            Self::Stdout => cfg!(feature = "export"),
        }
    }

    /// Finds a protocol by its name, of either case (spec-checklist ENV6).
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for TransportProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Case-insensitive.
impl FromStr for TransportProtocol {
    type Err = OtlpError;

    fn from_str(name: &str) -> Result<Self, OtlpError> {
        Self::find(name).ok_or_else(|| OtlpError::InvalidConfig {
            setting: "protocol",
            value: shown(name),
            problem: "is not a protocol that otlp speaks",
            remedy: "write `grpc` or `http/protobuf`",
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn exp6_names_are_those_of_the_specification() {
        for protocol in TransportProtocol::ALL {
            assert_eq!(protocol.to_string().parse::<TransportProtocol>().unwrap(), protocol);
        }
        assert_eq!("GRPC".parse::<TransportProtocol>().unwrap(), TransportProtocol::Grpc);
        assert_eq!("Http/Protobuf".parse::<TransportProtocol>().unwrap(), TransportProtocol::HttpProtobuf);
        assert_eq!(TransportProtocol::default().as_str(), "http/protobuf");
    }

    #[test]
    fn an_unknown_protocol_is_a_typed_error_that_names_the_known_ones() {
        let error = "http/json".parse::<TransportProtocol>().unwrap_err();
        assert!(matches!(error, OtlpError::InvalidConfig { setting: "protocol", .. }));
        let text = error.to_string();
        assert!(text.contains("http/json") && text.contains("`grpc` or `http/protobuf`"), "{text}");
    }
}
