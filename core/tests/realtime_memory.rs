//! How much memory the real-time windows take, counted where it is allocated: the engine's own, which is not, is not theirs.
#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]
#![expect(
    unsafe_code,
    reason = "whoever counts bytes stands in for the allocator"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{
    Int64Array, RecordBatch, RecordBatchIterator, StringArray, TimestampMicrosecondArray,
};
use serde_json::json;
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::events::{ImportOptions, Mapping, Names, Source};
use travelsense::{Analytics, Instant, Options, Principal};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is handed to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

const NOW: i64 = 1_772_366_400_000_000;
const HOUR: i64 = 3_600_000_000;
const ROWS: i64 = 50_000;

/// The most that the windows may take with a million users.
const MOST: usize = 64 << 20;

/// Events of users one after the other, each at another moment of the hour before `until`; one in ten is a payment.
fn rows(users: std::ops::Range<i64>, until: i64) -> RecordBatch {
    let at = |i: i64| until - i * 1_299_709 % HOUR;
    let times: TimestampMicrosecondArray = users.clone().map(|i| Some(at(i))).collect();
    let texts =
        |of: &dyn Fn(i64) -> String| users.clone().map(|i| Some(of(i))).collect::<StringArray>();
    let paid = |i: i64| i % 10 == 0;
    let name = |i: i64| if paid(i) { "payment" } else { "page_view" };
    let amounts: Int64Array = users.clone().map(|i| paid(i).then_some(20)).collect();
    RecordBatch::try_from_iter([
        ("userId", Arc::new(texts(&|i| format!("u{i}"))) as _),
        ("name", Arc::new(texts(&|i| name(i).to_owned())) as _),
        ("ts", Arc::new(times.with_timezone("UTC")) as _),
        ("amount", Arc::new(amounts) as _),
        ("currency", Arc::new(texts(&|_| "EUR".to_owned())) as _),
    ])
    .unwrap()
}

#[test]
fn a_million_users_in_the_hour_take_less_than_64_mib() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how much to measure is said from outside"
    )]
    let said = std::env::var("TRAVELSENSE_USERS").ok();
    // A fifth of them, and `TRAVELSENSE_USERS=1000000` for all; a tenth of the limit does not grow with them.
    let users: i64 = said.map_or(200_000, |n| n.parse().unwrap());
    let most = MOST / 10 + MOST / 10 * 9 * users as usize / 1_000_000;
    let store = Analytics::open_with(Options {
        clock: Arc::new(|| Instant::from_micros(NOW).unwrap()),
        ..Options::default()
    })
    .unwrap();
    let owner = Principal::owner();
    // In the hour and in the one before it, in no order.
    let batches = [NOW, NOW - HOUR].into_iter().flat_map(move |until| {
        let starts = (0..users).step_by(ROWS as usize);
        starts.map(move |first| Ok(rows(first..users.min(first + ROWS), until)))
    });
    let schema = rows(0..0, NOW).schema();
    let source = Source::Batches(Box::new(RecordBatchIterator::new(batches, schema)));
    let report = store.import(
        &owner,
        source,
        &Mapping::default(),
        &mut ImportOptions::default(),
    );
    assert_eq!(report.unwrap().accepted, 2 * users as u64);
    let ask = || {
        let asked = json!({"timeRange": "last_hour", "metrics": ["active_users", "revenue_per_minute", "users:payment"]});
        store.ask(&owner, "realtime", &asked).unwrap()
    };
    // Who asks first is answered by SQL.
    let by_sql = ask();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    assert_eq!(ask(), by_sql);
    let (held, peak) = (HELD.load(Ordering::Relaxed), PEAK.load(Ordering::Relaxed));
    // What comes later waits until somebody asks again.
    for part in 0..40 {
        let events: Vec<_> = (0..2_500_i64)
            .map(|n| json!({"userId": format!("u{}", part * 2_500 + n), "name": "page_view", "ts": Instant::from_micros(NOW - n).unwrap()}))
            .collect();
        let body = serde_json::to_vec(&events).unwrap();
        drop(events);
        let batch = IngestBatch {
            body: &body,
            form: BatchForm::Array,
            mapping: None,
            source: "test",
            key: None,
            names: Names::None,
            most: 10_000,
        };
        store.ingest_batch(&owner, &batch).unwrap();
    }
    let waiting = HELD.load(Ordering::Relaxed);
    PEAK.store(waiting, Ordering::Relaxed);
    let after = ask();
    let later = PEAK.load(Ordering::Relaxed);
    assert_ne!(after, by_sql);
    for (what, bytes) in [
        ("held", held),
        ("at its peak", peak),
        ("with what waits", waiting),
        ("with what came later", later),
    ] {
        let took = bytes.saturating_sub(before);
        eprintln!("{what}: {took} bytes of {most}");
        assert!(took <= most, "{what}: {took} bytes");
        // Where it took nothing, something else was measured.
        assert!(took >= 16 * users as usize, "{what}: {took} bytes");
    }
}
