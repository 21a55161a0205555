//! Certificates and keys, as settings hold them.

use std::fmt;
use std::path::{Path, PathBuf};

/// Certificates or a private key in PEM: a file, which is read by `init`, or the bytes themselves.
///
/// `Debug` shows a file's path, and nothing of bytes.
///
/// ```
/// # use otlp_runtime as otlp;
/// # use otlp_runtime::config::{OtlpConfig, Pem};
/// let config = OtlpConfig::default()
///     .with_endpoint("https://collector.example:4318")
///     .with_ca_certificate(Pem::file("/etc/otel/ca.pem"));
/// assert!(format!("{config:?}").contains("/etc/otel/ca.pem"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Content);

#[derive(Clone, PartialEq, Eq)]
enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
}

impl Pem {
    /// What stands in a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Content::File(path.into()))
    }

    /// What the program already has.
    pub fn bytes(pem: impl Into<Vec<u8>>) -> Self {
        Self(Content::Bytes(pem.into()))
    }

    /// The bytes, and where they are from.
    #[cfg(all(feature = "export", feature = "tls"))]
    pub(crate) fn read(&self) -> std::io::Result<std::borrow::Cow<'_, [u8]>> {
        /// No certificate bundle is larger; the system's own has some hundred KiB.
        const MOST: u64 = 16 << 20;
        match &self.0 {
            Content::Bytes(bytes) => Ok(bytes.into()),
            Content::File(path) if is_text(path) => Err(std::io::Error::other("is no path; write one")),
            Content::File(path) => {
                let meta = std::fs::metadata(path)?;
                // A pipe or a device could keep `init` waiting.
                if !meta.is_file() {
                    return Err(std::io::Error::other("is not a regular file"));
                }
                if meta.len() > MOST {
                    return Err(std::io::Error::other("is larger than 16 MiB"));
                }
                Ok(std::fs::read(path)?.into())
            }
        }
    }
}

/// A key in the place of its path is a common mistake, and gets into no message.
fn is_text(path: &Path) -> bool {
    let path = path.to_string_lossy();
    path.contains("-----") || path.contains('\n') || path.len() > 4096 || is_base64(&path)
}

/// A key without its first and last line, or a whole file in base64, as secrets are often kept.
fn is_base64(path: &str) -> bool {
    const SHORTEST_KEY: usize = 60;
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    path.len() >= SHORTEST_KEY && !path.starts_with('/') && path.chars().all(is_digit)
}

/// Where it stands.
impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::File(path) if is_text(path) => f.write_str("what is set as the path of a file"),
            Content::File(path) => write!(f, "{}", path.to_string_lossy().escape_debug()),
            Content::Bytes(_) => f.write_str("the bytes given in code"),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Content::File(path) if is_text(path) => f.write_str("***"),
            Content::File(path) => f.debug_tuple("file").field(path).finish(),
            Content::Bytes(_) => f.write_str("***"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_in_the_place_of_its_path_is_not_shown() {
        for text in [
            "-----BEGIN PRIVATE KEY-----\nhunter2\n",
            "hunter2\nhunter2",
            &"hunter2".repeat(1000),
            // An Ed25519 key is the shortest there is, 64 digits in base64.
            &format!("MC4CAQAwBQYDK2VwBCIEI{}=", "hunter2".repeat(6)),
            &format!("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg/+{}==", "hunter2".repeat(90)),
        ] {
            let pem = Pem::file(text);
            let shown = format!("{pem} {pem:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            #[cfg(all(feature = "export", feature = "tls"))]
            assert!(!pem.read().unwrap_err().to_string().contains("hunter2"));
        }
        assert_eq!(Pem::file("/x\u{1b}[31m").to_string(), "/x\\u{1b}[31m");
        let deep = "secrets/".repeat(30);
        for path in [format!("/run/{deep}key"), format!("{deep}client-key"), format!("{deep}key.pem")] {
            assert_eq!(Pem::file(&path).to_string(), path);
        }
    }
}
