//! A program's allocator that is instrumented itself: it meets this crate in the middle of its work.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use otlp::testing::capture;
use otlp::{Span, traced};

/// Long enough to leave its slot.
static LONG: &str = include_str!("allocator.rs");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Quiet,
    /// Tells the current span of every allocation from this one on, as many as there are.
    Attribute(u32),
    /// Traces every allocation.
    Traced,
}

thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Quiet) };
}

struct Instrumented;

fn allocated() {
    match MODE.get() {
        Mode::Quiet => {}
        Mode::Attribute(0) => {
            MODE.set(Mode::Quiet);
            Span::current().set_attribute("large", LONG);
            MODE.set(Mode::Attribute(0));
        }
        Mode::Attribute(left) => MODE.set(Mode::Attribute(left - 1)),
        Mode::Traced => allocation(),
    }
}

#[traced]
fn allocation() {}

// SAFETY: the system's allocator.
unsafe impl GlobalAlloc for Instrumented {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated();
        // SAFETY: as it was called.
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        allocated();
        // SAFETY: as it was called.
        unsafe { System.realloc(pointer, layout, size) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as it was called.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Instrumented = Instrumented;

fn in_mode<R>(mode: Mode, f: impl FnOnce() -> R) -> R {
    MODE.set(mode);
    let returned = f();
    MODE.set(Mode::Quiet);
    returned
}

#[traced(fields(text))]
fn fails(text: &str, message: String) -> Result<(), String> {
    Err(message)
}

#[test]
fn an_allocator_may_write_to_the_span_whose_journal_grows() {
    let text = "t".repeat(300);
    for first in 0..12 {
        let message = "m".repeat(3000);
        let (_, captured) = capture(|| in_mode(Mode::Attribute(first), || fails(&text, message).unwrap_err()));
        let span = captured.one("fails");
        assert_eq!((span.string("text"), span.status_message.len()), (Some(&*text), 3000));
        assert!(span.string("large").is_none_or(|large| large == LONG));
    }
}

#[traced]
fn nested(depth: u32) {
    if depth > 1 {
        nested(depth - 1);
    }
}

#[test]
fn an_allocator_may_be_traced() {
    // More open spans than a thread keeps slots for, so that new ones are made.
    let (_, captured) = capture(|| in_mode(Mode::Traced, || nested(200)));
    assert_eq!(captured.named("nested").count(), 200);
}
