//! What figures say about each other: ratios, and budgets.

use crate::peers::Contender;
use crate::run::{Entry, Outcome};
use crate::statistics::median;
use crate::unit::Unit;
use crate::workload::{Against, Better, Budget, Row};

/// One figure of one library over all runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

/// Whether a budget is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Reached,
    Kept,
    Missed,
}

/// What came of a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// What was measured, in the terms of the budget.
    pub(crate) figure: f64,
    pub(crate) unit: Unit,
    /// Whether it is how many times better `otlp` is.
    pub(crate) more_is_better: bool,
    pub(crate) fate: Fate,
}

impl Entry {
    pub(crate) fn spread(&self, row: &Row) -> Option<Spread> {
        let mut values: Vec<f64> = self.measured.iter().filter_map(|measured| measured.figure(row.key)).collect();
        let median = median(&mut values);
        Some(Spread { least: *values.first()?, median, most: *values.last()? })
    }
}

impl Outcome {
    /// The figure of one library.
    pub(crate) fn median_of(&self, contender: Contender, row: &Row) -> Option<f64> {
        let entry = self.entries.iter().find(|entry| entry.contender == contender)?;
        Some(entry.spread(row)?.median)
    }

    /// Whether spans were dropped that the workload leaves time and room for.
    pub(crate) fn dropped(&self, contender: Contender) -> bool {
        let entry = self.entries.iter().find(|entry| entry.contender == contender);
        let dropped = |entry: &Entry| entry.measured.iter().any(|measured| measured.arrived < measured.made);
        self.workload.kind.keeps_everything() && entry.is_some_and(dropped)
    }

    /// How many times better `otlp` is than another.
    pub(crate) fn advantage(&self, over: Contender, row: &Row) -> Option<f64> {
        let (own, other) = (self.median_of(Contender::Otlp, row)?, self.median_of(over, row)?);
        let ratio = match row.better {
            Better::Less => other / own,
            Better::More => own / other,
            Better::Neither => return None,
        };
        (row.unit.has_ratios() && ratio.is_finite() && ratio > 0.0).then_some(ratio)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = Contender> {
        self.entries.iter().map(|entry| entry.contender).filter(|contender| contender.is_peer())
    }

    /// The peer that comes closest to `otlp`, or is ahead of it, and the advantage over it.
    pub(crate) fn best_peer(&self, row: &Row) -> Option<(Contender, f64)> {
        let advantages = self.peers().filter_map(|peer| Some((peer, self.advantage(peer, row)?)));
        advantages.min_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// What came of a budget. `None`: something that it needs was not measured.
    pub(crate) fn verdict(&self, budget: &Budget, row: &Row) -> Option<Verdict> {
        let (figure, unit, more_is_better) = match budget.against {
            Against::Figure => (self.median_of(Contender::Otlp, row)?, row.unit, false),
            Against::Floor => (1.0 / self.advantage(Contender::Floor, row)?, Unit::Times, false),
            Against::Peer(peer) => (self.advantage(peer, row)?, Unit::Times, true),
            Against::BestPeer => (self.best_peer(row)?.1, Unit::Times, true),
        };
        let within = |limit: f64| if more_is_better { figure >= limit } else { figure <= limit };
        let fate = match (within(budget.reach), within(budget.must)) {
            (true, _) => Fate::Reached,
            (false, true) => Fate::Kept,
            (false, false) => Fate::Missed,
        };
        Some(Verdict { figure, unit, more_is_better, fate })
    }
}
