//! What is asked of the operating system directly.
#![allow(unsafe_code)]

#[cfg(feature = "export")]
pub(crate) mod stdout;

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
