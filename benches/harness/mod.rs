//! What the benches share. Times on a shared machine drift; ratios of things that were measured in turns, in one run, do
//! not: so every case runs in short bursts, one after the other, over and over, and its best bursts count.
#![allow(dead_code, reason = "each bench uses its part")]
#![allow(clippy::print_stdout)]

pub(crate) mod floor;
pub(crate) mod system;
pub(crate) mod table;
pub(crate) mod workload;

use std::time::{Duration, Instant};

/// Something to measure: calls of `run`, each worth `units` of whatever is counted.
pub(crate) struct Case<'c> {
    pub(crate) name: &'static str,
    pub(crate) units: u64,
    pub(crate) run: Box<dyn FnMut(u64) + 'c>,
}

impl<'c> Case<'c> {
    pub(crate) fn new(name: &'static str, units: u64, run: impl FnMut(u64) + 'c) -> Self {
        Self { name, units, run: Box::new(run) }
    }
}

/// How to measure.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// How often each case gets its turn.
    pub(crate) rounds: usize,
    /// Calls in one burst.
    pub(crate) calls: u64,
    /// After each burst.
    pub(crate) pause: Duration,
}

/// Nanoseconds for one unit.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    /// What one burst in ten stays below.
    pub(crate) best: f64,
    pub(crate) median: f64,
}

/// Measures all cases in turns.
pub(crate) fn measure(plan: Plan, cases: &mut [Case<'_>]) -> Vec<Sample> {
    let mut times = vec![Vec::with_capacity(plan.rounds); cases.len()];
    let warm_up = plan.rounds / 10 + 1;
    for round in 0..plan.rounds + warm_up {
        for (case, times) in cases.iter_mut().zip(&mut times) {
            let start = Instant::now();
            (0..plan.calls).for_each(&mut case.run);
            let time = start.elapsed().as_nanos() as f64 / (plan.calls * case.units) as f64;
            if round >= warm_up {
                times.push(time);
            }
            std::thread::sleep(plan.pause);
        }
    }
    let sample = |(case, times): (&Case<'_>, &mut Vec<f64>)| Sample {
        name: case.name,
        best: quantile(times, 0.1),
        median: quantile(times, 0.5),
    };
    cases.iter().zip(&mut times).map(sample).collect()
}

/// The value that the share `part` of all values stays below.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values.get((last * part).round() as usize).copied().unwrap_or(f64::NAN)
}
