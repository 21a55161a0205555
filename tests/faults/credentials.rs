//! Whom a program trusts over TLS, and as whom it appears.

use std::process::Command;

use otlp::{OtlpConfig, Pem};

/// All in PEM; what is empty is not set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    pub(crate) authority: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

const AUTHORITY: &str = "OTLP_TEST_AUTHORITY";
const CERTIFICATE: &str = "OTLP_TEST_CERTIFICATE";
const KEY: &str = "OTLP_TEST_KEY";

impl Credentials {
    /// Gives them to a program.
    pub(crate) fn give(&self, program: &mut Command) {
        program.env(AUTHORITY, &self.authority).env(CERTIFICATE, &self.certificate).env(KEY, &self.key);
    }

    /// Those that this program was given.
    pub(crate) fn given() -> Self {
        let [authority, certificate, key] =
            [AUTHORITY, CERTIFICATE, KEY].map(|name| std::env::var(name).unwrap_or_default());
        Self { authority, certificate, key }
    }

    pub(crate) fn set(self, config: OtlpConfig) -> OtlpConfig {
        let config = match self.authority.as_str() {
            "" => config,
            authority => config.with_ca_certificate(Pem::bytes(authority.to_owned())),
        };
        match self.key.as_str() {
            "" => config,
            key => config.with_client_certificate(Pem::bytes(self.certificate), Pem::bytes(key.to_owned())),
        }
    }

    /// Whether a line of the key stands in `text`.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.key.lines().any(|line| !line.is_empty() && text.contains(line))
    }
}
