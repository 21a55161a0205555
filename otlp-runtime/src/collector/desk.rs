//! Where callers leave their orders for the engine. Never touched while recording.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::pipe::Pipe;
use super::pipeline::Pipeline;
use super::ticket::{Operation, Ticket};
use crate::account::Ledger;
use crate::error::OtlpError;

/// What the engine is asked to do.
pub(super) enum Order {
    /// Take a pipeline in.
    Open(Box<Pipeline>),
    /// Drain to here, close the open batch, and say below which number.
    Mark(Arc<Ticket>),
    /// The same; then end the pipeline by the ticket's deadline.
    End(Arc<Ticket>),
}

/// The global pipeline: there is one at a time.
#[derive(Debug, Default)]
enum Global {
    #[default]
    None,
    /// An `init` is at work; until it is done, it has not happened.
    Starting,
    Running(Arc<Pipe>),
    Ending(Arc<Pipe>),
}

#[derive(Default)]
struct State {
    global: Global,
    /// The book of the last global pipeline.
    ledger: Option<Arc<Ledger>>,
    orders: Vec<Order>,
    /// A shutdown whose losses the engine had not told when it returned, and what they were.
    unsaid: Option<(Arc<Ticket>, String)>,
}

/// One engine's desk.
pub(crate) struct Desk {
    state: Mutex<State>,
    wake: Box<dyn Fn() + Send + Sync>,
}

/// The right to open the global pipeline; dropped without that, it is free again.
#[must_use]
pub(crate) struct Reservation<'a>(&'a Desk);

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if matches!(state.global, Global::Starting) {
            state.global = Global::None;
        }
    }
}

impl Desk {
    pub(super) fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self { state: Mutex::default(), wake: Box::new(wake) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves the place of the global pipeline.
    pub(crate) fn reserve(&self) -> Result<Reservation<'_>, OtlpError> {
        let mut state = self.state();
        match state.global {
            Global::None => state.global = Global::Starting,
            _ => return Err(OtlpError::AlreadyInitialized),
        }
        Ok(Reservation(self))
    }

    /// Opens the global pipeline. `make` opens its route: whoever drains a record of it finds the pipeline here at the
    /// latest, because the lock is held until then.
    pub(crate) fn open_global(&self, _reservation: Reservation<'_>, make: impl FnOnce() -> Pipeline) -> Arc<Pipe> {
        let mut state = self.state();
        let pipe = Self::take_in(&mut state, make());
        state.global = Global::Running(Arc::clone(&pipe));
        state.ledger = Some(Arc::clone(&pipe.ledger));
        pipe
    }

    /// Opens a pipeline for those who know its route; `make` opens that.
    #[cfg(feature = "testing")]
    pub(crate) fn open(&self, make: impl FnOnce() -> Pipeline) -> Arc<Pipe> {
        let mut state = self.state();
        Self::take_in(&mut state, make())
    }

    fn take_in(state: &mut State, pipeline: Pipeline) -> Arc<Pipe> {
        let pipe = Arc::clone(pipeline.pipe());
        state.orders.push(Order::Open(Box::new(pipeline)));
        pipe
    }

    /// Asks for a flush of the global pipeline; `None`: there is none.
    pub(crate) fn ask_flush(&self, allowed: Duration) -> Option<Arc<Ticket>> {
        let pipe = match &self.state().global {
            Global::Running(pipe) | Global::Ending(pipe) => Arc::clone(pipe),
            Global::None | Global::Starting => return None,
        };
        let ticket = Ticket::new(Operation::Flush, pipe, allowed);
        self.place(Order::Mark(Arc::clone(&ticket)), &ticket);
        Some(ticket)
    }

    /// Asks for the end of the global pipeline, or of none but `only`; `None`: there is none. `close` closes its route.
    pub(crate) fn ask_shutdown(
        &self,
        only: Option<&Arc<Pipe>>,
        allowed: Duration,
        close: impl FnOnce(),
    ) -> Option<Arc<Ticket>> {
        let pipe = {
            let mut state = self.state();
            let (pipe, runs) = match &state.global {
                Global::Running(pipe) => (Arc::clone(pipe), true),
                Global::Ending(pipe) => (Arc::clone(pipe), false),
                Global::None | Global::Starting => return None,
            };
            if only.is_some_and(|only| !Arc::ptr_eq(only, &pipe)) {
                return None;
            }
            if runs {
                close();
                state.global = Global::Ending(Arc::clone(&pipe));
            }
            pipe
        };
        let ticket = Ticket::new(Operation::Shutdown, pipe, allowed);
        self.place(Order::End(Arc::clone(&ticket)), &ticket);
        Some(ticket)
    }

    /// Asks for the end of a pipeline that is not the global one.
    #[cfg(feature = "testing")]
    pub(crate) fn ask_end(&self, pipe: &Arc<Pipe>, allowed: Duration) -> Arc<Ticket> {
        let ticket = Ticket::new(Operation::Shutdown, Arc::clone(pipe), allowed);
        self.place(Order::End(Arc::clone(&ticket)), &ticket);
        ticket
    }

    fn place(&self, order: Order, ticket: &Arc<Ticket>) {
        ticket.pipe.register(ticket);
        self.state().orders.push(order);
        (self.wake)();
    }

    /// The end of `pipe` is over: another may be opened.
    pub(super) fn finish(&self, pipe: &Arc<Pipe>) {
        let mut state = self.state();
        if matches!(&state.global, Global::Ending(ending) if Arc::ptr_eq(ending, pipe)) {
            state.global = Global::None;
        }
    }

    /// Keeps what `shutdown` has lost for the end of the process.
    pub(super) fn keep_unsaid(&self, shutdown: Arc<Ticket>, loss: String) {
        let earlier = self.state().unsaid.replace((shutdown, loss));
        // Its exporter may go with it.
        drop(earlier);
    }

    pub(super) fn take_unsaid(&self) -> Option<(Arc<Ticket>, String)> {
        self.state().unsaid.take()
    }

    /// The book of the global pipeline, or of the last one.
    pub(crate) fn ledger(&self) -> Option<Arc<Ledger>> {
        self.state().ledger.clone()
    }

    /// What there is to do, in the order in which it was asked for.
    pub(super) fn orders(&self) -> Vec<Order> {
        std::mem::take(&mut self.state().orders)
    }

    /// The pipelines that are to be taken in; other orders stay.
    pub(super) fn opened(&self) -> Vec<Pipeline> {
        let mut state = self.state();
        let mut opened = Vec::new();
        for order in std::mem::take(&mut state.orders) {
            match order {
                Order::Open(pipeline) => opened.push(*pipeline),
                order => state.orders.push(order),
            }
        }
        opened
    }
}
