//! What a pipeline loses before anything can be exported, and what is said of it.

use std::time::{Duration, Instant};

use crate::account::DropReason;

/// Dropping has ended when nothing was dropped for this time.
const QUIET: Duration = Duration::from_secs(10);

/// The losses of one pipeline. Beginning and end of dropping are lines; those between have a rate limit.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// For each reason.
    totals: [u64; DropReason::COUNT],
    /// The dropping that has not ended.
    spell: Option<Spell>,
}

#[derive(Debug)]
struct Spell {
    first: Instant,
    last: Instant,
    items: u64,
}

impl Losses {
    /// Spans were dropped; the line about it.
    pub(super) fn add(&mut self, reason: DropReason, items: u64, now: Instant) -> String {
        let total = &mut self.totals[reason as usize];
        *total += items;
        let spell = self.spell.get_or_insert(Spell { first: now, last: now, items: 0 });
        spell.last = now;
        spell.items += items;
        format!("{total} spans dropped ({reason}): {}", reason.remedy())
    }

    /// When dropping has ended, if nothing more is dropped.
    pub(super) fn due(&self) -> Option<Instant> {
        self.spell.as_ref().map(|spell| spell.last + QUIET)
    }

    /// The line that dropping has ended, if it has.
    pub(super) fn ended(&mut self, now: Instant) -> Option<String> {
        let Spell { first, last, items } = self.spell.take_if(|spell| spell.last + QUIET <= now)?;
        let (quiet, seconds) = (QUIET.as_secs(), last.duration_since(first).as_secs_f64());
        Some(format!("no span was dropped before its export for {quiet} s; {items} were, in {seconds:.1} s"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_end_of_dropping_is_told_once_with_all_that_was_dropped() {
        let mut losses = Losses::default();
        let start = Instant::now();
        assert_eq!((losses.due(), losses.ended(start)), (None, None));
        assert!(losses.add(DropReason::BufferFull, 5, start).starts_with("5 spans dropped (buffer_full): "));
        let later = start + Duration::from_secs(4);
        assert!(losses.add(DropReason::BufferFull, 6, later).starts_with("11 spans dropped (buffer_full): "));
        assert!(losses.add(DropReason::LiveSpans, 1, later).starts_with("1 spans dropped (live_spans): "));
        assert_eq!((losses.due(), losses.ended(start + QUIET)), (Some(later + QUIET), None));
        let line = losses.ended(later + QUIET).unwrap();
        assert_eq!(line, "no span was dropped before its export for 10 s; 12 were, in 4.0 s");
        assert_eq!((losses.due(), losses.ended(later + QUIET)), (None, None));
        // The next time, totals go on, and the spell is a new one.
        assert!(losses.add(DropReason::BufferFull, 1, later + 2 * QUIET).starts_with("12 spans"));
        assert!(losses.ended(later + 3 * QUIET).unwrap().contains("; 1 were"));
    }
}
