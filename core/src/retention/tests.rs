//! One user with very many events costs about one pass a cohort, whatever opens a clock.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Watch};

use serde_json::{Value, json};

use super::{Retention, RetentionAnswer, answer};
use crate::access::{Permission, Principal, grant};
use crate::error::Result;
use crate::timeline::{Halt, Stop, Timelines, View};

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

/// Of so many users, each with a few events on days of a hundred, the cells of a table of 40 days up to period 20.
fn cells(criterion: &str, mode: &str, as_of: &str, periods: usize) -> Vec<Value> {
    let start = 1_735_689_600_000_000_i64;
    let chance = |i: i64| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) as u64) >> 33;
    let rows = (0..3_000).map(|i| {
        let at = start
            + (chance(i) % 59) as i64 * 86_400_000_000
            + (chance(i + 7) % 9) as i64 * 7_200_000_000;
        (
            (chance(i + 11) % 300) as u32,
            at,
            (chance(i + 5) % 3) as u16,
        )
    });
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let timelines = Timelines::from_rows(names, rows).unwrap();
    let mut question = json!({
        "cohortPeriod": "daily", "analysisMetric": "retention_rate", "startDate": "2025-01-01", "endDate": "2025-02-09",
        "mode": mode, "start": ["a", "b"], "return": ["b", "c"], "criterion": criterion, "periods": periods,
    });
    if criterion == "brackets" {
        question["brackets"] = json!([[0, 1], [1, 4], [4, 9], [12, periods]]);
        question["periods"] = Value::Null;
    }
    let as_of = as_of.parse().unwrap();
    let question = Retention::parse(&question, as_of).unwrap();
    let view = View::new(&timelines, as_of);
    let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
    let answer = answer(&question, &view).unwrap();
    let cohorts = answer.cohorts.iter().map(|cohort| {
        let cells = cohort
            .retention
            .iter()
            .take(20)
            .map(|c| c.count + c.partial_count);
        json!([
            cohort.size,
            cohort.returned_in_start_period,
            cells.collect::<Vec<_>>()
        ])
    });
    cohorts.collect()
}

/// The narrow pass, the wide one and the general one, by how long the calendar is.
#[test]
fn tables_of_any_length_count_alike() {
    for mode in ["first_time", "recurring"] {
        for criterion in ["on", "on_or_before", "streak", "brackets"] {
            // Events end on the 59th day, so that nothing is seen later.
            let narrow = cells(criterion, mode, "2025-03-01T00:00:00Z", 20);
            let wide = cells(criterion, mode, "2025-12-01T00:00:00Z", 80);
            let general = cells(criterion, mode, "2025-12-01T00:00:00Z", 200);
            assert!(narrow.iter().any(|c| c[0] != json!(0)));
            assert_eq!(wide, general, "{mode} {criterion}");
            // The narrow calendar ends before the last cohorts' twentieth period.
            for (a, b) in narrow.iter().zip(&wide) {
                let (a, b) = (a[2].as_array().unwrap(), b[2].as_array().unwrap());
                let known = if criterion == "brackets" { 3 } else { a.len() };
                assert_eq!(a[..known], b[..known], "{mode} {criterion}");
            }
        }
        // What lies behind the last column counts on or after it.
        let [wide, general] = ["2025-04-20T00:00:00Z", "2025-12-01T00:00:00Z"]
            .map(|as_of| cells("on_or_after", mode, as_of, 20));
        assert_eq!(wide, general, "{mode} on_or_after");
    }
}

/// What a user asks for who started in the year 1 and came again in 2024, very often.
fn long_ago(options: &Value, stop: Stop<'_>) -> Result<RetentionAnswer> {
    let start = "0001-01-05T00:00:00Z"
        .parse::<crate::Instant>()
        .unwrap()
        .micros();
    let again = "2024-01-01T00:00:00Z"
        .parse::<crate::Instant>()
        .unwrap()
        .micros();
    let late = (0..20_000).map(|i| (0, again + i * 60_000_000, 0));
    let rows = (1..3)
        .map(|i| (0, start + i * 3_600_000_000, 0))
        .chain(late);
    let timelines = Timelines::from_rows(vec!["a".to_owned()], rows).unwrap();
    let mut question = json!({
        "cohortPeriod": "daily", "analysisMetric": "retention_rate", "startDate": "0001-01-05", "endDate": "0001-01-06", "mode": "recurring", "start": "a",
        "return": "a",
    });
    for (name, value) in options.as_object().unwrap() {
        question[name] = value.clone();
    }
    let now = "2024-06-01T00:00:00Z".parse().unwrap();
    let view = View {
        stop,
        ..View::new(&timelines, now)
    };
    let question = Retention::parse(&question, now).unwrap();
    let question = grant(&Principal::owner(), Permission::ReadAnalytics, &question).unwrap();
    answer(&question, &view)
}

#[test]
fn a_clock_does_not_step_through_empty_periods() {
    // Step by step through all periods and rows it would be hours.
    for options in [
        json!({"unit": "24h", "clockStart": "day", "periods": 2}),
        json!({"unit": "24h", "clockStart": "day"}),
        json!({"unit": "24h", "clockStart": "hour", "criterion": "on_or_after"}),
        json!({"unit": "month_anniversary", "cohortPeriod": "monthly"}),
    ] {
        let answer = long_ago(&options, Stop::default()).unwrap();
        let cohort = &answer.cohorts[0];
        assert_eq!(
            (cohort.size, cohort.returned_in_start_period),
            (1, 1),
            "{options}"
        );
        let returned: u64 = cohort
            .retention
            .iter()
            .map(|c| c.count + c.partial_count)
            .sum();
        let expected = match options["criterion"].as_str() {
            // Period 0 and all up to the last one.
            Some(_) => 738_895,
            None if options["periods"] == 2 => 1,
            None if options["unit"] == "24h" => 15,
            None => 3,
        };
        assert_eq!(returned, expected, "{options}");
    }
}

#[test]
fn one_user_does_not_keep_a_table_from_stopping() {
    let options = json!({
        "unit": "24h", "cohortPeriod": "hourly", "startDate": "2024-01-01", "endDate": "2024-01-14", "periods": 20
    });
    let asked = AtomicUsize::new(0);
    let until = |last: usize| {
        let stop = || (asked.fetch_add(1, Ordering::Relaxed) >= last).then_some(Halt::TimedOut);
        long_ago(&options, Stop::when(&stop))
    };
    until(usize::MAX).unwrap();
    let all = asked.swap(0, Ordering::Relaxed);
    assert!(all > 20, "asked {all} times");
    for last in [10, all - 3] {
        assert_eq!(until(last).unwrap_err().code(), "timed_out");
        asked.store(0, Ordering::Relaxed);
    }
}
