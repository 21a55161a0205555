//! How requests look and how they are secured: what is set in code, and what it comes to with the environment.

use std::fmt;

use super::delivery_variables as v;
use super::headers::{self, Header};
use super::proxy::{self, ProxySetting};
use super::reader::Reader;
use super::validation::invalid;
use super::variables::PathVariable;
use super::{Compression, OtlpConfig, Pem, Proxy, Secret, Source};
use crate::error::OtlpError;

/// What common servers take at most in one message (spec-checklist T5).
const MAX_REQUEST_BYTES: usize = 4 << 20;
/// A resource and a small span fit in any case.
const LEAST_REQUEST_BYTES: usize = 128 << 10;
/// The specification's own limit (spec-checklist EXP9).
const MOST_REQUEST_BYTES: usize = 64 << 20;

/// The part of [`OtlpConfig`] that is about requests.
#[derive(Clone, Default)]
pub(super) struct DeliverySettings {
    headers: Vec<Header>,
    compression: Option<Compression>,
    user_agent_prefix: Option<String>,
    max_request_bytes: Option<usize>,
    ca_certificate: Option<Pem>,
    client_certificate: Option<(Pem, Pem)>,
    pub(super) proxy: Option<ProxySetting>,
}

/// How requests look and how they are secured.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Beside those that a transport sets itself.
    pub headers: Vec<Header>,
    /// Of request bodies.
    pub compression: Compression,
    /// Stands before the exporter's own name.
    pub user_agent_prefix: Option<String>,
    /// Before compression.
    pub max_request_bytes: usize,
    /// Who is trusted; `None`: whom the system trusts.
    pub ca_certificate: Option<Sourced>,
    /// Whom the program says it is.
    pub client_certificate: Option<Sourced>,
    /// The key to it.
    pub client_key: Option<Sourced>,
    /// What stands between.
    pub proxy: Option<Proxy>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            compression: Compression::None,
            user_agent_prefix: None,
            max_request_bytes: MAX_REQUEST_BYTES,
            ca_certificate: None,
            client_certificate: None,
            client_key: None,
            proxy: None,
        }
    }
}

impl Delivery {
    /// Whether anything is set that only TLS can use.
    pub fn wants_tls(&self) -> bool {
        self.ca_certificate.is_some() || self.client_certificate.is_some() || self.client_key.is_some()
    }
}

/// A certificate or key, and who set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced {
    /// The PEM.
    pub pem: Pem,
    /// Who set it.
    pub source: Source,
    /// The name of the setting in code, without `with_`.
    setting: &'static str,
}

impl Sourced {
    /// What a message calls it: the variable, or the setting in code.
    pub fn name(&self) -> &'static str {
        match self.source {
            Source::Environment(name) => name,
            Source::Code | Source::Default => self.setting,
        }
    }
}

impl OtlpConfig {
    /// A header of every request, over gRPC a piece of metadata: an API key, a tenant. Replaces an earlier value of the same
    /// name, and wins over the same one of the environment. `Debug` and messages never show the value.
    ///
    /// The name is an HTTP token, the value visible ASCII. Headers that are set by otlp (`content-type`, `host`, `te`,
    /// `user-agent`, `grpc-*` and the like) and names that end in `-bin` are an error.
    ///
    /// ```
    /// # use otlp_runtime::config::OtlpConfig;
    /// let config = OtlpConfig::default().with_header("x-api-key", "hunter2");
    /// assert!(!format!("{config:?}").contains("hunter2"));
    /// ```
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        headers::put(&mut self.delivery.headers, name.as_ref().trim(), Secret::new(value.into().trim()));
        self
    }

    /// How request bodies are compressed. Default: not at all.
    pub fn with_compression(mut self, compression: Compression) -> Self {
        self.delivery.compression = Some(compression);
        self
    }

    /// What stands before the exporter's own name in the header `User-Agent`: `shop/1.2` makes it
    /// `shop/1.2 otlp-rust/0.1.0`.
    pub fn with_user_agent_prefix(mut self, product: impl Into<String>) -> Self {
        self.delivery.user_agent_prefix = Some(product.into());
        self
    }

    /// How many bytes a request holds at most, before compression: a batch that is larger is split, and a span that is larger
    /// alone is dropped and counted (`too_large`). 128 KiB to 64 MiB. Default: 4 MiB, which is what common servers take.
    pub fn with_max_request_bytes(mut self, bytes: usize) -> Self {
        self.delivery.max_request_bytes = Some(bytes);
        self
    }

    /// The certificate authorities that an `https://` receiver's certificate may come from, in the place of the system's.
    /// Needs the feature `tls`.
    pub fn with_ca_certificate(mut self, pem: Pem) -> Self {
        self.delivery.ca_certificate = Some(pem);
        self
    }

    /// The certificate (with those between it and its authority) and the private key by which an `https://` receiver
    /// recognises the program: mutual TLS. Needs the feature `tls`.
    pub fn with_client_certificate(mut self, certificate: Pem, key: Pem) -> Self {
        self.delivery.client_certificate = Some((certificate, key));
        self
    }

    /// Looks at what was set in code.
    pub(super) fn check_delivery(&self) -> Result<(), OtlpError> {
        let settings = &self.delivery;
        headers::validate(&settings.headers)?;
        if let Some(prefix) = &settings.user_agent_prefix {
            let fits = |b: u8| b.is_ascii_graphic() || b == b' ';
            if prefix.trim().is_empty() || prefix.len() > 256 || !prefix.bytes().all(fits) {
                let problem = "is no product name";
                return Err(invalid("user_agent_prefix", prefix, problem, "write a name and a version: `shop/1.2`"));
            }
        }
        if let Some(bytes) = settings.max_request_bytes
            && !(LEAST_REQUEST_BYTES..=MOST_REQUEST_BYTES).contains(&bytes)
        {
            let problem = "is no size that can be kept to";
            return Err(invalid("max_request_bytes", bytes, problem, "give it 128 KiB to 64 MiB"));
        }
        settings.proxy.as_ref().map_or(Ok(()), ProxySetting::check)?;
        let pems = settings.ca_certificate.is_some() || settings.client_certificate.is_some();
        if pems && !cfg!(feature = "tls") {
            return Err(OtlpError::FeatureDisabled { wanted: "a certificate", feature: "tls" });
        }
        Ok(())
    }

    pub(super) fn choose_delivery(&self, reader: &mut Reader<'_>, url: &str) -> Delivery {
        let settings = &self.delivery;
        let mut headers = reader.first(&[&v::TRACES_HEADERS, &v::HEADERS]).map_or_else(Vec::new, |(listed, name)| {
            reader.report_entries(name, &listed.problems);
            listed.headers
        });
        for (name, value) in &settings.headers {
            headers::put(&mut headers, name, value.clone());
        }
        let variables = [&v::TRACES_COMPRESSION, &v::COMPRESSION];
        let (compression, _) =
            reader.choose(settings.compression, &variables, Compression::None, |_| Ok(()), ToString::to_string);
        let pem = |code: Option<&Pem>, setting, variables: [&PathVariable; 2]| match code {
            Some(pem) => Some(Sourced { pem: pem.clone(), source: Source::Code, setting }),
            None => {
                reader.path(&variables).map(|(pem, name)| Sourced { pem, source: Source::Environment(name), setting })
            }
        };
        let ca = settings.ca_certificate.as_ref();
        let (certificate, key) = settings.client_certificate.as_ref().map(|(c, k)| (c, k)).unzip();
        Delivery {
            headers,
            compression,
            user_agent_prefix: settings.user_agent_prefix.as_ref().map(|prefix| prefix.trim().to_owned()),
            max_request_bytes: settings.max_request_bytes.unwrap_or(MAX_REQUEST_BYTES),
            ca_certificate: pem(ca, "ca_certificate", [&v::TRACES_CERTIFICATE, &v::CERTIFICATE]),
            client_certificate: pem(
                certificate,
                "client_certificate",
                [&v::TRACES_CLIENT_CERTIFICATE, &v::CLIENT_CERTIFICATE],
            ),
            client_key: pem(key, "client_certificate", [&v::TRACES_CLIENT_KEY, &v::CLIENT_KEY]),
            proxy: proxy::choose(reader, settings.proxy.as_ref(), url),
        }
    }
}

impl DeliverySettings {
    /// Adds what is set to a `Debug` output: of headers the names only.
    pub(super) fn show(&self, s: &mut fmt::DebugStruct<'_, '_>) {
        fn some<T: fmt::Debug>(s: &mut fmt::DebugStruct<'_, '_>, name: &str, value: Option<&T>) {
            if let Some(value) = value {
                s.field(name, value);
            }
        }
        some(s, "headers", Some(&self.headers).filter(|headers| !headers.is_empty()));
        some(s, "compression", self.compression.as_ref());
        some(s, "user_agent_prefix", self.user_agent_prefix.as_ref());
        some(s, "max_request_bytes", self.max_request_bytes.as_ref());
        some(s, "ca_certificate", self.ca_certificate.as_ref());
        some(s, "client_certificate", self.client_certificate.as_ref());
        some(s, "proxy", self.proxy.as_ref());
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
