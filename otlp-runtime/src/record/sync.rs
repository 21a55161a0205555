//! Atomics and cells, from `std` or from `loom` under `--cfg loom`, so that the same code is run and model-checked.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{
    AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

#[cfg(loom)]
pub(crate) use loom::hint::spin_loop;
#[cfg(not(loom))]
pub(crate) use std::hint::spin_loop;

/// A cell whose users keep the rules of sharing themselves; loom checks that they do.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Shared<T>(std::cell::UnsafeCell<T>);
#[cfg(loom)]
pub(crate) struct Shared<T>(loom::cell::UnsafeCell<T>);

impl<T> Shared<T> {
    #[cfg(not(loom))]
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[cfg(loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }

    /// # Safety
    /// Nobody writes the value until `f` returns.
    #[inline(always)]
    pub(crate) unsafe fn read<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        #[cfg(not(loom))]
        // SAFETY: by this function's contract.
        return f(unsafe { &*self.0.get() });
        #[cfg(loom)]
        // SAFETY: by this function's contract; loom checks it.
        self.0.with(|value| f(unsafe { &*value }))
    }

    /// # Safety
    /// Nobody else reads or writes the value until `f` returns.
    #[inline(always)]
    pub(crate) unsafe fn write<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(not(loom))]
        // SAFETY: by this function's contract.
        return f(unsafe { &mut *self.0.get() });
        #[cfg(loom)]
        // SAFETY: by this function's contract; loom checks it.
        self.0.with_mut(|value| f(unsafe { &mut *value }))
    }
}

/// One word of a log segment: written by one thread, then read by another after a release and acquire of the tail.
#[cfg(not(loom))]
#[repr(transparent)]
pub(crate) struct Word(std::cell::UnsafeCell<u64>);
#[cfg(loom)]
pub(crate) struct Word(loom::cell::UnsafeCell<u64>);

impl Word {
    #[cfg(loom)]
    pub(crate) fn zero() -> Self {
        Self(loom::cell::UnsafeCell::new(0))
    }
}

/// Writes `source` to `words`.
///
/// # Safety
/// Nobody else reads or writes the words until they are published.
#[inline(always)]
pub(crate) unsafe fn write_in<const N: usize>(words: &[Word; N], source: [u64; N]) {
    #[cfg(not(loom))]
    // SAFETY: unshared by this function's contract; `Word` is a transparent cell of a `u64`.
    unsafe {
        std::ptr::from_ref(words).cast::<[u64; N]>().cast_mut().write(source);
    }
    #[cfg(loom)]
    // SAFETY: by this function's contract.
    unsafe {
        copy_in(words, &source);
    }
}

/// Copies `source` to `words`, as far as both go.
///
/// # Safety
/// Nobody else reads or writes the words until they are published.
#[inline(always)]
pub(crate) unsafe fn copy_in(words: &[Word], source: &[u64]) {
    #[cfg(not(loom))]
    {
        let length = words.len().min(source.len());
        let mut from = source.as_ptr();
        let mut to = words.as_ptr().cast::<u64>().cast_mut();
        // SAFETY: within both; unshared by this function's contract; `Word` is a transparent cell of a `u64`.
        unsafe {
            let (last_pair, end) = (from.add(length & !1), from.add(length));
            // Records are short: this beats the call of `memcpy`. Volatile keeps it from being made one, and reads word by word,
            // as was written a moment ago: a wider load would have to wait until the stores have left the processor's
            // buffer (Intel Optimization Reference Manual, store forwarding).
            while from < last_pair {
                to.write(from.read_volatile());
                to.add(1).write(from.add(1).read_volatile());
                from = from.add(2);
                to = to.add(2);
            }
            if from < end {
                to.write(from.read());
            }
        }
    }
    #[cfg(loom)]
    for (word, value) in words.iter().zip(source) {
        // SAFETY: unshared by this function's contract; loom checks it.
        word.0.with_mut(|word| unsafe { *word = *value });
    }
}

/// Calls `f` with the words as a plain slice.
///
/// # Safety
/// The writer has published these words, and nobody writes them until `f` returns.
pub(crate) unsafe fn with_words<R>(words: &[Word], f: impl FnOnce(&[u64]) -> R) -> R {
    #[cfg(not(loom))]
    {
        // SAFETY: published and unchanging by this function's contract; `Word` is a transparent cell of a `u64`.
        f(unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u64>(), words.len()) })
    }
    #[cfg(loom)]
    {
        // SAFETY: as above; loom checks it word by word.
        let copy: Vec<u64> = words.iter().map(|word| word.0.with(|word| unsafe { *word })).collect();
        f(&copy)
    }
}

/// Orders the writer's "I am writing" before its look at the reader's request. The reader pays for both sides with a
/// process-wide barrier (`membarrier`), so here only the compiler must be held back.
#[inline(always)]
pub(crate) fn light_barrier() {
    #[cfg(not(loom))]
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    #[cfg(loom)]
    fence(Ordering::SeqCst);
}

/// The reader's side of [`light_barrier`]; `false` where the system has no such barrier.
pub(crate) fn heavy_barrier() -> bool {
    #[cfg(loom)]
    {
        fence(Ordering::SeqCst);
        true
    }
    #[cfg(all(not(loom), target_os = "linux"))]
    {
        use std::sync::atomic::AtomicU8;
        const PRIVATE_EXPEDITED: libc::c_int = 1 << 3;
        const REGISTER_PRIVATE_EXPEDITED: libc::c_int = 1 << 4;
        // SAFETY: membarrier(2) takes no pointers.
        let membarrier = |command: libc::c_int| unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } == 0;
        // 0: not asked for yet; 1: refused; 2: granted. To ask twice does no harm, and a forked child waits for nobody.
        static REGISTERED: AtomicU8 = AtomicU8::new(0);
        if REGISTERED.load(Ordering::Relaxed) == 0 {
            REGISTERED.store(if membarrier(REGISTER_PRIVATE_EXPEDITED) { 2 } else { 1 }, Ordering::Relaxed);
        }
        REGISTERED.load(Ordering::Relaxed) == 2 && membarrier(PRIVATE_EXPEDITED)
    }
    #[cfg(all(not(loom), not(target_os = "linux")))]
    false
}
