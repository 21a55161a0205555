//! Which process this is, after a fork, and what belongs to one process alone.
//!
//! A forked child has all memory of its parent and one of its threads. A lock that another thread held then is never
//! released there, and nobody does the work that other threads did. So the child uses nothing of what its parent's threads
//! shared: it starts with values of its own.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

/// How many forks lie between the process that first asked for it and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);
static IN_CHILD: OnceLock<fn()> = OnceLock::new();

/// Tells this process from the one that it was forked off.
#[inline]
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// From now on every forked child is of a new generation, and calls `in_child` before `fork` returns there. It must be
/// async-signal-safe. The first call counts.
pub(crate) fn watch(in_child: fn()) {
    // Asked first, so that a forked child never waits for a thread that it does not have.
    static ASKED: AtomicBool = AtomicBool::new(false);
    if ASKED.swap(true, Ordering::Relaxed) {
        return;
    }
    let _ = IN_CHILD.set(in_child);
    #[cfg(unix)]
    // SAFETY: the function lives as long as the program (where a library can be unloaded, the C library forgets it then).
    let _ = unsafe { libc::pthread_atfork(None, None, Some(forked)) };
}

#[cfg(unix)]
unsafe extern "C" fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    if let Some(in_child) = IN_CHILD.get() {
        in_child();
    }
}

/// A static that every process has of its own.
pub(crate) struct PerProcess<T: 'static> {
    first: T,
    forked: AtomicPtr<Node<T>>,
    make: fn(&T) -> T,
}

struct Node<T> {
    generation: u32,
    value: T,
}

impl<T> PerProcess<T> {
    /// `first` is the value of the first process. `make` makes that of a forked child, in which locks of the parent's value
    /// may be held for ever: it may try them, and never wait.
    pub(crate) const fn new(first: T, make: fn(&T) -> T) -> Self {
        Self { first, forked: AtomicPtr::new(null_mut()), make }
    }
}

impl<T: Send + Sync> PerProcess<T> {
    /// This process's value.
    #[inline]
    pub(crate) fn get(&'static self) -> &'static T {
        match generation() {
            0 => &self.first,
            generation => self.of_child(generation),
        }
    }

    #[cold]
    fn of_child(&'static self, generation: u32) -> &'static T {
        let mut found = self.forked.load(Ordering::Acquire);
        loop {
            // SAFETY: what is stored here is never freed.
            let node: Option<&'static Node<T>> = unsafe { found.as_ref() };
            if let Some(node) = node.filter(|node| node.generation == generation) {
                return &node.value;
            }
            let value = (self.make)(node.map_or(&self.first, |node| &node.value));
            let made = Box::into_raw(Box::new(Node { generation, value }));
            match self.forked.compare_exchange(found, made, Ordering::AcqRel, Ordering::Acquire) {
                // The parent's value is left as it is: to drop it could wait for a lock.
                // SAFETY: made above, and never freed from now on.
                Ok(_) => return unsafe { &(*made).value },
                Err(other) => {
                    // SAFETY: made above, and seen by nobody.
                    drop(unsafe { Box::from_raw(made) });
                    found = other;
                }
            }
        }
    }
}

/// A value that is of use in the process that made it alone. A forked child neither sees it nor drops it.
pub(crate) struct OfProcess<T> {
    generation: u32,
    value: ManuallyDrop<T>,
}

impl<T> OfProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { generation: generation(), value: ManuallyDrop::new(value) }
    }

    /// `None`: this process has inherited it.
    pub(crate) fn get(&self) -> Option<&T> {
        (self.generation == generation()).then_some(&*self.value)
    }

    /// `None`: this process has inherited it.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        (self.generation == generation()).then_some(&mut *self.value)
    }
}

impl<T> Drop for OfProcess<T> {
    fn drop(&mut self) {
        if self.generation == generation() {
            // SAFETY: dropped here alone, and once.
            unsafe { ManuallyDrop::drop(&mut self.value) };
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for OfProcess<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
