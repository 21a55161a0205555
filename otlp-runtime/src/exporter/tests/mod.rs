//! The export loop against a scripted transport, on a paused clock.
#![allow(clippy::unwrap_used)]

mod outage;
mod thread;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::task::JoinHandle as Task;

use super::*;
use crate::account::Counts;
use crate::data::Signal;
use crate::transport::{Accepted, Attempt, Hop, SendFuture, Transport, TransportError};

const SECOND: Duration = Duration::from_secs(1);
/// Items of every batch.
const ITEMS: u64 = 10;

/// What the receiver does with one attempt.
#[derive(Clone, Debug)]
enum Step {
    Accept,
    Partial(u64),
    /// Retryable: after, may have arrived.
    Retry(Option<Duration>, bool),
    Refuse,
    Never,
    /// Never gets as far as to send.
    Connect,
    Panic,
}

/// Decides by batch and attempt (from 1), and notes every call.
struct Scripted {
    script: Box<dyn Fn(u64, u32) -> Step + Send + Sync>,
    delay: Duration,
    calls: Mutex<Vec<(u64, Instant)>>,
    /// Items.
    accepted: AtomicU64,
    under_way: AtomicUsize,
    peak: AtomicUsize,
}

impl Scripted {
    fn new(delay: Duration, script: impl Fn(u64, u32) -> Step + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            delay,
            calls: Mutex::default(),
            accepted: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        })
    }

    fn calls(&self) -> Vec<(u64, Instant)> {
        self.calls.lock().unwrap().clone()
    }

    fn calls_of(&self, batch: u64) -> Vec<Instant> {
        self.calls().into_iter().filter(|(b, _)| *b == batch).map(|(_, at)| at).collect()
    }
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Transport for Scripted {
    fn send(&self, payload: Payload, attempt: Attempt) -> SendFuture<'_> {
        Box::pin(async move {
            let batch = u64::from_le_bytes(payload.body[..8].try_into().unwrap());
            let tried = {
                let mut calls = self.calls.lock().unwrap();
                calls.push((batch, shared::now()));
                calls.iter().filter(|(b, _)| *b == batch).count()
            };
            self.peak.fetch_max(self.under_way.fetch_add(1, SeqCst) + 1, SeqCst);
            let _under_way = UnderWay(&self.under_way);
            tokio::time::sleep(self.delay).await;
            match (self.script)(batch, u32::try_from(tried).unwrap()) {
                Step::Accept => {
                    self.accepted.fetch_add(ITEMS, SeqCst);
                    Ok(Accepted::default())
                }
                Step::Partial(rejected) => {
                    self.accepted.fetch_add(ITEMS.saturating_sub(rejected), SeqCst);
                    Ok(Accepted { rejected, message: Some("some are bad".into()) })
                }
                Step::Retry(after, may_have_arrived) => {
                    Err(TransportError::Retryable { cause: "busy".into(), after, may_have_arrived, at: Hop::Receiver })
                }
                Step::Refuse => Err(TransportError::Permanent { cause: "bad".into() }),
                Step::Never => std::future::pending().await,
                Step::Connect => {
                    attempt.unsent();
                    std::future::pending().await
                }
                Step::Panic => panic!("scripted"),
            }
        })
    }

    fn endpoint(&self) -> &str {
        "http://scripted"
    }
}

fn batch(seq: u64) -> Batch {
    let body = Bytes::copy_from_slice(&seq.to_le_bytes());
    Batch { seq, payload: Payload { signal: Signal::Traces, body, gzip: false, items: ITEMS } }
}

/// The export loop as a task of the test's runtime.
struct Rig {
    shared: Arc<Shared>,
    said: mpsc::Receiver<Line>,
    transport: Arc<Scripted>,
    task: Task<()>,
    next: u64,
}

impl Rig {
    fn new(settings: Settings, transport: Arc<Scripted>) -> Self {
        let (say, said) = mpsc::channel();
        let shared = Arc::new(Shared::new(settings, Arc::default(), Box::new(move |line| say.send(line).unwrap())));
        shared.state().health.set_endpoint(transport.endpoint().to_owned());
        let mut dispatcher = Dispatcher::new(Arc::clone(&shared), Some(Arc::clone(&transport) as Arc<dyn Transport>));
        let task = tokio::spawn(async move {
            dispatcher.run().await;
            dispatcher.close(DropReason::Shutdown);
        });
        Self { shared, said, transport, task, next: 0 }
    }

    fn enqueue(&mut self, count: u64) {
        for _ in 0..count {
            self.shared.ledger.recorded(ITEMS);
            self.shared.enqueue(batch(self.next));
            self.next += 1;
        }
    }

    fn counts(&self) -> Counts {
        let counts = self.shared.ledger.counts();
        assert!(counts.balanced(), "{counts:?}");
        counts
    }

    /// Waits until everything has its fate, looking at the identity all the time.
    async fn settled(&self) -> Counts {
        while self.shared.settled.watermark() < self.next {
            self.counts();
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        let counts = self.counts();
        assert_eq!((counts.queued, counts.in_flight), (0, 0), "{counts:?}");
        counts
    }

    async fn shutdown(&mut self, within: Duration) -> Counts {
        self.shared.state().ending = Some(shared::now() + within);
        self.shared.wake.notify_one();
        (&mut self.task).await.unwrap();
        self.settled().await
    }
}

/// A number in `0..n` that looks random and is the same for a batch every time.
fn spread(batch: u64, n: u64) -> u64 {
    (batch.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) % n
}

/// The delivery contract of reliability.md 3.5: 0 is a success, 1 fails one to three times first, 2 is refused.
#[tokio::test(start_paused = true)]
async fn delivery_arithmetic_is_exact() {
    const BATCHES: u64 = 300;
    type Kind = fn(u64) -> u64;
    let scenarios: [(&str, Kind); 4] =
        [("success", |_| 0), ("retryable", |_| 1), ("permanent", |_| 2), ("mix", |b| spread(b, 3))];
    for (name, kind) in scenarios {
        let failures = |b| 1 + spread(b, 7) % 3;
        let script = move |b: u64, attempt: u32| match kind(b) {
            1 if u64::from(attempt) <= failures(b) => Step::Retry(None, false),
            2 => Step::Refuse,
            _ => Step::Accept,
        };
        let retryable: u64 = (0..BATCHES).filter(|&b| kind(b) == 1).map(failures).sum();
        let permanent = (0..BATCHES).filter(|&b| kind(b) == 2).count() as u64;
        let mut rig = Rig::new(Settings::default(), Scripted::new(Duration::from_millis(3), script));
        rig.enqueue(BATCHES);
        let counts = rig.settled().await;
        assert_eq!(counts.exported, ITEMS * (BATCHES - permanent), "{name}");
        assert_eq!(counts.rejected, ITEMS * permanent, "{name}");
        assert_eq!(counts.dropped_total(), 0, "{name}");
        assert_eq!(rig.transport.calls().len() as u64, BATCHES + retryable, "{name}");
        assert_eq!(rig.transport.accepted.load(SeqCst), ITEMS * (BATCHES - permanent), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn otp6_what_a_partial_success_rejects_is_counted_and_never_sent_again() {
    let mut rig = Rig::new(Settings::default(), Scripted::new(SECOND, |b, _| Step::Partial(3 + 100 * b)));
    rig.enqueue(2);
    let counts = rig.settled().await;
    assert_eq!((counts.exported, counts.rejected), (7, 13));
    assert_eq!(rig.transport.calls().len(), 2);
    assert!(rig.shared.state().health.loss_error(0).unwrap().contains("some are bad"));
}

#[tokio::test(start_paused = true)]
async fn otp3_as_many_requests_at_once_as_there_are_permits() {
    let settings = Settings { concurrency: 3, ..Settings::default() };
    let mut rig = Rig::new(settings, Scripted::new(SECOND, |_, _| Step::Accept));
    rig.enqueue(20);
    assert_eq!(rig.settled().await.exported, 20 * ITEMS);
    assert_eq!(rig.transport.peak.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_for_its_retry_holds_no_permit() {
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let script = |b, attempt| if b == 0 && attempt == 1 { Step::Retry(None, false) } else { Step::Accept };
    let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(1), script));
    rig.enqueue(4);
    rig.settled().await;
    let order: Vec<u64> = rig.transport.calls().into_iter().map(|(b, _)| b).collect();
    assert_eq!(order, [0, 1, 2, 3, 0]);
}

#[tokio::test(start_paused = true)]
async fn otp10_a_receivers_delay_silences_the_whole_pipeline() {
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let script = |b, attempt| if b == 0 && attempt == 1 { Step::Retry(Some(20 * SECOND), false) } else { Step::Accept };
    let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(1), script));
    rig.enqueue(3);
    rig.settled().await;
    let calls = rig.transport.calls();
    assert!(calls[1..].iter().all(|(_, at)| *at - calls[0].1 >= 20 * SECOND), "{calls:?}");
}

/// OTP13: both the batch that was told to wait and the one that waits with it.
#[tokio::test(start_paused = true)]
async fn clients_that_were_told_the_same_delay_come_back_one_by_one() {
    let mut delays: [Vec<Duration>; 2] = Default::default();
    for _ in 0..20 {
        let settings = Settings { concurrency: 1, ..Settings::default() };
        let script =
            |b, attempt| if b == 0 && attempt == 1 { Step::Retry(Some(20 * SECOND), false) } else { Step::Accept };
        let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(1), script));
        rig.enqueue(2);
        rig.settled().await;
        let asked = rig.transport.calls_of(0)[0];
        delays[0].push(rig.transport.calls_of(0)[1] - asked);
        delays[1].push(rig.transport.calls_of(1)[0] - asked);
    }
    for delays in &mut delays {
        assert!(delays.iter().all(|delay| (20 * SECOND..25 * SECOND).contains(delay)), "{delays:?}");
        delays.sort();
        delays.dedup();
        assert!(delays.len() > 10, "{delays:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_absurd_delay_ends_the_batch_but_silences_no_longer_than_a_batch_may_live() {
    let script = |b, _| if b == 0 { Step::Retry(Some(Duration::MAX), false) } else { Step::Accept };
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(1), script));
    rig.enqueue(2);
    let start = shared::now();
    let counts = rig.settled().await;
    assert_eq!((counts.dropped(DropReason::RetryExhausted), counts.exported), (ITEMS, ITEMS));
    assert!(shared::now() - start < 302 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn otp9_the_budget_ends_retries_and_the_last_attempt_names_the_reason() {
    for (may_have_arrived, reason) in [(false, DropReason::RetryExhausted), (true, DropReason::UnknownOutcome)] {
        let script = move |_, _| Step::Retry(None, may_have_arrived);
        let mut rig = Rig::new(Settings::default(), Scripted::new(Duration::from_millis(1), script));
        rig.enqueue(1);
        assert_eq!(rig.settled().await.dropped(reason), ITEMS);
        let calls = rig.transport.calls_of(0);
        assert!((10..60).contains(&calls.len()), "{} attempts", calls.len());
        assert!(*calls.last().unwrap() - calls[0] <= 300 * SECOND);
        let delays: Vec<Duration> = calls.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(delays[0] >= SECOND / 2 && delays.iter().all(|d| *d <= 46 * SECOND), "{delays:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_an_answer_times_out_and_is_tried_again() {
    let script = |_, attempt| if attempt == 1 { Step::Never } else { Step::Accept };
    let mut rig =
        Rig::new(Settings { timeout: 3 * SECOND, ..Settings::default() }, Scripted::new(Duration::ZERO, script));
    rig.enqueue(1);
    assert_eq!(rig.settled().await.exported, ITEMS);
    let calls = rig.transport.calls_of(0);
    assert!(calls[1] - calls[0] >= 3 * SECOND);
    assert!(rig.shared.state().health.last_error().unwrap().contains("no answer within 3s"));
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_before_it_is_sent_has_not_arrived() {
    let retry = RetryPolicy { max_elapsed: 8 * SECOND, ..RetryPolicy::default() };
    let mut rig = Rig::new(Settings { retry, ..Settings::default() }, Scripted::new(SECOND, |_, _| Step::Connect));
    rig.enqueue(1);
    assert_eq!(rig.settled().await.dropped(DropReason::RetryExhausted), ITEMS);
    assert!(rig.shared.state().health.last_error().unwrap().contains("no connection within 8s"));
    rig.enqueue(1);
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(rig.shutdown(SECOND).await.dropped(DropReason::Shutdown), ITEMS);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_transport_costs_one_batch() {
    let script = |b, _| if b == 1 { Step::Panic } else { Step::Accept };
    let mut rig = Rig::new(Settings::default(), Scripted::new(Duration::ZERO, script));
    rig.enqueue(3);
    let counts = rig.settled().await;
    assert_eq!((counts.dropped(DropReason::Poison), counts.exported), (ITEMS, 2 * ITEMS));
    assert!(rig.shared.state().health.last_error().unwrap().contains("panicked: scripted"));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_drops_what_comes_new_and_says_so_at_once() {
    let settings = Settings { queue_bytes: 1000, concurrency: 1, ..Settings::default() };
    let mut rig = Rig::new(settings, Scripted::new(SECOND, |_, _| Step::Accept));
    rig.enqueue(5); // each is 8 bytes and the overhead of 256
    let counts = rig.counts();
    assert_eq!((counts.queued, counts.dropped(DropReason::QueueFull)), (3 * ITEMS, 2 * ITEMS));
    rig.settled().await;
    rig.enqueue(1);
    assert_eq!(rig.settled().await.exported, 4 * ITEMS);
    rig.shared.ledger.recorded(1);
    let body = Bytes::from(vec![0; 1000]);
    rig.shared.enqueue(Batch { seq: 6, payload: Payload { signal: Signal::Traces, body, gzip: false, items: 1 } });
    assert_eq!(rig.counts().dropped(DropReason::TooLarge), 1);
}

#[tokio::test(start_paused = true)]
async fn p5_shutdown_interrupts_back_off_and_gives_every_batch_one_more_attempt() {
    for heals in [true, false] {
        let script = move |_, attempt| {
            if attempt > 1 && heals { Step::Accept } else { Step::Retry(Some(60 * SECOND), false) }
        };
        let settings = Settings { concurrency: 4, ..Settings::default() };
        let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(1), script));
        rig.enqueue(4);
        tokio::time::sleep(SECOND).await;
        assert_eq!(rig.counts().queued, 4 * ITEMS);
        let start = shared::now();
        rig.shared.state().ending = Some(start + 5 * SECOND);
        // These have only one attempt, which fails.
        rig.enqueue(16);
        let counts = rig.shutdown(5 * SECOND).await;
        assert!(shared::now() - start < SECOND / 2);
        let exported = if heals { 4 * ITEMS } else { 0 };
        assert_eq!((counts.exported, counts.dropped(DropReason::RetryExhausted)), (exported, 20 * ITEMS - exported));
        let attempts: Vec<usize> = (0..20).map(|b| rig.transport.calls_of(b).len()).collect();
        assert!(attempts[..4].iter().all(|&n| n == 2) && attempts[4..].iter().all(|&n| n == 1), "{attempts:?}");
        let lines: Vec<String> =
            rig.said.try_iter().filter(|line| line.kind == "retry_exhausted").map(|line| line.text).collect();
        let [line] = &lines[..] else { panic!("one line tells the total: {lines:?}") };
        assert!(line.starts_with(&format!("{} records", 20 * ITEMS - exported)), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_began_before_shutdown_is_not_the_last() {
    let script = |_, attempt| if attempt == 1 { Step::Retry(None, false) } else { Step::Accept };
    let mut rig = Rig::new(Settings::default(), Scripted::new(SECOND, script));
    rig.enqueue(1);
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(rig.shutdown(5 * SECOND).await.exported, ITEMS);
    assert_eq!(rig.transport.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_what_is_queued_is_dropped_and_what_is_under_way_is_unknown() {
    let settings = Settings { concurrency: 2, ..Settings::default() };
    let mut rig = Rig::new(settings, Scripted::new(Duration::ZERO, |_, _| Step::Never));
    rig.enqueue(5);
    tokio::time::sleep(SECOND).await;
    let start = shared::now();
    let counts = rig.shutdown(2 * SECOND).await;
    let took = shared::now() - start;
    assert!((2 * SECOND..2 * SECOND + Duration::from_millis(20)).contains(&took), "{took:?}");
    assert_eq!(counts.dropped(DropReason::UnknownOutcome), 2 * ITEMS);
    assert_eq!(counts.dropped(DropReason::Shutdown), 3 * ITEMS);
    rig.enqueue(1);
    assert_eq!(rig.settled().await.dropped(DropReason::Shutdown), 4 * ITEMS);
}

#[tokio::test(start_paused = true)]
async fn an_outage_and_its_losses_are_said_from_beginning_to_end() {
    let script = |b, _| if b < 4 { Step::Retry(None, false) } else { Step::Accept };
    let retry = RetryPolicy { max_elapsed: 5 * SECOND, ..RetryPolicy::default() };
    let mut rig = Rig::new(Settings { retry, ..Settings::default() }, Scripted::new(Duration::ZERO, script));
    rig.enqueue(4);
    rig.settled().await;
    rig.enqueue(1);
    rig.settled().await;
    tokio::time::sleep(SECOND).await;
    let mut said: Vec<String> = rig.said.try_iter().map(|line| line.text).collect();
    said.dedup_by_key(|line| line.split_once("dropped").map(|(_, rest)| rest.to_owned()).unwrap_or(line.clone()));
    let [failing, dropped, recovered, ended] = &said[..] else { panic!("{said:#?}") };
    assert!(failing.starts_with("export to http://scripted fails: busy; retrying"), "{failing}");
    assert!(dropped.contains("dropped (retry_exhausted): check that the endpoint answers"), "{dropped}");
    assert!(recovered.starts_with("export to http://scripted works again after"), "{recovered}");
    assert_eq!(ended, "records for http://scripted get through again; 40 were dropped");
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Accept),
        1 => (0..20_u64).prop_map(Step::Partial),
        3 => (prop::option::of(0..3000_u64), any::<bool>())
            .prop_map(|(after, arrived)| Step::Retry(after.map(Duration::from_millis), arrived)),
        1 => Just(Step::Refuse),
        1 => Just(Step::Never),
        1 => Just(Step::Connect),
        1 => Just(Step::Panic),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    /// Law 2: at every moment, and at the end, every item has exactly one fate.
    #[test]
    fn random_outcomes_and_a_shutdown_at_a_random_moment_leave_a_balanced_book(
        steps in prop::collection::vec(step(), 1..40),
        pauses in prop::collection::vec(0..400_u64, 1..60),
        concurrency in 1..5_usize,
        queue_bytes in 300..8000_usize,
        max_elapsed in 1..20_u64,
        within in 0..4000_u64,
    ) {
        silence_scripted_panics();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let retry = RetryPolicy { max_elapsed: Duration::from_secs(max_elapsed), ..RetryPolicy::default() };
            let settings = Settings { concurrency, queue_bytes, retry, timeout: 2 * SECOND, ..Settings::default() };
            let count = steps.len() as u64;
            let script = move |b: u64, attempt: u32| steps[((b + u64::from(attempt)) % count) as usize].clone();
            let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(5), script));
            for pause in pauses {
                rig.enqueue(1);
                rig.counts();
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            let counts = rig.shutdown(Duration::from_millis(within)).await;
            assert_eq!(counts.recorded, rig.next * ITEMS);
            assert_eq!(counts.exported, rig.transport.accepted.load(SeqCst), "the receiver's own count");
            assert_eq!(rig.shared.settled.watermark(), rig.next);
        });
    }
}

fn silence_scripted_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.payload_as_str() != Some("scripted") {
                hook(info);
            }
        }));
    });
}
