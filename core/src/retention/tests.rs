//! One user with very many events costs about one pass a cohort, whatever opens a clock.

use std::time::{Duration, Instant as Watch};

use serde_json::{Value, json};

use super::{Retention, RetentionAnswer, answer};
use crate::access::{Permission, Principal, grant};
use crate::timeline::{Timelines, View};

#[expect(clippy::disallowed_methods, reason = "a limit on how long it takes")]
/// The answer over a user with 200,000 events a minute apart, all of which start a clock and return.
fn ask(options: Value) -> RetentionAnswer {
    const EVENTS: i64 = 200_000;
    let start = 1_735_689_600_000_000;
    let rows = (0..EVENTS).map(|i| (0, start + i * 60_000_000, (i % 2) as u16));
    let names = ["a", "b"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let mut question = json!({
        "cohortPeriod": "monthly", "analysisMetric": "retention_rate", "startDate": "2025-01-01", "endDate": "2025-04-30", "mode": "recurring", "start": "a",
        "return": "b",
    });
    for (name, value) in options.as_object().unwrap() {
        question[name] = value.clone();
    }
    let now = "2025-12-01T00:00:00Z".parse().unwrap();
    let question = Retention::parse(&question, now).unwrap();
    let view = View::new(&timelines, now);
    let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
    let watch = Watch::now();
    let answer = answer(&question, &view).unwrap();
    // A look at all pairs of a start and a return would take hours.
    assert!(
        watch.elapsed() < Duration::from_secs(60),
        "{:?}",
        watch.elapsed()
    );
    answer
}

#[test]
fn a_busy_user_opens_very_many_clocks() {
    for unit in ["calendar", "24h", "7d", "30d", "month_anniversary"] {
        let answer = ask(json!({"unit": unit}));
        assert_eq!(answer.cohorts.len(), 4);
        for cohort in &answer.cohorts {
            assert_eq!(
                (cohort.size, cohort.returned_in_start_period),
                (1, 1),
                "{unit}"
            );
            assert_eq!(
                cohort.retention[1].count + cohort.retention[1].partial_count,
                1,
                "{unit}"
            );
        }
    }
    let engagement = ask(json!({"unit": "24h", "analysisMetric": "engagement", "periods": 2}));
    assert!(engagement.cohorts[0].retention[1].value > Some(1_000.0));
}
