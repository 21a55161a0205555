//! Threads of our own, which leave the program's signals to the program.

use std::io;
use std::thread::{Builder, JoinHandle};

/// Starts a thread that no signal is delivered to, except for what it does itself.
///
/// A program may mask a signal after `init` and wait for it (`sigwait`, `signalfd`). A thread of ours that took it would
/// end the program, or run its handler on a small stack.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    #[cfg(unix)]
    let _masked = masked::Masked::new();
    Builder::new().name(name.to_owned()).spawn(work)
}

#[cfg(unix)]
mod masked {
    use std::mem::MaybeUninit;
    use std::ptr::null_mut;

    /// What a thread raises by its own doing, and what measures where it spends its time.
    const OWN: [libc::c_int; 8] = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGSYS,
        libc::SIGABRT,
        libc::SIGPROF,
    ];

    /// The calling thread takes no signal, nor do those that it starts, until this is dropped.
    pub(super) struct Masked {
        before: Option<libc::sigset_t>,
    }

    impl Masked {
        pub(super) fn new() -> Self {
            let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
            // SAFETY: the first call fills `all`, which the others change and read; all places are valid.
            let done = unsafe {
                libc::sigfillset(all.as_mut_ptr());
                OWN.iter().for_each(|&signal| {
                    libc::sigdelset(all.as_mut_ptr(), signal);
                });
                libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) == 0
            };
            // SAFETY: a call that is done has filled it.
            Self { before: done.then(|| unsafe { before.assume_init() }) }
        }
    }

    impl Drop for Masked {
        fn drop(&mut self) {
            if let Some(before) = &self.before {
                // SAFETY: a mask that the system gave for this thread, which the value never leaves.
                unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, null_mut()) };
            }
        }
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used)]
        use super::*;

        fn takes(signal: libc::c_int) -> bool {
            let mut mask = MaybeUninit::uninit();
            // SAFETY: only asks for the mask, which is filled when it is read.
            unsafe {
                assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), mask.as_mut_ptr()), 0);
                libc::sigismember(mask.as_ptr(), signal) == 0
            }
        }

        #[test]
        fn a_thread_of_ours_takes_only_what_it_raises_itself_and_its_parent_is_as_before() {
            let thread = super::super::spawn("otlp-test", || {
                for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGCHLD, libc::SIGALRM] {
                    assert!(!takes(signal), "{signal}");
                }
                assert!(OWN.iter().all(|&signal| takes(signal)));
            });
            thread.unwrap().join().unwrap();
            assert!(takes(libc::SIGTERM) && takes(libc::SIGUSR1));
        }
    }
}
