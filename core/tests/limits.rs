//! Questions that take too long, that nobody waits for, and that say how far they are.
#![expect(clippy::unwrap_used, reason = "tests may stop at the first surprise")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{RecordBatch, RecordBatchIterator, StringArray, TimestampMicrosecondArray};
use serde_json::{Value, json};
use travelsense::access::{Permission, grant};
use travelsense::events::{ImportOptions, Mapping, Source};
use travelsense::timeline::{Progress, Timelines, View};
use travelsense::{Analytics, ErrorKind, Funnel, Options, Principal, funnel};

fn question() -> Value {
    json!({"steps": ["a", "b"], "startDate": "2026-01-01", "endDate": "2026-01-31"})
}

fn ask(store: &Analytics, word: &str, question: &Value) -> Result<String, &'static str> {
    let answer = store.ask(&Principal::owner(), word, question);
    answer.map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        error.code()
    })
}

#[test]
fn a_question_ends_with_its_time() {
    let store = Analytics::in_memory().unwrap();
    let table = json!({"cohortPeriod": "daily", "analysisMetric": "retention_rate", "startDate": "2026-01-01", "endDate": "2026-01-31"});
    for (word, question) in [("funnel", question()), ("retention", table)] {
        let late = store.within(Duration::ZERO);
        assert_eq!(ask(&late, word, &question), Err("timed_out"));
        let in_time = store.within(Duration::from_secs(600));
        assert!(ask(&in_time, word, &question).is_ok());
        // The store itself has no limit.
        assert!(ask(&store, word, &question).is_ok());
    }
    let limited = |timeout| {
        Analytics::open_with(Options {
            timeout: Some(timeout),
            ..Options::default()
        })
        .unwrap()
    };
    let hasty = limited(Duration::from_nanos(1));
    assert_eq!(ask(&hasty, "funnel", &question()), Err("timed_out"));
    // Each question has the whole time.
    let patient = limited(Duration::from_secs(600));
    for _ in 0..3 {
        assert!(ask(&patient, "funnel", &question()).is_ok());
    }
}

#[test]
fn what_was_given_up_once_stays_given_up() {
    let store = Analytics::in_memory().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let asked = store
        .until(move || flag.load(Ordering::Relaxed))
        .within(Duration::from_secs(600));
    assert!(ask(&asked, "funnel", &question()).is_ok());
    stop.store(true, Ordering::Relaxed);
    assert_eq!(ask(&asked, "funnel", &question()), Err("cancelled"));
    stop.store(false, Ordering::Relaxed);
    assert_eq!(ask(&asked, "funnel", &question()), Err("cancelled"));
}

#[test]
fn work_that_was_given_up_changes_nothing() {
    let store = Analytics::in_memory().unwrap();
    let who = Principal::owner();
    let events = json!([{"userId": "u", "name": "a", "ts": "2026-01-05"}, {"userId": "v", "name": "a", "ts": "2026-01-06"}]);
    store.ingest(&who, &events).unwrap();
    let mut question = question();
    question["asOf"] = json!("2026-06-01T00:00:00Z");
    let before = ask(&store, "funnel", &question);
    let stopped = store.until(|| true);
    let code = |error: travelsense::Error| error.code();
    assert_eq!(stopped.rebuild(&who).map_err(code), Err("cancelled"));
    assert_eq!(
        stopped.erase(&who, &["u"]).map_err(code).unwrap_err(),
        "cancelled"
    );
    assert_eq!(
        stopped.verify_audit(&who).map_err(code).unwrap_err(),
        "cancelled"
    );
    assert_eq!(ask(&store, "funnel", &question), before);
    store.rebuild(&who).unwrap();
    assert_eq!(ask(&store, "funnel", &question), before);
    assert!(store.verify_audit(&who).unwrap().broken.is_none());
    // What all who ask share is built whoever gives up.
    store.ingest(&who, &events).unwrap();
    assert!(stopped.timelines().is_ok());
    assert_eq!(store.erase(&who, &["u"]).unwrap().events, 2);
}

#[test]
fn a_pass_says_which_share_of_the_partitions_is_done() {
    // Users far enough apart for four partitions.
    let rows = (0..4).map(|n| (n * 32_768, 1_767_300_000_000_000, 0));
    let timelines = Timelines::from_rows(vec!["a".to_owned()], rows).unwrap();
    let heard = Mutex::new(Vec::new());
    let hear = |share: f64| heard.lock().unwrap().push(share);
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let view = View {
        progress: Progress::to(&hear),
        ..View::new(&timelines, now)
    };
    let asked = Funnel::parse(&question(), &[], now).unwrap();
    let scoped = grant(&Principal::owner(), Permission::ReadAnalytics, &asked).unwrap();
    assert_eq!(funnel::answer(&scoped, &view).unwrap().entered, 4);
    let mut heard = heard.into_inner().unwrap();
    heard.sort_by(f64::total_cmp);
    assert_eq!(heard, [0.25, 0.5, 0.75, 1.0]);
}

#[test]
fn a_short_question_says_nothing_of_its_progress() {
    let store = Analytics::in_memory().unwrap();
    let spoke = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&spoke);
    store
        .ingest(
            &Principal::owner(),
            &json!([{"userId": "u", "name": "a", "ts": "2026-01-05"}]),
        )
        .unwrap();
    // Its timelines are there before the clock starts.
    assert!(ask(&store, "funnel", &question()).is_ok());
    let watched = store.watched(move |_| flag.store(true, Ordering::Relaxed));
    assert!(ask(&watched, "funnel", &question()).is_ok());
    assert!(!spoke.load(Ordering::Relaxed));
}

/// The peak of the process's memory since it was last asked, in MiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let kib: String = line.chars().filter(char::is_ascii_digit).collect();
    kib.parse::<u64>().unwrap() >> 10
}

/// What many events cost in memory with a limit and without: five million of 300,000 users within 64 MiB, or as the environment
/// says, `TRAVELSENSE_EVENTS` and `TRAVELSENSE_LIMIT_MIB`:
/// `cargo test --release --test limits -- --ignored --nocapture many_events`.
#[test]
#[ignore = "a measurement"]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "it measures, for people to read")]
#[expect(
    clippy::disallowed_methods,
    reason = "how much to measure is said from outside"
)]
fn many_events_are_answered_within_a_limit() {
    const BATCH: i64 = 50_000;
    let said = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<i64>().unwrap())
    };
    let events = said("TRAVELSENSE_EVENTS").unwrap_or(5_000_000);
    let mebibytes = said("TRAVELSENSE_LIMIT_MIB").unwrap_or(64) as u64;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let open = |memory_limit| {
        Analytics::open_with(Options {
            path: Some(path.clone()),
            memory_limit,
            ..Options::default()
        })
        .unwrap()
    };
    let batch = |first: i64| {
        let rows = || first..first + BATCH;
        let hash = |i: i64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64 >> 20;
        let texts = |of: &dyn Fn(i64) -> String| {
            Arc::new(rows().map(|i| Some(of(i))).collect::<StringArray>())
        };
        let times: TimestampMicrosecondArray = rows()
            .map(|i| Some(1_767_300_000_000_000 + i * 100_000))
            .collect();
        RecordBatch::try_from_iter([
            (
                "userId",
                texts(&|i| format!("user-{}", hash(i) % 300_000)) as _,
            ),
            (
                "name",
                texts(&|i| ["a", "b", "c"][(hash(i + 7) % 3) as usize].to_owned()) as _,
            ),
            (
                "city",
                texts(&|i| format!("city-{}", hash(i + 9) % 500)) as _,
            ),
            ("ts", Arc::new(times.with_timezone("UTC")) as _),
        ])
        .unwrap()
    };
    let store = open(None);
    let first = batch(0);
    let batches = (0..events / BATCH).map(move |n| Ok(batch(n * BATCH)));
    let source = Source::Batches(Box::new(RecordBatchIterator::new(batches, first.schema())));
    let report = store
        .import(
            &Principal::owner(),
            source,
            &Mapping::default(),
            &mut ImportOptions::default(),
        )
        .unwrap();
    assert_eq!(report.accepted, events as u64);
    store.close();
    println!("import: {} MiB", peak());
    let plain = json!({"steps": ["a", "b", "c"], "startDate": "2026-01-01", "endDate": "2026-01-07", "asOf": "2026-03-01T00:00:00Z"});
    let mut grouped = plain.clone();
    grouped["breakdown"] = json!("city");
    let mut answers = Vec::new();
    for limit in [Some(mebibytes << 20), None] {
        let _ = std::fs::remove_file(folder.path().join("w.db.timelines"));
        println!("to now: {} MiB", peak());
        let before = peak();
        let store = open(limit);
        println!("limit {limit:?}: opened {} MiB", peak());
        for question in [&plain, &grouped] {
            answers.push(ask(&store, "funnel", question).unwrap());
            let answered = peak();
            println!("limit {limit:?}: answered {answered} MiB");
            // What the import left behind in this process is not the question's.
            assert!(limit.is_none() || answered <= before + mebibytes + 200);
        }
    }
    assert!(answers[..2] == answers[2..], "answers that differ");
}
