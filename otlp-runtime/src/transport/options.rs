//! [`Options`]: what a transport's requests have in common, checked and ready to use.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::USER_AGENT;
#[cfg(feature = "tls")]
use super::tls::Trust;
use crate::config::{Compression, Delivery, Proxy, Source};
use crate::error::OtlpError;

/// What requests have in common.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of the program, and marked as sensitive. `User-Agent` is among them.
    pub(super) headers: HeaderMap,
    pub(super) compression: Compression,
    pub(super) proxy: Option<Proxy>,
    #[cfg(feature = "tls")]
    pub(super) trust: Trust,
}

impl Default for Options {
    fn default() -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        Self {
            headers,
            compression: Compression::None,
            proxy: None,
            #[cfg(feature = "tls")]
            trust: Trust::default(),
        }
    }
}

/// Why there can be no transport, and who said so.
#[derive(Debug)]
pub struct Unusable {
    /// What is wrong.
    pub error: OtlpError,
    /// Who set what cannot be used.
    pub source: Source,
}

impl Options {
    /// Reads the files that `delivery` names; those that only TLS needs only if `secure`.
    ///
    /// # Errors
    /// If a certificate or key cannot be used: a weaker protection than was asked for is never the answer.
    pub fn new(delivery: &Delivery, secure: bool) -> Result<Self, Unusable> {
        let mut options = Self { compression: delivery.compression, proxy: delivery.proxy.clone(), ..Self::default() };
        for (name, value) in &delivery.headers {
            // The configuration has looked at both.
            let Ok(name) = HeaderName::try_from(name) else { continue };
            let Ok(mut value) = HeaderValue::from_str(value.reveal()) else { continue };
            value.set_sensitive(true);
            options.headers.insert(name, value);
        }
        if let Some(prefix) = &delivery.user_agent_prefix
            && let Ok(value) = HeaderValue::from_str(&format!("{prefix} {USER_AGENT}"))
        {
            options.headers.insert(http::header::USER_AGENT, value);
        }
        #[cfg(feature = "tls")]
        if secure {
            options.trust = Trust::read(delivery)?;
        }
        #[cfg(not(feature = "tls"))]
        let _ = secure;
        Ok(options)
    }
}
