//! Where closed batches go.

use std::time::Instant;

use crate::exporter::{Batch, Exporter, Progress};

/// Takes a pipeline's closed batches, and answers in its ledger for what becomes of them.
pub(crate) trait Outlet: Send + Sync + 'static {
    /// Takes a batch, whose items the ledger has as queued. Never waits.
    fn take(&self, batch: Batch);

    /// What has become of the batches below `below`.
    fn progress(&self, below: u64) -> Progress;

    /// Has `news` called after each change of what [`progress`](Self::progress) says.
    fn subscribe(&self, news: Box<dyn Fn() + Send>);

    /// Nothing more will come; at `deadline` whatever is left is dropped. Returns at once.
    fn end(&self, deadline: Instant);

    /// Waits until everything is over, at most until `deadline`; says whether it is.
    fn wait_ended(&self, deadline: Instant) -> bool;

    /// Drops what is left, without waiting for anybody: it should have been by now.
    fn write_off(&self);

    /// The last failure of an export; it says so if one has succeeded since.
    fn last_error(&self) -> Option<String>;

    /// The failure that cost items last, if it cost any of the batch `from` or of later ones.
    fn loss_error(&self, from: u64) -> Option<String>;

    /// Has a line said on stderr, not by the calling thread.
    fn say(&self, kind: &'static str, text: String);
}

impl Outlet for Exporter {
    fn take(&self, batch: Batch) {
        self.enqueue(batch);
    }

    fn progress(&self, below: u64) -> Progress {
        self.settled().progress(below)
    }

    fn subscribe(&self, news: Box<dyn Fn() + Send>) {
        self.settled().subscribe(Box::new(move |_| news()));
    }

    fn end(&self, deadline: Instant) {
        self.shutdown(deadline);
    }

    fn wait_ended(&self, deadline: Instant) -> bool {
        Exporter::wait_ended(self, deadline)
    }

    fn write_off(&self) {
        Exporter::write_off(self);
    }

    fn last_error(&self) -> Option<String> {
        Exporter::last_error(self)
    }

    fn loss_error(&self, from: u64) -> Option<String> {
        Exporter::loss_error(self, from)
    }

    fn say(&self, kind: &'static str, text: String) {
        Exporter::say(self, kind, text);
    }
}
