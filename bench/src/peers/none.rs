//! No library at all, and the least that any of them must do.

use std::error::Error;
use std::hint::black_box;

use super::{CHILDREN, Eight, Peer, SPANS, Setup, Stop, Wait};

#[path = "../../../benches/harness/floor.rs"]
mod floor;

/// The workloads alone.
pub(crate) struct Bare;

#[inline(never)]
fn two(id: u64, name: &str) {
    black_box((id, name));
}

#[inline(never)]
fn none() {
    black_box(());
}

#[inline(never)]
#[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
fn eight(a: u64, b: i64, c: f64, d: bool, e: &str, f: &str, g: &str, h: &str) {
    black_box((a, b, c, d, e, f, g, h));
}

#[inline(never)]
async fn waiting(id: u64, name: &str, wait: Wait) {
    black_box((id, name));
    wait.done().await;
}

impl Peer for Bare {
    fn start(_: &Setup) -> Result<Stop, Box<dyn Error>> {
        Ok(Box::new(|_| String::new()))
    }

    fn two(id: u64, name: &str) {
        two(id, name);
    }

    fn root_none() {
        (0..CHILDREN).for_each(|_| none());
    }

    fn root_two(id: u64, name: &str) {
        (0..CHILDREN).for_each(|i| two(id + i, name));
    }

    fn root_eight(v: Eight) {
        (0..CHILDREN).for_each(|i| eight(v.a + i, v.b, v.c, v.d, v.e, v.f, v.g, v.h));
    }

    async fn root_async(id: u64, name: &str, wait: Wait) {
        for i in 0..CHILDREN {
            waiting(id + i, name, wait).await;
        }
    }
}

thread_local! {
    static FLOOR: floor::Floor = floor::Floor::start();
}

/// A record of the floor for each span; it has no attributes.
pub(crate) struct Floor;

impl Peer for Floor {
    fn start(_: &Setup) -> Result<Stop, Box<dyn Error>> {
        // Its reader belongs where the threads of a library do.
        FLOOR.with(|_| {});
        Ok(Box::new(|_| String::new()))
    }

    fn two(_: u64, _: &str) {
        FLOOR.with(floor::Floor::record);
    }

    fn root_none() {
        FLOOR.with(|floor| (0..SPANS).for_each(|_| floor.record()));
    }

    fn root_two(_: u64, _: &str) {
        Self::root_none();
    }

    fn root_eight(_: Eight) {
        Self::root_none();
    }

    async fn root_async(_: u64, _: &str, wait: Wait) {
        Self::root_none();
        wait.done().await;
    }
}
