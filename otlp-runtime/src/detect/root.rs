//! The files that detectors read.

use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::PathBuf;

/// Where the root of the file system is.
#[derive(Clone, Debug)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// That of the system.
    pub(crate) fn system() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Another one, for tests.
    #[cfg(test)]
    pub(super) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The start of a file, as text; `None` if it is no regular file or cannot be read. What is not UTF-8 is replaced.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        const MOST: u64 = 64 << 10;
        let file = open(self.0.join(path))?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Opens a regular file. To open a pipe waits for its other end, unless one asks not to.
fn open(path: PathBuf) -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).ok()?;
    file.metadata().ok()?.is_file().then_some(file)
}
