//! The machine and the process.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

/// One line on the machine and the compiler.
pub(crate) fn describe() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let model = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let number = field("model\t").map_or_else(String::new, |number| format!(" (model {number})"));
    let kind = if info.contains(" hypervisor ") { "virtual" } else { "bare" };
    let rustc = Command::new("rustc").arg("--version").output().ok().and_then(|out| String::from_utf8(out.stdout).ok());
    format!("{model}{number}, {cores} cores, {kind}; {}", rustc.as_deref().map_or("rustc ?", str::trim))
}

/// Keeps the calling thread, and those that it starts, on one core. Where that is refused, it runs where it may.
pub(crate) fn pin(core: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the set is plain data, and is passed with its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = core;
}

/// A field of `/proc/self/status` that is in kB, in bytes: `VmRSS`, `VmHWM`.
pub(crate) fn status_bytes(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|value| value.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The system's allocator, which counts what is in use.
pub(crate) struct Counting;

static IN_USE: AtomicI64 = AtomicI64::new(0);

/// Bytes that are allocated now.
pub(crate) fn heap_bytes() -> i64 {
    IN_USE.load(Ordering::Relaxed)
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: by this method's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: by this method's contract.
        unsafe { System.dealloc(memory, layout) }
    }
}
