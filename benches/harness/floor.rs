//! The floor: what any recorder of spans must do, and nothing else: two readings of the clock, and 128 bytes written to
//! memory that another thread reads soon after.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records in the ring: 1 MiB.
const RECORDS: u64 = 1 << 13;
/// How often the reader looks; as often as the collector does under load.
const LOOK: Duration = Duration::from_millis(5);

type Record = [u64; 16];

struct Ring {
    tail: Line<AtomicU64>,
    read: Line<AtomicU64>,
    stopped: AtomicBool,
    records: Box<[UnsafeCell<Record>]>,
}

/// A cache line, and its neighbour, of its own.
#[repr(align(128))]
struct Line<T>(T);

// SAFETY: records from `read` to `tail` belong to the reader, all others to the writer.
unsafe impl Sync for Ring {}

/// A ring with a reader, for one writer.
pub(crate) struct Floor {
    ring: Arc<Ring>,
    at: Cell<u64>,
    /// Where the writer would meet the reader.
    end: Cell<u64>,
    source: Record,
    reader: Option<JoinHandle<u64>>,
}

impl Floor {
    pub(crate) fn start() -> Self {
        let ring = Arc::new(Ring {
            tail: Line(AtomicU64::new(0)),
            read: Line(AtomicU64::new(0)),
            stopped: AtomicBool::new(false),
            records: (0..RECORDS).map(|_| UnsafeCell::new([1; 16])).collect(),
        });
        let reader = std::thread::spawn({
            let ring = Arc::clone(&ring);
            move || ring.drain()
        });
        Self { ring, at: Cell::new(0), end: Cell::new(RECORDS), source: black_box([7; 16]), reader: Some(reader) }
    }

    /// One record.
    #[inline(never)]
    pub(crate) fn record(&self) {
        let start = clock();
        black_box(());
        let end = clock();
        let at = self.at.get();
        if at == self.end.get() {
            self.wait();
        }
        if let Some(record) = self.ring.records.get((at % RECORDS) as usize) {
            // SAFETY: the record is not below `tail` again before the reader has read it: `wait` made sure.
            unsafe {
                record.get().copy_from_nonoverlapping(&raw const self.source, 1);
                *record.get().cast::<[u64; 2]>() = [start, end];
            }
        }
        self.at.set(at + 1);
        self.ring.tail.0.store(at + 1, Ordering::Release);
    }

    #[cold]
    fn wait(&self) {
        while self.ring.read.0.load(Ordering::Acquire) + RECORDS == self.at.get() {
            std::thread::yield_now();
        }
        self.end.set(self.ring.read.0.load(Ordering::Acquire) + RECORDS);
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.ring.stopped.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = black_box(reader.join());
        }
    }
}

impl Ring {
    fn drain(&self) -> u64 {
        let mut sum = 0_u64;
        while !self.stopped.load(Ordering::Relaxed) {
            let tail = self.tail.0.load(Ordering::Acquire);
            for at in self.read.0.load(Ordering::Relaxed)..tail {
                if let Some(record) = self.records.get((at % RECORDS) as usize) {
                    // SAFETY: it is below the `tail` that was acquired, and not given back yet.
                    sum = unsafe { *record.get() }.iter().fold(sum, |sum, word| sum.wrapping_add(*word));
                }
            }
            self.read.0.store(tail, Ordering::Release);
            std::thread::sleep(LOOK);
        }
        sum
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn clock() -> u64 {
    // SAFETY: the instruction exists on every x86_64 and touches no memory.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn clock() -> u64 {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_nanos() as u64
}
