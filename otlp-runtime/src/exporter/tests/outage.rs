//! Ten minutes without a receiver, at full load, on a paused clock (reliability.md 3.6: promises 1 and 3).

use super::*;

const LIMIT: usize = 256 << 10;
const BODY: usize = 1 << 10;
const OUTAGE: Duration = Duration::from_secs(600);

/// A body, counted for as long as anybody holds it.
struct Held(Vec<u8>, Arc<AtomicUsize>);

impl Held {
    fn body(seq: u64, alive: &Arc<AtomicUsize>) -> Bytes {
        alive.fetch_add(BODY, SeqCst);
        let mut bytes = seq.to_le_bytes().to_vec();
        bytes.resize(BODY, 0);
        Bytes::from_owner(Self(bytes, Arc::clone(alive)))
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.1.fetch_sub(BODY, SeqCst);
    }
}

impl Rig {
    fn enqueue_held(&mut self, alive: &Arc<AtomicUsize>) {
        let payload = Payload { signal: Signal::Traces, body: Held::body(self.next, alive), items: ITEMS, gzip: false };
        self.shared.ledger.recorded(ITEMS);
        self.shared.enqueue(Batch { seq: self.next, payload });
        self.next += 1;
    }
}

#[tokio::test(start_paused = true)]
async fn memory_stays_bounded_and_the_book_adds_up() {
    for down in [Step::Retry(None, false), Step::Retry(Some(5 * SECOND), true), Step::Never] {
        let back = shared::now() + OUTAGE;
        let script = {
            let down = down.clone();
            move |_, _| if shared::now() < back { down.clone() } else { Step::Accept }
        };
        let settings = Settings { queue_bytes: LIMIT, ..Settings::default() };
        let mut rig = Rig::new(settings, Scripted::new(Duration::from_millis(1), script));
        let alive = Arc::new(AtomicUsize::new(0));
        let mut peak = 0;
        // A hundred batches a second: the queue is full after three.
        while shared::now() < back {
            rig.enqueue_held(&alive);
            peak = peak.max(alive.load(SeqCst));
            tokio::time::sleep(Duration::from_millis(10)).await;
            rig.counts();
        }
        assert!((LIMIT / 2..=LIMIT).contains(&peak), "{down:?}: {peak} bytes");
        let made = rig.next;
        // Those that wait are delivered when it is back, and all that come then.
        let counts = rig.settled().await;
        assert_eq!(counts.recorded, made * ITEMS, "{down:?}");
        assert!(counts.exported > 0 && counts.dropped(DropReason::QueueFull) > 0, "{down:?}: {counts:?}");
        for _ in 0..1000 {
            rig.enqueue_held(&alive);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let after = rig.settled().await;
        assert_eq!(after.exported, counts.exported + 1000 * ITEMS, "{down:?}");
        assert_eq!(after.exported, rig.transport.accepted.load(SeqCst), "{down:?}");
        assert_eq!(alive.load(SeqCst), 0, "{down:?}: nothing is kept");
    }
}
