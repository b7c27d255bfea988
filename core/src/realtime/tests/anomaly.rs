//! Whether a figure is as it usually is: learned from weeks before, told with the figure, and by a clock that moves.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::events::Catalogue;

const QUARTER: i64 = 15 * 60 * 1_000_000;

/// Of so many quarters of an hour before noon something is stored.
const QUARTERS: i64 = 19 * 96;

/// A store with 22 to 28 page views and a search each quarter of an hour until noon, and its clock.
fn store() -> (Analytics, Arc<AtomicI64>) {
    let clock = Arc::new(AtomicI64::new(noon().micros()));
    let now = Arc::clone(&clock);
    let options = Options {
        clock: Arc::new(move || Instant::saturating_from_micros(now.load(Ordering::Relaxed))),
        threads: Some(2),
        ..Options::default()
    };
    let store = Analytics::open_with(options).unwrap();
    let mut lines = String::new();
    for quarter in 0..QUARTERS {
        let from = noon().micros() - (QUARTERS - quarter) * QUARTER;
        for n in 0..23 + quarter * 5 % 7 {
            let at = Instant::saturating_from_micros(from + n * 30_000_000);
            let name = if n == 0 { "search" } else { "page_view" };
            let event = json!({"userId": format!("u{n}"), "name": name, "ts": at.to_string()});
            lines += &format!("{event}\n");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.ndjson");
    std::fs::write(&path, lines).unwrap();
    let mut options = ImportOptions {
        strict: true,
        ..ImportOptions::default()
    };
    let who = Principal::owner();
    let source = Source::Path(path);
    store
        .import(&who, source, &Mapping::default(), &mut options)
        .unwrap();
    (store, clock)
}

fn views(store: &Analytics, question: &Value) -> Value {
    figures(store, question)["page_views"]["metadata"]["anomaly"].clone()
}

#[test]
fn a_figure_is_told_to_be_normal_and_unusual_since_the_incident_began() {
    let (store, clock) = store();
    let hour = json!({"timeRange": "last_hour", "metrics": ["page_views", "events:search"]});
    assert_eq!(views(&store, &hour), Value::Null, "nobody keeps it up");
    store.judge_realtime().unwrap();
    let normal = views(&store, &hour);
    assert_eq!(
        (&normal["status"], &normal["step"], &normal["at"]),
        (
            &json!("normal"),
            &json!(900),
            // The last quarter may still get late events.
            &json!("2026-03-01T11:30:00.000Z")
        )
    );
    let expected = normal["expected"].as_f64().unwrap();
    assert!((22.0..=28.0).contains(&expected), "{normal}");
    let interval = &normal["interval"];
    assert!(interval["low"].as_f64().unwrap() < expected);
    assert!(interval["high"].as_f64().unwrap() > expected);
    assert_eq!(normal.get("since"), None);
    let all = figures(&store, &hour);
    assert_eq!(all["events:search"]["metadata"].get("anomaly"), None);

    // Nothing comes for an hour and a half, and it is looked at on the way.
    for minutes in [30, 60, 91] {
        let now = noon().micros() + minutes * 60_000_000;
        clock.store(now, Ordering::Relaxed);
        store.judge_realtime().unwrap();
    }
    let unusual = views(&store, &hour);
    assert_eq!(unusual["status"], "unusual", "{unusual}");
    assert_eq!(unusual["at"], "2026-03-01T13:15:00.000Z");
    assert_eq!(
        (&unusual["severity"], &unusual["direction"]),
        (&json!("critical"), &json!("down"))
    );
    assert_eq!(unusual["since"], "2026-03-01T12:00:00.000Z");
    // As all of it at once says: what was taken before is not taken again.
    let asked = json!({
        "metric": "page_views", "startDate": "2026-03-01T11:00:00Z", "endDate": "2026-03-01T13:30:00Z", "step": "quarter_hour",
    });
    let whole = store.anomalies_json(&Principal::owner(), &asked).unwrap();
    let [finding] = &whole.findings[..] else {
        panic!("{:?}", whole.findings)
    };
    assert_eq!(finding.since.to_string(), "2026-03-01T12:00:00.000Z");
    assert_eq!(
        unusual["expected"].as_f64(),
        whole.series.last().unwrap().expected
    );
    // An instant of the past has none; a shorter window is judged by its own buckets; and of errors that never come nothing is told.
    let past = json!({"timeRange": "last_hour", "asOf": "2026-03-01T12:00:00Z"});
    assert_eq!(views(&store, &past), Value::Null);
    let short = figures(&store, &json!({"timeRange": "last_5_minutes"}));
    let of = |name: &str| short[name]["metadata"]["anomaly"].clone();
    assert_eq!(
        (&of("page_views")["status"], &of("page_views")["step"]),
        (&json!("unusual"), &json!(60))
    );
    assert_eq!(of("error_rate")["status"], "too_few");
}

#[test]
fn what_is_usual_is_learned_anew_where_events_mean_something_else() {
    let (store, _) = store();
    store.judge_realtime().unwrap();
    let hour = json!({"timeRange": "last_hour"});
    let before = views(&store, &hour)["expected"].as_f64().unwrap();
    let who = Principal::owner();
    let catalogue = Catalogue {
        page_views: vec!["search".to_owned()],
        ..Catalogue::default()
    };
    store.set_catalogue(&who, &catalogue).unwrap();
    store.judge_realtime().unwrap();
    let after = views(&store, &hour)["expected"].as_f64().unwrap();
    assert!(
        before > 20.0 && (after - 1.0).abs() < 1e-9,
        "{before} {after}"
    );
}

#[test]
fn an_empty_store_has_nothing_to_judge() {
    let store = memory();
    store.judge_realtime().unwrap();
    assert_eq!(views(&store, &json!({})), Value::Null);
    add(&store, &[(7_200.0, 1, "page_view", None, "")]);
    store.judge_realtime().unwrap();
    assert_eq!(views(&store, &json!({}))["status"], "learning");
}
