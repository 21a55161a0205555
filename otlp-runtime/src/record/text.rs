//! Text that a user's `Display` or `Debug` writes, gathered before it is recorded; and what becomes of their panics.

use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Longer texts move to the heap.
const INLINE: usize = 256;
/// Longer texts are refused.
const LIMIT: usize = 1 << 20;

/// Runs the user's code; `None`: it panicked.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Option<R> {
    let payload = match catch_unwind(AssertUnwindSafe(f)) {
        Ok(returned) => return Some(returned),
        Err(payload) => payload,
    };
    // Its drop is the user's code too.
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
    None
}

/// A buffer on the stack that continues on the heap.
pub(crate) struct Text {
    inline: [u8; INLINE],
    len: usize,
    more: String,
}

impl Text {
    /// What `value` writes; `None` if it panics, fails, or writes more than 1 MiB.
    pub(crate) fn of(value: &dyn fmt::Display) -> Option<Self> {
        Self::format(|text| write!(text, "{value}"))
    }

    /// The same for `Debug`.
    pub(crate) fn of_debug(value: &dyn fmt::Debug) -> Option<Self> {
        Self::format(|text| write!(text, "{value:?}"))
    }

    fn format(write: impl FnOnce(&mut Self) -> fmt::Result) -> Option<Self> {
        let mut text = Self { inline: [0; INLINE], len: 0, more: String::new() };
        caught(|| write(&mut text))?.ok().map(|()| text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        if self.more.is_empty() { self.inline.get(..self.len).unwrap_or_default() } else { self.more.as_bytes() }
    }

    pub(crate) fn as_str(&self) -> &str {
        // SAFETY: both parts are filled from a `&str` alone, each time whole.
        unsafe { std::str::from_utf8_unchecked(self.as_bytes()) }
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let length = self.as_bytes().len() + s.len();
        if length > LIMIT {
            return Err(fmt::Error);
        }
        if self.more.is_empty() {
            if let Some(free) = self.inline.get_mut(self.len..length) {
                free.copy_from_slice(s.as_bytes());
                self.len = length;
                return Ok(());
            }
            let so_far =
                std::str::from_utf8(self.inline.get(..self.len).unwrap_or_default()).map_err(|_| fmt::Error)?;
            self.more.push_str(so_far);
        }
        self.more.push_str(s);
        Ok(())
    }
}
