//! The thread `otlp-export` itself, on the real clock.

use std::task::Poll;

use super::*;

fn soon() -> Instant {
    Instant::now() + 30 * SECOND
}

fn exporter(transport: Arc<Scripted>) -> (Exporter, Arc<Ledger>) {
    let ledger = Arc::new(Ledger::default());
    let make: TransportFactory = Box::new(move || transport);
    (Exporter::start(Settings::default(), make, Arc::clone(&ledger)).unwrap(), ledger)
}

fn send(exporter: &Exporter, ledger: &Ledger, seqs: std::ops::Range<u64>) {
    for seq in seqs {
        ledger.recorded(ITEMS);
        exporter.enqueue(batch(seq));
    }
}

#[test]
fn the_thread_sends_tells_its_subscribers_and_ends() {
    let transport = Scripted::new(Duration::from_millis(1), |_, _| Step::Accept);
    let (exporter, ledger) = exporter(Arc::clone(&transport));
    let (tell, told) = mpsc::channel();
    exporter.settled().subscribe(Box::new(move |watermark| tell.send(watermark).unwrap()));
    send(&exporter, &ledger, 0..100);
    assert!(exporter.settled().wait_until(100, soon()));
    assert_eq!(ledger.counts().exported, 100 * ITEMS);
    exporter.shutdown(soon());
    assert!(exporter.join(soon()));
    let heard: Vec<u64> = told.iter().collect();
    assert!(heard.is_sorted() && heard.last() == Some(&100), "{heard:?}");
}

#[test]
fn every_thread_of_the_exporter_marks_itself_first() {
    static MARKED: Mutex<Vec<Option<String>>> = Mutex::new(Vec::new());
    let on_thread_start = || MARKED.lock().unwrap().push(std::thread::current().name().map(str::to_owned));
    let transport = Scripted::new(Duration::ZERO, |_, _| Step::Accept);
    let settings = Settings { on_thread_start, ..Settings::default() };
    let make: TransportFactory = Box::new(move || {
        let seen = tokio::runtime::Handle::current().spawn_blocking(|| ());
        drop(seen);
        transport
    });
    let exporter = Exporter::start(settings, make, Arc::default()).unwrap();
    while MARKED.lock().unwrap().len() < 2 {
        std::thread::yield_now();
    }
    exporter.shutdown(soon());
    assert!(exporter.join(soon()));
    let names: Vec<_> = MARKED.lock().unwrap().iter().flatten().cloned().collect();
    assert!(names.contains(&"otlp-export".to_owned()) && names.contains(&"otlp-export-io".to_owned()), "{names:?}");
}

#[test]
fn a_factory_that_panics_costs_the_batches_and_nothing_else() {
    silence_scripted_panics();
    let ledger = Arc::new(Ledger::default());
    let exporter = Exporter::start(Settings::default(), Box::new(|| panic!("scripted")), Arc::clone(&ledger)).unwrap();
    send(&exporter, &ledger, 0..3);
    assert!(exporter.settled().wait_until(3, soon()));
    exporter.shutdown(soon());
    assert!(exporter.join(soon()));
    assert_eq!(ledger.counts().dropped(DropReason::Poison), 3 * ITEMS);
    assert!(ledger.counts().balanced());
}

#[test]
fn dropped_without_shutdown_the_thread_ends_and_the_book_is_closed() {
    let (exporter, ledger) = exporter(Scripted::new(Duration::ZERO, |_, _| Step::Never));
    send(&exporter, &ledger, 0..20);
    let shared = Arc::clone(&exporter.shared);
    drop(exporter);
    assert!(shared.settled.wait_until(20, soon()));
    let counts = ledger.counts();
    assert!(counts.balanced() && counts.dropped_total() == 20 * ITEMS, "{counts:?}");
}

/// Tells that it was called, blocks the thread until its sender is dropped, and then has been answered.
struct Blocks(mpsc::Sender<()>, Mutex<mpsc::Receiver<()>>);
impl Transport for Blocks {
    fn send(&self, _: Payload, _: Attempt) -> SendFuture<'_> {
        Box::pin(std::future::poll_fn(|_| {
            let _ = self.0.send(());
            let _ = self.1.lock().unwrap().recv();
            Poll::Ready(Ok(Accepted::default()))
        }))
    }

    fn endpoint(&self) -> &str {
        "blocks"
    }
}

#[test]
fn join_waits_no_longer_than_it_is_told_even_for_a_transport_that_blocks_its_thread() {
    let (release, released) = mpsc::channel();
    let ledger = Arc::new(Ledger::default());
    let make: TransportFactory = Box::new(move || Arc::new(Blocks(mpsc::channel().0, Mutex::new(released))));
    let exporter = Exporter::start(Settings::default(), make, Arc::clone(&ledger)).unwrap();
    send(&exporter, &ledger, 0..1);
    let shared = Arc::clone(&exporter.shared);
    exporter.shutdown(Instant::now());
    assert!(!exporter.join(Instant::now() + Duration::from_millis(20)) || ledger.counts().in_flight == 0);
    assert!(ledger.counts().balanced());
    drop(release);
    assert!(shared.settled.wait_until(1, soon()));
    assert!(ledger.counts().balanced());
}

#[test]
fn what_is_written_off_by_another_thread_has_its_fate_at_once_and_keeps_it() {
    let (release, released) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let ledger = Arc::new(Ledger::default());
    let make: TransportFactory = Box::new(move || Arc::new(Blocks(tell, Mutex::new(released))));
    let settings = Settings { concurrency: 1, ..Settings::default() };
    let exporter = Exporter::start(settings, make, Arc::clone(&ledger)).unwrap();
    send(&exporter, &ledger, 0..3);
    told.recv().unwrap();
    exporter.write_off();
    let counts = ledger.counts();
    assert!(counts.balanced() && (counts.queued, counts.in_flight) == (0, 0), "{counts:?}");
    assert_eq!(counts.dropped(DropReason::UnknownOutcome), ITEMS);
    assert_eq!(counts.dropped(DropReason::Shutdown), 2 * ITEMS);
    assert!(exporter.settled().wait_until(3, Instant::now()));
    // Neither the answer that comes now nor another batch opens the book again.
    drop(release);
    send(&exporter, &ledger, 3..4);
    assert!(exporter.join(soon()));
    let after = ledger.counts();
    assert_eq!((after.exported, after.dropped_total()), (0, 4 * ITEMS), "{after:?}");
}
