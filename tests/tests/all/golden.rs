//! Whole answers, byte for byte: through the core and HTTP here, through Python and Node in their own tests.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use travelsense::events::{ImportOptions, Mapping, Source};
use travelsense::{Analytics, Instant, Options, Principal};
use travelsense_tests::vector::folder;

use crate::cases::setting;
use crate::http::{self, Door};

/// What every golden answer is asked of.
const EVENTS: &str = "events.ndjson";
const NOW: &str = "2024-06-01T00:00:00Z";

/// The questions, by the name of their file.
fn questions() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "funnel-of-three-steps",
            "funnel",
            json!({ "steps": ["search", ["view_trip", "map"], "complete_booking"], "window": "7d",
                "startDate": "2024-03-01", "endDate": "2024-05-20", "timezone": "Europe/Paris" }),
        ),
        (
            "funnel-of-new-users-between-two-steps",
            "funnel",
            json!({ "steps": ["search", null, "start_booking"], "window": 86_400.5, "segment": "new",
                "startDate": "2024-03-20T12:00:00Z", "endDate": "2024-05-25", "strictIncrease": true, "timeBetween": [2, 3] }),
        ),
        (
            "funnel-of-the-catalogue",
            "funnel",
            json!({ "startDate": "2024-03-01", "endDate": "2024-05-31", "asOf": "2024-05-31T12:00:00.123456Z" }),
        ),
        (
            "cohorts-by-week",
            "retention",
            json!({ "cohortPeriod": "weekly", "analysisMetric": "retention_rate", "startDate": "2024-03-01", "endDate": "2024-05-31",
                "timezone": "America/New_York", "weekStart": "sunday", "start": "search" }),
        ),
        (
            "cohorts-by-month-recurring",
            "retention",
            json!({ "cohortPeriod": "monthly", "analysisMetric": "retention_rate", "startDate": "2024-03-01", "endDate": "2024-05-31",
                "mode": "recurring", "return": ["complete_booking", "payment"], "periods": 2 }),
        ),
        (
            "cohorts-by-day",
            "retention",
            json!({ "cohortPeriod": "daily", "analysisMetric": "retention_rate", "startDate": "2024-03-28", "endDate": "2024-04-03",
                "timezone": "Asia/Kathmandu", "segment": "returning", "periods": 10 }),
        ),
        (
            "realtime-of-the-last-hour",
            "realtime",
            json!({ "timeRange": "last_hour", "asOf": "2024-05-20T12:00:00Z" }),
        ),
    ]
}

fn path(name: &str) -> PathBuf {
    folder().join("golden").join(name)
}

/// The same file through the Rust core and through HTTP, against the golden text.
///
/// `TRAVELSENSE_GOLDEN=write` writes the files anew, for a change of numbers that is meant; look at the difference.
#[test]
fn the_core_and_http_give_the_golden_bytes() {
    let place = tempfile::tempdir().expect("a folder");
    let now: Instant = NOW.parse().expect("an instant");
    let open = || {
        let options = Options {
            path: Some(place.path().join("golden.db")),
            clock: Arc::new(move || now),
            ..Options::default()
        };
        Analytics::open_with(options).expect("a file")
    };
    let store = open();
    let mut options = ImportOptions {
        strict: true,
        ..ImportOptions::default()
    };
    store
        .import(
            &Principal::owner(),
            Source::Path(path(EVENTS)),
            &Mapping::default(),
            &mut options,
        )
        .expect("events that are valid");
    store.close();

    let store = Arc::new(open());
    let door = Door::new(Arc::clone(&store));
    let mut wrong = Vec::new();
    for (name, word, question) in questions() {
        let text = core(&store, word, &question);
        let (status, body) = door.get(word, &http::query(&question));
        assert_eq!(status, 200, "{name}: {body}");
        assert_eq!(http::answer(word, &body), text, "{name} through HTTP");

        let golden = json!({ "word": word, "now": NOW, "events": EVENTS, "question": question, "answer": text });
        let file = path(&format!("{name}.json"));
        if setting("TRAVELSENSE_GOLDEN").is_some_and(|v| v == "write") {
            let pretty = serde_json::to_string_pretty(&golden).expect("JSON");
            fs::write(&file, pretty + "\n").expect("a file that can be written");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        if serde_json::from_str::<Value>(&kept).ok().as_ref() != Some(&golden) {
            wrong.push(format!("{}:\n{text}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "these answers are not the golden ones (TRAVELSENSE_GOLDEN=write writes them):\n{}",
        wrong.join("\n")
    );
}

/// The core's answer as text.
fn core(store: &Analytics, word: &str, question: &Value) -> String {
    let who = Principal::owner();
    let text = match word {
        "funnel" => serde_json::to_string(&store.funnel_json(&who, question).expect("an answer")),
        "retention" => {
            serde_json::to_string(&store.retention_json(&who, question).expect("an answer"))
        }
        "realtime" => {
            serde_json::to_string(&store.realtime_json(&who, question).expect("an answer"))
        }
        other => panic!("`{other}` is no word"),
    };
    text.expect("JSON")
}
