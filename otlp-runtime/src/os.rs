//! What is asked of the operating system directly.
#![allow(unsafe_code)]

/// Whether stderr takes a line of up to [`LINE`] bytes at once. A pipe that nobody reads does not, and to write to it
/// would wait for ever.
#[cfg(unix)]
pub(crate) fn stderr_is_ready() -> bool {
    let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid `pollfd`, and a length of one; nothing waits.
    let ready = unsafe { libc::poll(&raw mut stderr, 1, 0) };
    // Where the question cannot be answered, the write will tell.
    ready != 0
}

#[cfg(not(unix))]
pub(crate) fn stderr_is_ready() -> bool {
    true
}

/// The longest line: a ready pipe takes it whole and at once (`PIPE_BUF`, 4096 bytes on Linux; where it is less, as on
/// macOS with 512, a pipe that is nearly full may still make a longer line wait).
pub(crate) const LINE: usize = 4096;

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
pub(crate) fn stdout() -> Stdout {
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
pub(crate) fn stdout() -> Stdout {
    Stdout::Ready
}

/// Writes some of `bytes` to stdout, past the lock of `std::io::stdout`, which the program may hold as long as it likes.
#[cfg(unix)]
pub(crate) fn write_stdout(bytes: &[u8]) -> std::io::Result<usize> {
    // SAFETY: the pointer and the length are those of one slice.
    let written = unsafe { libc::write(libc::STDOUT_FILENO, bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(written).map_err(|_| std::io::Error::last_os_error())
}

#[cfg(not(unix))]
pub(crate) fn write_stdout(bytes: &[u8]) -> std::io::Result<usize> {
    use std::io::Write as _;
    std::io::stdout().write(bytes)
}
