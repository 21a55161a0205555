//! Raw clock readings as wall-clock time: one function for the whole process, which never runs backward.
//!
//! The collector compares both clocks in every pass. The function is a chain of straight pieces: a new piece starts where
//! the last one has arrived, and its slope is chosen so that the wall clock is met a second later. So nothing that was
//! converted once changes, the wall clock's small corrections are followed smoothly, and there is no calibration to wait
//! for.
//!
//! If the wall clock jumps forward, so does the function. If it steps backward, the function runs at half speed until the
//! wall clock has caught up.

use std::time::{SystemTime, UNIX_EPOCH};

use super::clock;

/// The wall clock is met after this time, in nanoseconds.
const HORIZON: f64 = 1e9;
/// If the wall clock is so far ahead, the function jumps.
const STEP: i64 = 10_000_000;
/// Pieces that are kept; older ones are thinned out.
const PIECES: usize = 512;
/// The rate is measured over at most this time, in nanoseconds.
const BASELINE: i64 = 60_000_000_000;
/// How often the clocks are compared to get one comparison.
const ATTEMPTS: usize = 5;

/// From `tick` on, time is `unix` and passes at `slope` nanoseconds a tick.
#[derive(Clone, Copy, Debug)]
struct Piece {
    tick: u64,
    unix: i64,
    slope: f64,
}

impl Piece {
    fn at(&self, tick: u64) -> i64 {
        let ticks = tick.wrapping_sub(self.tick).cast_signed();
        self.unix.saturating_add((ticks as f64 * self.slope) as i64)
    }
}

/// The function from raw readings to Unix time.
#[derive(Debug)]
pub(crate) struct Timeline {
    pieces: Vec<Piece>,
    /// The comparison from which on the rate is measured, and the rate.
    base: (u64, i64),
    rate: f64,
}

impl Timeline {
    /// Chooses the clock and takes two comparisons.
    pub(crate) fn start() -> Self {
        clock::start();
        let (tick, unix) = compare();
        // A first estimate from a few microseconds; it is refined from the next comparison on.
        let (mut later, mut unix_later) = compare();
        while unix_later.saturating_sub(unix) < 20_000 && later.wrapping_sub(tick) < 1 << 24 {
            (later, unix_later) = compare();
        }
        let ticks = later.wrapping_sub(tick).max(1);
        let rate = (unix_later - unix).max(1) as f64 / ticks as f64;
        Self::new(tick, unix, rate)
    }

    fn new(tick: u64, unix: i64, rate: f64) -> Self {
        let rate = if rate.is_finite() { rate.clamp(0.01, 100.0) } else { 1.0 };
        Self { pieces: vec![Piece { tick, unix, slope: rate }], base: (tick, unix), rate }
    }

    /// Compares the clocks now.
    pub(crate) fn anchor(&mut self) {
        let (tick, unix) = compare();
        self.observe(tick, unix);
    }

    /// Unix time of a raw reading, in nanoseconds.
    #[inline]
    pub(crate) fn unix_nanos(&self, tick: u64) -> u64 {
        // What a pass reads was mostly recorded since the last comparison but one.
        let piece = match self.pieces.as_slice() {
            [.., last] if last.tick <= tick => Some(last),
            [.., before, _] if before.tick <= tick => Some(before),
            pieces => piece_of(pieces, tick),
        };
        piece.map_or(0, |piece| piece.at(tick)).max(0).cast_unsigned()
    }

    /// Takes in that the wall clock showed `unix` at `tick`.
    fn observe(&mut self, tick: u64, unix: i64) {
        let Some(last) = self.pieces.last().copied().filter(|last| tick > last.tick) else { return };
        let mut here = last.at(tick);
        let ahead = unix.saturating_sub(here);
        if ahead > STEP {
            here = unix;
        }
        let elapsed = unix.saturating_sub(self.base.1);
        let ticks = tick.wrapping_sub(self.base.0) as f64;
        let measured = elapsed as f64 / ticks;
        if ahead.abs() > STEP || elapsed <= 0 || !(0.5..2.0).contains(&(measured / self.rate)) && elapsed > 10_000_000 {
            // The wall clock was set: the rate is measured anew from here.
            self.base = (tick, unix);
        } else {
            self.rate = measured;
            if elapsed > BASELINE {
                // Half of the way, so that the next measurement starts with a long baseline too.
                let half = (last.tick, last.unix);
                self.base = if last.unix > self.base.1 { half } else { (tick, unix) };
            }
        }
        let error = unix.saturating_sub(here) as f64;
        let correction = (1.0 + error / HORIZON).clamp(0.5, 2.0);
        self.pieces.push(Piece { tick, unix: here, slope: self.rate * correction });
        if self.pieces.len() > PIECES {
            self.thin();
        }
    }

    /// Leaves out every other one of the older half; what remains is joined by straight lines.
    fn thin(&mut self) {
        let half = self.pieces.len() / 2;
        let mut kept: Vec<Piece> = Vec::with_capacity(PIECES + 1);
        for (i, piece) in self.pieces.iter().enumerate() {
            if i >= half || i % 2 == 0 {
                if let Some(before) = kept.last_mut().filter(|_| i <= half) {
                    let ticks = piece.tick.wrapping_sub(before.tick) as f64;
                    before.slope = (piece.unix - before.unix) as f64 / ticks;
                }
                kept.push(*piece);
            }
        }
        self.pieces = kept;
    }
}

/// The piece that `tick` lies in; the first, if it lies before all of them.
#[inline(never)]
fn piece_of(pieces: &[Piece], tick: u64) -> Option<&Piece> {
    let after = pieces.partition_point(|piece| piece.tick <= tick);
    pieces.get(after.saturating_sub(1))
}

/// Reads both clocks at once: the closest of a few attempts.
fn compare() -> (u64, i64) {
    let mut best = (u64::MAX, 0, 0);
    for _ in 0..ATTEMPTS {
        let before = clock::now();
        let wall = SystemTime::now();
        let after = clock::now();
        let width = after.wrapping_sub(before);
        if width < best.0 {
            let unix =
                wall.duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX));
            best = (width, before.wrapping_add(width / 2), unix);
        }
    }
    (best.1, best.2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_800_000_000_000_000_000;

    /// A counter of 2.5 GHz, watched every `gap` ms, beside a wall clock that is off by `offset` ns.
    fn watch(timeline: &mut Timeline, tick: &mut u64, gap_ms: u64, offset: i64) -> (u64, i64) {
        *tick += gap_ms * 2_500_000;
        let unix = NOW + (*tick as f64 / 2.5) as i64 + offset;
        timeline.observe(*tick, unix);
        (*tick, unix)
    }

    #[test]
    fn follows_the_wall_clock_closely_from_a_rough_first_estimate() {
        let mut timeline = Timeline::new(0, NOW, 0.404);
        let mut tick = 0;
        for _ in 0..400 {
            watch(&mut timeline, &mut tick, 10, 0);
        }
        let (tick, unix) = watch(&mut timeline, &mut tick, 10, 0);
        let error = timeline.unix_nanos(tick) as i64 - unix;
        assert!(error.abs() < 1_000_000, "{error} ns after 4 s");
        let mut tick = tick;
        for _ in 0..1000 {
            watch(&mut timeline, &mut tick, 10, 0);
        }
        let (tick, unix) = watch(&mut timeline, &mut tick, 10, 0);
        let error = timeline.unix_nanos(tick) as i64 - unix;
        assert!(error.abs() < 1_000, "{error} ns after 14 s");
    }

    #[test]
    fn steps_forward_with_the_wall_clock_and_slews_backward() {
        let mut timeline = Timeline::new(0, NOW, 0.4);
        let mut tick = 0;
        for _ in 0..100 {
            watch(&mut timeline, &mut tick, 10, 0);
        }
        let hour = 3_600_000_000_000;
        let (at, unix) = watch(&mut timeline, &mut tick, 10, hour);
        assert_eq!(timeline.unix_nanos(at) as i64, unix);
        assert!((timeline.unix_nanos(at - 1) as i64) < unix - hour + 1_000_000, "what was before stays");
        // Half a second back: reached at half speed after a second, never backward.
        let mut last = 0;
        for _ in 0..400 {
            let (at, unix) = watch(&mut timeline, &mut tick, 10, hour - 500_000_000);
            let now = timeline.unix_nanos(at);
            assert!(now > last);
            last = now;
            let _ = unix;
        }
        let (at, unix) = watch(&mut timeline, &mut tick, 10, hour - 500_000_000);
        let error = timeline.unix_nanos(at) as i64 - unix;
        assert!(error.abs() < 50_000_000, "{error}");
    }

    /// An hour forth and back while spans run, again and again: no span ends before it starts, no time lies outside of what
    /// the wall clock has shown (but for half of what has passed since it was set back), and in the end the two agree.
    #[test]
    fn an_hour_forth_and_back_leaves_every_span_in_order_and_every_time_in_reason() {
        const HOUR: i64 = 3_600_000_000_000;
        let mut timeline = Timeline::new(0, NOW, 0.4);
        let (mut tick, mut lowest, mut highest) = (0, i64::MAX, 0);
        let mut readings = vec![0_u64];
        let mut go = |timeline: &mut Timeline, times: u32, gap_ms: u64, offset: i64| {
            for _ in 0..times {
                // One in the middle of each piece, which spans start and end at.
                readings.push(tick + gap_ms * 1_000_000);
                let (_, unix) = watch(timeline, &mut tick, gap_ms, offset);
                (lowest, highest) = (lowest.min(unix), highest.max(unix));
                let shown: Vec<u64> = readings.iter().map(|&reading| timeline.unix_nanos(reading)).collect();
                for (start, end) in shown.iter().zip(&shown[1..]) {
                    assert!(start <= end, "{start} {end}");
                }
                let last = *shown.last().expect("not empty") as i64;
                let slewed = tick as i64 / 5 + 50_000_000;
                assert!((lowest - 50_000_000..highest + slewed).contains(&last), "{last}: {lowest} to {highest}");
                readings.drain(..readings.len().saturating_sub(64));
            }
            timeline.unix_nanos(tick) as i64 - (NOW + (tick as f64 / 2.5) as i64 + offset)
        };
        go(&mut timeline, 100, 10, 0);
        for _ in 0..3 {
            assert!(go(&mut timeline, 100, 10, HOUR).abs() < 1_000_000, "a step forward is followed at once");
            let ahead = go(&mut timeline, 100, 10, 0);
            assert!((HOUR - 1_000_000_000..HOUR).contains(&ahead), "a step back is not: {ahead}");
        }
        // At half speed, an hour is made good in two.
        assert!(go(&mut timeline, 7300, 1000, 0).abs() < 1_000_000);
        assert!(go(&mut timeline, 10, 10, -HOUR) > HOUR / 2);
    }

    #[test]
    fn a_span_of_this_process_has_the_time_of_the_wall_clock() {
        let mut timeline = Timeline::start();
        let wall = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as i64;
        timeline.anchor();
        let (before, tick, after) = (wall(), clock::now(), wall());
        let unix = timeline.unix_nanos(tick) as i64;
        let off = if unix < before { before - unix } else { (unix - after).max(0) };
        assert!(off < 50_000_000, "{off} ns");
    }

    proptest! {
        #[test]
        fn never_runs_backward_and_stays_bounded(
            steps in prop::collection::vec((1u64..2_000, -5_000_000_000i64..5_000_000_000), 1..1500),
            rate in 0.05f64..5.0,
        ) {
            let mut timeline = Timeline::new(0, NOW, rate);
            let (mut tick, mut unix) = (0u64, NOW);
            let mut last = 0;
            for (gap, jump) in steps {
                // Readings between two comparisons, then the next comparison.
                for part in 1..4 {
                    let now = timeline.unix_nanos(tick + gap * 1_000_000 / 4 * part);
                    prop_assert!(now >= last, "{now} after {last}");
                    last = now;
                }
                tick += gap * 1_000_000;
                unix += (gap as f64 * 1e6 * rate) as i64 + if gap % 7 == 0 { jump } else { 0 };
                timeline.observe(tick, unix);
                prop_assert!(timeline.pieces.len() <= PIECES + 1);
            }
            let pieces: Vec<_> = timeline.pieces.iter().collect();
            for pair in pieces.windows(2) {
                prop_assert!(pair[0].at(pair[1].tick) <= pair[1].unix + 2, "{pair:?}");
            }
        }
    }
}
