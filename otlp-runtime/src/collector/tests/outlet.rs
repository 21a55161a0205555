//! An outlet whose batches get their fates from the test.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use crate::account::{DropReason, Ledger};
use crate::collector::outlet::Outlet;
use crate::exporter::{Batch, Progress};

/// What becomes of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collector) enum Fate {
    Accepted,
    Rejected,
    Dropped,
}

/// A batch, and what became of it.
#[derive(Clone, Debug)]
pub(in crate::collector) struct Taken {
    pub(in crate::collector) items: u64,
    pub(in crate::collector) fate: Option<Fate>,
}

impl Taken {
    pub(in crate::collector) fn lost(&self) -> u64 {
        if matches!(self.fate, None | Some(Fate::Accepted)) { 0 } else { self.items }
    }
}

#[derive(Default)]
struct State {
    batches: Vec<Taken>,
    /// The keys of each batch's resource.
    resources: Vec<Vec<String>>,
    said: Vec<String>,
    deadline: Option<Instant>,
}

type News = Box<dyn Fn() + Send>;

#[derive(Clone)]
pub(in crate::collector) struct ByHand {
    ledger: Arc<Ledger>,
    state: Arc<Mutex<State>>,
    news: Arc<Mutex<Vec<News>>>,
}

impl ByHand {
    pub(in crate::collector) fn new(ledger: &Arc<Ledger>) -> Self {
        Self { ledger: Arc::clone(ledger), state: Arc::default(), news: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(in crate::collector) fn batches(&self) -> Vec<Taken> {
        self.state().batches.clone()
    }

    pub(in crate::collector) fn resources(&self) -> Vec<Vec<String>> {
        self.state().resources.clone()
    }

    /// The lines that it was to say.
    pub(in crate::collector) fn said(&self) -> Vec<String> {
        self.state().said.clone()
    }

    pub(in crate::collector) fn is_ending(&self) -> bool {
        self.state().deadline.is_some()
    }

    /// Gives the `nth` of the batches that have none a fate.
    pub(in crate::collector) fn settle(&self, nth: usize, fate: Fate) {
        let mut state = self.state();
        let open: Vec<usize> = (0..state.batches.len()).filter(|&i| state.batches[i].fate.is_none()).collect();
        if open.is_empty() {
            return;
        }
        let batch = &mut state.batches[open[nth % open.len()]];
        batch.fate = Some(fate);
        let items = batch.items;
        match fate {
            Fate::Accepted => {
                self.ledger.dispatched(items);
                self.ledger.answered(items, 0);
            }
            Fate::Rejected => {
                self.ledger.dispatched(items);
                self.ledger.answered(items, items);
            }
            Fate::Dropped => self.ledger.dropped_queued(DropReason::RetryExhausted, items),
        }
        drop(state);
        self.news.lock().unwrap().iter().for_each(|news| news());
    }
}

impl Outlet for ByHand {
    fn take(&self, batch: Batch) {
        let mut state = self.state();
        assert_eq!(batch.seq, state.batches.len() as u64, "batches come in their order");
        assert!(state.deadline.is_none(), "nothing comes after the end");
        let request = ExportTraceServiceRequest::decode(batch.payload.body).unwrap();
        let resource = request.resource_spans.iter().filter_map(|spans| spans.resource.as_ref());
        let keys = resource.flat_map(|resource| &resource.attributes).map(|attribute| attribute.key.clone()).collect();
        state.resources.push(keys);
        let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        assert_eq!(scopes.map(|scope| scope.spans.len() as u64).sum::<u64>(), batch.payload.items);
        state.batches.push(Taken { items: batch.payload.items, fate: None });
    }

    fn progress(&self, below: u64) -> Progress {
        let state = self.state();
        let batches = &state.batches[..state.batches.len().min(usize::try_from(below).unwrap())];
        Progress {
            pending: batches.iter().filter(|b| b.fate.is_none()).map(|b| b.items).sum(),
            lost: batches.iter().map(Taken::lost).sum(),
            settled: batches.iter().all(|b| b.fate.is_some()),
        }
    }

    fn subscribe(&self, news: Box<dyn Fn() + Send>) {
        self.news.lock().unwrap().push(news);
    }

    fn end(&self, deadline: Instant) {
        self.state().deadline = Some(deadline);
    }

    fn wait_ended(&self, _deadline: Instant) -> bool {
        let state = self.state();
        state.deadline.is_some() && state.batches.iter().all(|b| b.fate.is_some())
    }

    fn write_off(&self) {
        while self.state().batches.iter().any(|batch| batch.fate.is_none()) {
            self.settle(0, Fate::Dropped);
        }
    }

    fn last_error(&self) -> Option<String> {
        Some("by hand".to_owned())
    }

    fn loss_error(&self, _from: u64) -> Option<String> {
        Some("by hand".to_owned())
    }

    fn say(&self, _kind: &'static str, text: String) {
        self.state().said.push(text);
    }
}
