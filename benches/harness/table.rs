//! Rows on the terminal: a figure, and how it stands to its budget.

use super::{Sample, system};

/// What a figure must not exceed, and what it should reach.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) must: f64,
    pub(crate) reach: f64,
}

impl Budget {
    pub(crate) const fn new(must: f64, reach: f64) -> Self {
        Self { must, reach }
    }

    fn verdict(self, figure: f64) -> &'static str {
        if figure <= self.reach {
            "reached"
        } else if figure <= self.must {
            "kept"
        } else {
            "MISSED"
        }
    }
}

/// Says what is measured, and where.
pub(crate) fn title(text: &str) {
    println!("\n{text}\n{}\n", system::describe());
}

/// One figure in `unit`.
pub(crate) fn row(name: &str, figure: f64, unit: &str, budget: Option<Budget>) {
    let budget = budget.map_or_else(String::new, |budget| {
        format!("   {:<8} must {}{unit}, reach {}{unit}", budget.verdict(figure), budget.must, budget.reach)
    });
    let line = format!("{name:<58}{figure:>9.2}{unit:<4}{budget}");
    println!("{}", line.trim_end());
}

/// A time, and its ratio to the floor.
pub(crate) fn against(floor: Sample, sample: Sample, budget: Option<Budget>) {
    let ratio = sample.best / floor.best;
    let budget = budget.map_or_else(String::new, |budget| {
        format!("   {:<8} must {} x, reach {} x", budget.verdict(ratio), budget.must, budget.reach)
    });
    let Sample { name, best, median } = sample;
    let line = format!("{name:<46}{best:>8.1} ns  (median {median:>6.1}){ratio:>7.2} x{budget}");
    println!("{}", line.trim_end());
}

/// A remark below the rows.
pub(crate) fn note(text: &str) {
    println!("{text}");
}
