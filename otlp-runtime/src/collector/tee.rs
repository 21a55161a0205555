//! Two places for the same batches: one that answers for them, and a console beside it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outlet::Outlet;
use crate::account::Ledger;
use crate::error::OtlpError;
use crate::exporter::{Batch, Exporter, Progress, Settings};
use crate::transport::console;

/// The book, and what flush waits for, are the exporter's alone. The console has a thread and a queue of its own, so that
/// nobody waits for it but the end; while it is behind, it keeps batches that have arrived, up to the size of the queue.
pub(super) struct Tee {
    exporter: Exporter,
    console: Exporter,
    /// The console's own book, which is not shown: what it loses is said on stderr.
    ledger: Arc<Ledger>,
}

impl Tee {
    pub(super) fn new(exporter: Exporter, settings: Settings) -> Result<Self, OtlpError> {
        let ledger = Arc::new(Ledger::default());
        let console = Exporter::start(for_console(settings), console::build(), Arc::clone(&ledger))?;
        Ok(Self { exporter, console, ledger })
    }
}

/// A console prints one batch after the other, and knows itself how long it waits for stdout.
pub(super) fn for_console(settings: Settings) -> Settings {
    Settings { concurrency: 1, timeout: Duration::MAX, ..settings }
}

impl Outlet for Tee {
    fn take(&self, batch: Batch) {
        self.ledger.recorded(batch.payload.items);
        self.console.enqueue(batch.clone());
        self.exporter.enqueue(batch);
    }

    fn progress(&self, below: u64) -> Progress {
        Outlet::progress(&self.exporter, below)
    }

    fn subscribe(&self, news: Box<dyn Fn() + Send>) {
        Outlet::subscribe(&self.exporter, news);
    }

    fn end(&self, deadline: Instant) {
        self.exporter.shutdown(deadline);
        self.console.shutdown(deadline);
    }

    fn wait_ended(&self, deadline: Instant) -> bool {
        // Both, also if the first has not.
        let exporter = self.exporter.wait_ended(deadline);
        self.console.wait_ended(deadline) && exporter
    }

    fn write_off(&self) {
        self.exporter.write_off();
        self.console.write_off();
    }

    fn last_error(&self) -> Option<String> {
        self.exporter.last_error()
    }

    fn loss_error(&self, from: u64) -> Option<String> {
        self.exporter.loss_error(from)
    }

    fn say(&self, kind: &'static str, text: String) {
        self.exporter.say(kind, text);
    }
}
