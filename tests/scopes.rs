//! Scopes, futures, guards, leaks and panics in any order: what is current is what it should be, and nothing is written to a
//! span that is another.
#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context as Task, Poll, Waker};

use otlp::testing::{Captured, capture};
use otlp::{Context, ContextGuard, EnteredSpan, FutureExt as _, Span, SpanId, traced};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// A traced function.
    Call(Vec<Step>),
    /// The same; it panics after these steps, and takes the others while it unwinds.
    Panic(Vec<Step>, Vec<Step>),
    InScope(Vec<Step>),
    /// Within the context of this number, among those that were seen.
    Run(usize, Vec<Step>),
    /// A future that takes these steps in its polls, and the last when it is dropped.
    Begin(bool, Vec<Vec<Step>>),
    /// Polls one of the futures.
    Poll(usize),
    /// Drops one.
    Cancel(usize),
    Enter,
    Attach(usize),
    /// The guard of this number.
    Drop(usize),
    Leak(usize),
    /// Leaves it, and lets another thread end the span, and reuse its slot.
    Exit(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let leaf = prop_oneof![
        2 => (0..4_usize).prop_map(Step::Poll),
        1 => (0..4_usize).prop_map(Step::Cancel),
        2 => Just(Step::Enter),
        2 => (0..4_usize).prop_map(Step::Attach),
        3 => (0..4_usize).prop_map(Step::Drop),
        1 => (0..4_usize).prop_map(Step::Leak),
        2 => (0..4_usize).prop_map(Step::Exit),
    ];
    let step = leaf.prop_recursive(4, 40, 5, |step| {
        let steps = || prop::collection::vec(step.clone(), 0..5);
        prop_oneof![
            steps().prop_map(Step::Call),
            (steps(), steps()).prop_map(|(body, unwinding)| Step::Panic(body, unwinding)),
            steps().prop_map(Step::InScope),
            (0..4_usize, steps()).prop_map(|(n, steps)| Step::Run(n, steps)),
            (any::<bool>(), prop::collection::vec(steps(), 1..4)).prop_map(|(ours, polls)| Step::Begin(ours, polls)),
        ]
    });
    prop::collection::vec(step, 0..12)
}

const NONE: SpanId = SpanId::from_bytes([0; 8]);

enum Guard {
    Entered(EnteredSpan),
    Attached(#[allow(dead_code, reason = "for its drop")] ContextGuard),
}

type Future_ = Pin<Box<dyn Future<Output = ()>>>;

/// A program that takes steps, and what should be current in it.
#[derive(Default)]
struct Program {
    /// What was entered and not left, by number.
    entered: RefCell<Vec<(usize, SpanId)>>,
    numbers: Cell<usize>,
    guards: RefCell<Vec<(usize, Guard)>>,
    contexts: RefCell<Vec<Context>>,
    futures: RefCell<Vec<Future_>>,
    /// The parent that each of the leaves should have.
    leaves: RefCell<Vec<(SpanId, SpanId)>>,
    wrong: RefCell<Vec<String>>,
    ends: Option<mpsc::Sender<Span>>,
}

fn say_who(span: &otlp::SpanRef) {
    span.set_attribute("self", span.span_id().to_string());
}

impl Program {
    fn enter(&self, span: SpanId) -> usize {
        let number = self.numbers.replace(self.numbers.get() + 1);
        self.entered.borrow_mut().push((number, span));
        number
    }

    /// With all that was entered within it.
    fn leave(&self, number: usize) {
        let mut entered = self.entered.borrow_mut();
        if let Some(at) = entered.iter().position(|(other, _)| *other == number) {
            entered.truncate(at);
        }
    }

    fn check(&self, after: &str) {
        let expected = self.entered.borrow().last().map_or(NONE, |(_, span)| *span);
        let current = Span::current();
        if current.span_id() != expected {
            self.wrong.borrow_mut().push(format!("{:?} after {after}, not {expected:?}", current.span_id()));
        }
        say_who(&current);
        let leaf = otlp::span!("leaf");
        self.leaves.borrow_mut().push((leaf.span_id(), expected));
    }

    /// Runs `f`, which enters a scope first of all, and leaves it last.
    fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let number = self.numbers.get();
        let result = f();
        self.leave(number);
        result
    }

    /// In a scope that was just entered.
    fn within(self: &Rc<Self>, steps: &[Step]) {
        self.enter(Span::current().span_id());
        self.take(steps);
    }

    fn take(self: &Rc<Self>, steps: &[Step]) {
        self.check("entry");
        self.contexts.borrow_mut().push(Context::current());
        for step in steps {
            self.step(step);
            self.check(&format!("{step:?}"));
        }
    }

    fn guard(&self, n: usize) -> Option<(usize, Guard)> {
        let mut guards = self.guards.borrow_mut();
        let at = guards.len().checked_sub(1 + n)?;
        Some(guards.remove(at))
    }

    fn future(&self, n: usize) -> Option<Future_> {
        let mut futures = self.futures.borrow_mut();
        (n < futures.len()).then(|| futures.remove(n))
    }

    fn context(&self, n: usize) -> Context {
        let contexts = self.contexts.borrow();
        contexts.iter().rev().nth(n * 3).cloned().unwrap_or_else(Context::current)
    }

    fn step(self: &Rc<Self>, step: &Step) {
        match step {
            Step::Call(steps) => self.scope(|| call(self, steps)),
            Step::Panic(body, unwinding) => {
                let done = self.scope(|| catch_unwind(AssertUnwindSafe(|| panics(self, body, unwinding))));
                assert!(done.unwrap_err().is::<Meant>());
            }
            Step::InScope(steps) => {
                let span = otlp::span!("scope");
                self.scope(|| span.in_scope(|| self.within(steps)));
            }
            Step::Run(n, steps) => self.scope(|| self.context(*n).run(|| self.within(steps))),
            Step::Begin(ours, polls) => {
                let (program, polls) = (Rc::clone(self), polls.clone());
                let future: Future_ = match ours {
                    true => Box::pin(task(program, polls)),
                    false => Box::pin(in_polls(program, polls).in_span(otlp::span!("task"))),
                };
                self.poll(future);
            }
            Step::Poll(n) => drop(self.future(*n).map(|future| self.poll(future))),
            Step::Cancel(n) => self.scope(|| drop(self.future(*n))),
            Step::Enter => {
                let span = otlp::span!("entered").entered();
                let number = self.enter(span.span_id());
                self.guards.borrow_mut().push((number, Guard::Entered(span)));
            }
            Step::Attach(n) => {
                let context = self.context(*n);
                let number = self.enter(context.span().span_id());
                self.guards.borrow_mut().push((number, Guard::Attached(context.attach())));
            }
            Step::Drop(n) => {
                if let Some((number, guard)) = self.guard(*n) {
                    drop(guard);
                    self.leave(number);
                }
            }
            Step::Leak(n) => forget(self.guard(*n)),
            Step::Exit(n) => {
                let Some((number, guard)) = self.guard(*n) else { return };
                self.leave(number);
                if let Guard::Entered(span) = guard {
                    let span = span.exit();
                    say_who(&span);
                    self.ends.as_ref().unwrap().send(span).unwrap();
                }
            }
        }
    }

    fn poll(self: &Rc<Self>, mut future: Future_) {
        let mut task = Task::from_waker(Waker::noop());
        if self.scope(|| future.as_mut().poll(&mut task)).is_pending() {
            self.futures.borrow_mut().push(future);
        }
    }
}

/// What a traced function panics with.
struct Meant;

#[traced]
fn call(program: &Rc<Program>, steps: &[Step]) {
    program.within(steps);
}

/// Takes steps when it is dropped; if that is not in a scope that was entered already, in one of its own.
struct Last<'s> {
    program: &'s Rc<Program>,
    steps: &'s [Step],
    inside: bool,
}

impl Drop for Last<'_> {
    fn drop(&mut self) {
        if self.inside { self.program.take(self.steps) } else { self.program.within(self.steps) }
    }
}

#[traced]
fn panics(program: &Rc<Program>, body: &[Step], unwinding: &[Step]) {
    let _last = Last { program, steps: unwinding, inside: true };
    program.within(body);
    resume_unwind(Box::new(Meant));
}

#[traced]
async fn task(program: Rc<Program>, polls: Vec<Vec<Step>>) {
    in_polls(program, polls).await;
}

async fn in_polls(program: Rc<Program>, polls: Vec<Vec<Step>>) {
    let (last, polls) = polls.split_last().unwrap();
    let span = Span::current().span_id();
    program.enter(span);
    let mut last = Last { program: &program, steps: last, inside: true };
    for steps in polls {
        program.take(steps);
        last.inside = false;
        let mut polled = false;
        poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        program.enter(span);
        last.inside = true;
    }
}

/// Runs the program; another thread ends the spans that it is given, and reuses their slots.
fn run(steps: &[Step]) -> (Rc<Program>, Captured) {
    capture(|| {
        let (send, receive) = mpsc::channel::<Span>();
        let ends = otlp::thread::spawn(move || {
            for span in receive {
                drop(span);
                let others: [Span; 12] = std::array::from_fn(|_| otlp::span!("other"));
                others.iter().for_each(|other| say_who(other));
            }
        });
        let program = Rc::new(Program { ends: Some(send), ..Program::default() });
        program.take(steps);
        while let Some(future) = program.future(0) {
            program.scope(|| drop(future));
            program.check("the last futures");
        }
        while let Some((number, guard)) = program.guard(0) {
            drop(guard);
            program.leave(number);
            program.check("the last guards");
        }
        let mut program = Rc::into_inner(program).unwrap();
        program.ends = None;
        ends.join().unwrap();
        Rc::new(program)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn what_is_current_is_what_was_entered_last(steps in steps()) {
        let (program, captured) = run(&steps);
        let wrong = program.wrong.take();
        prop_assert!(wrong.is_empty(), "{wrong:?}");
        let spans: HashMap<_, _> = captured.spans().iter().map(|span| (span.span_id, span)).collect();
        prop_assert_eq!(spans.len(), captured.spans().len());
        let leaves = program.leaves.take();
        for (leaf, parent) in &leaves {
            prop_assert_eq!(spans[leaf].parent_span_id.unwrap_or(NONE), *parent);
        }
        let leaves: HashSet<_> = leaves.into_iter().map(|(leaf, _)| leaf).collect();
        for span in captured.spans() {
            prop_assert_eq!(leaves.contains(&span.span_id), span.name == "leaf");
            let own = vec![("self".to_owned(), span.span_id.to_string().into())];
            prop_assert!(span.attributes.is_empty() || span.attributes == own, "{:?}", span);
        }
    }
}
