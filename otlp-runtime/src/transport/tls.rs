//! TLS: rustls with ring, which is given to it explicitly and never made the default of the process.

use std::io;
use std::sync::Arc;

use rustls::client::{ClientConfig, ResolvesClientCert};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{AlertDescription, CertificateError, Error, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::options::Unusable;
use crate::config::{Delivery, Sourced};
use crate::error::OtlpError;

/// Whom to trust, and as whom to appear.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    /// `None`: the system's certificate authorities.
    roots: Option<Arc<RootCertStore>>,
    client: Option<Arc<SingleCertAndKey>>,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

impl Trust {
    pub(super) fn read(delivery: &Delivery) -> Result<Self, Unusable> {
        let roots = delivery.ca_certificate.as_ref().map(authorities).transpose()?;
        let client = match (&delivery.client_certificate, &delivery.client_key) {
            (Some(certificate), Some(key)) => Some(client(certificate, key)?),
            (None, None) => None,
            (Some(alone), None) => return Err(unusable(alone, "no key to it is set".to_owned())),
            (None, Some(alone)) => return Err(unusable(alone, "no certificate to this key is set".to_owned())),
        };
        Ok(Self { roots, client })
    }
}

fn unusable(which: &Sourced, cause: String) -> Unusable {
    let error = OtlpError::Certificate { setting: which.name(), file: which.pem.to_string(), cause };
    Unusable { error, source: which.source }
}

fn certificates(which: &Sourced) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let bytes = which.pem.read().map_err(|error| unusable(which, format!("cannot be read: {error}")))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(which, "holds no PEM certificate".to_owned())),
        Ok(found) => Ok(found),
        Err(_) => Err(unusable(which, "is not PEM".to_owned())),
    }
}

fn authorities(which: &Sourced) -> Result<Arc<RootCertStore>, Unusable> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(which)? {
        roots
            .add(certificate)
            .map_err(|error| unusable(which, format!("holds a certificate that cannot be used: {error}")))?;
    }
    Ok(Arc::new(roots))
}

fn client(certificate: &Sourced, key: &Sourced) -> Result<Arc<SingleCertAndKey>, Unusable> {
    let chain = certificates(certificate)?;
    let bytes = key.pem.read().map_err(|error| unusable(key, format!("cannot be read: {error}")))?;
    // The parser's own errors may quote what it read.
    let private = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| unusable(key, "holds no PEM private key that is not encrypted".to_owned()))?;
    match CertifiedKey::from_der(chain, private, &provider()) {
        Ok(pair) => Ok(Arc::new(SingleCertAndKey::from(pair))),
        Err(Error::InconsistentKeys(_)) => {
            Err(unusable(key, format!("is not the key to the certificate in {}", certificate.pem)))
        }
        Err(Error::InvalidCertificate(error)) => {
            Err(unusable(certificate, format!("holds a certificate that cannot be used: {error:?}")))
        }
        Err(_) => Err(unusable(key, "holds a key of a kind that is not supported".to_owned())),
    }
}

/// Makes TLS connections to one host.
#[derive(Debug)]
pub(super) struct Tls {
    trust: Trust,
    protocol: &'static [u8],
    /// Made for the first connection: the system's certificates take milliseconds to load.
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    /// `protocol` is what is to be spoken inside, by its ALPN name.
    pub(super) fn new(trust: Trust, protocol: &'static [u8]) -> Self {
        Self { trust, protocol, config: OnceCell::new() }
    }

    /// The handshake. The error says what was wrong and what to do.
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> Result<Box<TlsStream<TcpStream>>, String> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| format!("{host:?} is no name that TLS can check"))?;
        let config = self.config.get_or_try_init(|| self.configure()).await?;
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        handshake.await.map(Box::new).map_err(|error| explain(&error))
    }

    async fn configure(&self) -> Result<Arc<ClientConfig>, String> {
        let roots = match &self.trust.roots {
            Some(roots) => Arc::clone(roots),
            // Reads files, which may hang where they are on a network.
            None => tokio::task::spawn_blocking(system_roots).await.map_err(|error| error.to_string())??,
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots);
        let mut config = match &self.trust.client {
            Some(client) => builder.with_client_cert_resolver(Arc::clone(client) as Arc<dyn ResolvesClientCert>),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![self.protocol.to_vec()];
        Ok(Arc::new(config))
    }
}

/// The system's certificate authorities; `SSL_CERT_FILE` and `SSL_CERT_DIR` say where else they are.
fn system_roots() -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let cause = found.errors.first().map_or_else(String::new, |error| format!(" ({error})"));
        return Err(format!(
            "this system has no certificate authorities{cause}: install its package `ca-certificates`, or set \
             `with_ca_certificate` (OTEL_EXPORTER_OTLP_CERTIFICATE)"
        ));
    }
    Ok(Arc::new(roots))
}

fn inner(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What went wrong in a handshake, and what to do.
fn explain(error: &io::Error) -> String {
    let Some(tls) = inner(error) else {
        return format!("TLS handshake: {error} (does this port speak TLS? If not, write `http://`)");
    };
    match remedy(tls) {
        "" => format!("TLS: {tls}"),
        remedy => format!("TLS: {tls} ({remedy})"),
    }
}

/// What a receiver says that does not accept the program's certificate, or misses one: it has read no request. In TLS 1.3 it
/// comes after the handshake.
pub(super) fn refusal(error: &io::Error) -> Option<String> {
    use AlertDescription as Alert;
    match inner(error)? {
        Error::AlertReceived(
            Alert::HandshakeFailure
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::DecryptError
            | Alert::AccessDenied,
        ) => Some(explain(error)),
        _ => None,
    }
}

fn remedy(error: &Error) -> &'static str {
    use AlertDescription as Alert;
    use CertificateError as Certificate;
    const WRONG_CLIENT: &str = "the receiver does not accept this program's certificate: look at `with_client_certificate`, \
                                OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE";
    match error {
        Error::InvalidCertificate(
            Certificate::Expired
            | Certificate::ExpiredContext { .. }
            | Certificate::NotValidYet
            | Certificate::NotValidYetContext { .. },
        ) => "renew the receiver's certificate, or set this machine's clock",
        Error::InvalidCertificate(Certificate::NotValidForName | Certificate::NotValidForNameContext { .. }) => {
            "use a host name in the endpoint that the receiver's certificate is made for"
        }
        Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            "name the authority that made the receiver's certificate: `with_ca_certificate`, OTEL_EXPORTER_OTLP_CERTIFICATE"
        }
        // The kinds of webpki that rustls has no name for.
        Error::InvalidCertificate(Certificate::Other(other)) => match other.0.to_string().as_str() {
            "CaUsedAsEndEntity" => {
                "the receiver shows the certificate of an authority as its own: give it one that the authority made"
            }
            "UnsupportedCertVersion" => "make the receiver's certificate anew, as X.509 version 3",
            _ => "look at the receiver's certificate",
        },
        Error::PeerIncompatible(_) | Error::AlertReceived(Alert::ProtocolVersion) => {
            "the receiver has to speak TLS 1.2 or 1.3"
        }
        Error::InvalidMessage(_) => "does this port speak TLS? If not, write `http://`",
        Error::AlertReceived(Alert::NoApplicationProtocol) => {
            "the receiver does not speak this protocol here: look at the port and `with_protocol`"
        }
        Error::AlertReceived(Alert::CertificateRequired) => {
            "the receiver wants a client certificate: `with_client_certificate`, OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
        }
        Error::AlertReceived(
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::DecryptError
            | Alert::AccessDenied,
        ) => WRONG_CLIENT,
        Error::AlertReceived(Alert::HandshakeFailure) => {
            "the receiver may want a client certificate, or another version of TLS"
        }
        _ => "",
    }
}
