//! Lines on stderr, which nobody may have to wait for.

/// Whether stderr takes a line of up to [`LINE`] bytes at once. A full pipe does not, and to write to it would wait for
/// ever; to write to one that has no reader might end the process (SIGPIPE).
#[cfg(unix)]
pub(crate) fn is_ready() -> bool {
    let mut stderr = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
    // SAFETY: one valid `pollfd`, and a length of one; nothing waits.
    let ready = unsafe { libc::poll(&raw mut stderr, 1, 0) };
    // Where the question cannot be answered, the write will tell.
    ready != 0 && stderr.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) == 0
}

#[cfg(not(unix))]
pub(crate) fn is_ready() -> bool {
    true
}

/// Writes a line in one piece. Not through `std`, whose lock another thread may have held when this process was forked.
#[cfg(unix)]
pub(crate) fn write(line: &[u8]) {
    // What is not written is lost; a signal that comes in between costs no line.
    for _ in 0..3 {
        // SAFETY: the pointer and the length are those of a slice.
        let written = unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
        if written >= 0 || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return;
        }
    }
}

#[cfg(not(unix))]
pub(crate) fn write(line: &[u8]) {
    use std::io::Write as _;
    let _ = std::io::stderr().write_all(line);
}

/// The longest line: a ready pipe takes it whole and at once (`PIPE_BUF`, 4096 bytes on Linux; where it is less, as on
/// macOS with 512, a pipe that is nearly full may still make a longer line wait).
pub(crate) const LINE: usize = 4096;
