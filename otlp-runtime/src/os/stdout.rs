//! Stdout without waiting for it.

/// Whether stdout takes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// Up to [`PIECE`] bytes, at once.
    Ready,
    /// Not now: nobody reads.
    Full,
    /// Never again.
    Closed,
}

/// How many bytes a pipe that is ready takes at once (`PIPE_BUF` of POSIX's smallest system).
pub(crate) const PIECE: usize = 512;

/// Asks stdout without waiting. To write to one that is closed might end the process (SIGPIPE).
#[cfg(unix)]
pub(crate) fn ready() -> Stdout {
    let mut stdout = libc::pollfd { fd: libc::STDOUT_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid `pollfd`, and a length of one; nothing waits.
    let ready = unsafe { libc::poll(&raw mut stdout, 1, 0) };
    match stdout.revents {
        broken if broken & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0 => Stdout::Closed,
        _ if ready == 0 => Stdout::Full,
        _ => Stdout::Ready,
    }
}

#[cfg(not(unix))]
pub(crate) fn ready() -> Stdout {
    Stdout::Ready
}

/// Writes some of `bytes` to stdout, past the lock of `std::io::stdout`, which the program may hold as long as it likes.
#[cfg(unix)]
pub(crate) fn write(bytes: &[u8]) -> std::io::Result<usize> {
    // SAFETY: the pointer and the length are those of one slice.
    let written = unsafe { libc::write(libc::STDOUT_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(written).map_err(|_| std::io::Error::last_os_error())
}

#[cfg(not(unix))]
pub(crate) fn write(bytes: &[u8]) -> std::io::Result<usize> {
    use std::io::Write as _;
    std::io::stdout().write(bytes)
}
