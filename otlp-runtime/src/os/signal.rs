//! SIGTERM: held up until something was done, then passed on.
//!
//! The handler writes one byte into a pipe, at whose other end a thread waits. When that has done its work, the disposition
//! from before is put back and the signal is sent again. A second signal is passed on at once, and so is one that comes to
//! a forked child, which has inherited the handler but not the thread.

use std::io;

/// What the signal will do when it is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It ends the process.
    Ends,
    /// The program has a handler of its own.
    Handled,
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(crate) use held::{pass_on, prepare};

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod held {
    use std::io::{PipeReader, PipeWriter, Read as _};
    use std::mem::MaybeUninit;
    use std::os::fd::IntoRawFd as _;
    use std::ptr::{null, null_mut};
    use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

    use super::{Fate, io};

    /// The writing end of the pipe; -1: there is none.
    static PIPE: AtomicI32 = AtomicI32::new(-1);
    /// The process whose thread reads it.
    static PROCESS: AtomicI32 = AtomicI32::new(0);
    /// The signal has come.
    static SEEN: AtomicBool = AtomicBool::new(false);
    /// The disposition from before. Never freed.
    static PREVIOUS: AtomicPtr<libc::sigaction> = AtomicPtr::new(null_mut());

    fn process() -> i32 {
        // SAFETY: takes nothing and cannot fail.
        unsafe { libc::getpid() }
    }

    fn errno() -> *mut libc::c_int {
        #[cfg(target_os = "linux")]
        // SAFETY: takes nothing; the place belongs to this thread.
        return unsafe { libc::__errno_location() };
        #[cfg(target_os = "macos")]
        // SAFETY: takes nothing; the place belongs to this thread.
        return unsafe { libc::__error() };
    }

    /// Async-signal-safe.
    extern "C" fn handle(_: libc::c_int) {
        // SAFETY: the place is this thread's; whoever was interrupted finds it as it was.
        let before = unsafe { *errno() };
        if PROCESS.load(Ordering::Acquire) == process() && !SEEN.swap(true, Ordering::Relaxed) {
            // SAFETY: one byte of a constant; the pipe is empty, so it has room.
            let _ = unsafe { libc::write(PIPE.load(Ordering::Relaxed), [0_u8].as_ptr().cast(), 1) };
        } else {
            pass_on();
        }
        // SAFETY: as above.
        unsafe { *errno() = before };
    }

    fn disposition() -> io::Result<libc::sigaction> {
        let mut found = MaybeUninit::uninit();
        // SAFETY: only asks; the place is valid.
        if unsafe { libc::sigaction(libc::SIGTERM, null(), found.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has filled it.
        Ok(unsafe { found.assume_init() })
    }

    fn is_ours(found: &libc::sigaction) -> bool {
        found.sa_sigaction == handle as extern "C" fn(libc::c_int) as usize
    }

    /// Puts the disposition from before back and sends the signal again. If another handler has taken our place in the
    /// meantime, what becomes of the signal is in its hands. Async-signal-safe.
    pub(crate) fn pass_on() {
        let Ok(found) = disposition() else { return };
        let previous = PREVIOUS.load(Ordering::Acquire);
        if !is_ours(&found) || previous.is_null() {
            return;
        }
        // SAFETY: the disposition is one that the system gave; both calls are async-signal-safe. The signal is sent to
        // this process.
        unsafe {
            libc::sigaction(libc::SIGTERM, previous, null_mut());
            libc::kill(process(), libc::SIGTERM);
        }
    }

    /// The signal, about to be held up.
    pub(crate) struct Sigterm {
        read: PipeReader,
        write: PipeWriter,
        found: libc::sigaction,
    }

    /// For the thread that waits.
    pub(crate) struct Ready(PipeReader);

    /// For the thread that starts it.
    pub(crate) struct Armed {
        write: PipeWriter,
        found: libc::sigaction,
    }

    /// `None`: it is held up already, or the process ignores it.
    pub(crate) fn prepare() -> io::Result<Option<Sigterm>> {
        let found = disposition()?;
        let done = is_ours(&found) && PROCESS.load(Ordering::Relaxed) == process();
        if done || found.sa_sigaction == libc::SIG_IGN {
            return Ok(None);
        }
        let (read, write) = io::pipe()?;
        Ok(Some(Sigterm { read, write, found }))
    }

    impl Sigterm {
        pub(crate) fn into_parts(self) -> (Ready, Armed) {
            (Ready(self.read), Armed { write: self.write, found: self.found })
        }
    }

    impl Ready {
        /// Waits for the signal; what it will do then. `None`: it was never armed.
        pub(crate) fn wait(mut self) -> Option<Fate> {
            self.0.read_exact(&mut [0]).ok()?;
            let previous = PREVIOUS.load(Ordering::Acquire);
            // SAFETY: never freed, and never written after it was stored.
            let previous = unsafe { previous.as_ref() }?;
            Some(if previous.sa_sigaction == libc::SIG_DFL { Fate::Ends } else { Fate::Handled })
        }
    }

    impl Armed {
        /// From now on the signal is held up.
        pub(crate) fn arm(self) -> io::Result<()> {
            let Self { write, found } = self;
            // A pipe that was there is that of the process that this one was forked off, or of a signal that has passed.
            let old = PIPE.swap(write.into_raw_fd(), Ordering::Relaxed);
            if old >= 0 {
                // SAFETY: it was ours, and nobody else has its number.
                unsafe { libc::close(old) };
            }
            SEEN.store(false, Ordering::Relaxed);
            if !is_ours(&found) {
                PREVIOUS.store(Box::into_raw(Box::new(found)), Ordering::Release);
            }
            PROCESS.store(process(), Ordering::Release);
            if is_ours(&found) {
                return Ok(());
            }
            // SAFETY: all zero is a valid `sigaction`.
            let mut ours: libc::sigaction = unsafe { std::mem::zeroed() };
            ours.sa_sigaction = handle as extern "C" fn(libc::c_int) as usize;
            ours.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
            // SAFETY: the handler is async-signal-safe and lives as long as the program.
            match unsafe { libc::sigaction(libc::SIGTERM, &raw const ours, null_mut()) } {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            }
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(crate) use none::{pass_on, prepare};

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod none {
    use super::{Fate, io};

    pub(crate) enum Sigterm {}
    pub(crate) enum Ready {}
    pub(crate) enum Armed {}

    /// There is no such signal here, or nobody has tried.
    pub(crate) fn prepare() -> io::Result<Option<Sigterm>> {
        Ok(None)
    }

    pub(crate) fn pass_on() {}

    impl Sigterm {
        pub(crate) fn into_parts(self) -> (Ready, Armed) {
            match self {}
        }
    }

    impl Ready {
        pub(crate) fn wait(self) -> Option<Fate> {
            match self {}
        }
    }

    impl Armed {
        pub(crate) fn arm(self) -> io::Result<()> {
            match self {}
        }
    }
}
