//! Series of one's own: how they are read, laid out, judged and told.

use serde_json::{Value, json};

use super::*;

fn detect(question: &Value) -> Value {
    let found = Detection::parse(question).unwrap().detect().unwrap();
    assert_eq!(
        found.table().unwrap().num_rows(),
        found
            .series
            .iter()
            .map(|one| one.points.len())
            .sum::<usize>()
    );
    serde_json::to_value(found).unwrap()
}

/// The times of so many steps of hours from a Monday on.
fn times(count: i64, hours: i64) -> Vec<String> {
    let at = |n: i64| Instant::saturating_from_micros(MONDAY + n * hours * HOUR).to_string();
    (0..count).map(at).collect()
}

fn since(found: &Value) -> Vec<&str> {
    let all = found["findings"].as_array().unwrap().iter();
    all.map(|f| f["since"].as_str().unwrap()).collect()
}

/// A day's rhythm, `width` wide around `middle`, with some noise.
fn waves(count: i64, hours: i64, (middle, width): (f64, f64)) -> Vec<f64> {
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let wave = |n: i64| (n * hours) as f64 / 24.0 * std::f64::consts::TAU;
    let each = (0..count).map(|n| middle + width * (wave(n).sin() + 0.1 * normal(&mut chance)));
    each.collect()
}

#[test]
fn an_outage_of_hours_is_found_in_counts_and_told_by_their_times() {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let mut y: Vec<f64> = (0..6 * 168)
        .map(|n| poisson(&mut chance, 10.0 * CURVE[n % 24]))
        .collect();
    y[800..806].iter_mut().for_each(|y| *y = (*y * 0.3).round());
    let ds = times(y.len() as i64, 1);
    let found = detect(&json!({ "ds": ds, "y": y }));
    let written = |n: usize| ds[n].trim_end_matches(".000Z").to_owned();
    let findings = found["findings"].as_array().unwrap();
    // Chance alone is told less than once a week.
    assert!(findings.len() < 5, "{findings:?}");
    let outage = |found: &Value| {
        let all = found["findings"].as_array().unwrap().iter();
        let mut outage = all.filter(|f| f["since"] == written(800));
        outage.next().cloned().unwrap()
    };
    let finding = outage(&found);
    assert_eq!(finding["until"], written(806));
    assert_eq!(
        (&finding["direction"], &finding["severity"]),
        (&json!("down"), &json!("critical"))
    );
    assert_eq!(found["series"][0]["kind"], "count");
    assert_eq!(found["rows"]["unusual"][801], true);
    assert_eq!(found["rows"]["status"][10], "learning");
    // What came before is judged the same, whatever came after.
    let cut = detect(&json!({ "ds": ds[..803], "y": y[..803] }));
    assert_eq!(outage(&cut)["until"], Value::Null);
    for column in ["expected", "low", "high", "score", "status", "unusual"] {
        let all = found["rows"][column].as_array().unwrap();
        assert_eq!(cut["rows"][column], json!(all[..803]), "{column}");
    }
}

#[test]
fn values_that_are_no_counts_are_judged_alike_whatever_their_unit_and_zero() {
    for hours in [1, 6] {
        let count = 6 * 168 / hours;
        let place = 5 * 168 / hours;
        let mut degrees = waves(count, hours, (0.0, 8.0));
        let calm = detect(&json!({ "ds": times(count, hours), "y": degrees }));
        assert_eq!(calm["series"][0]["kind"], "value");
        assert!(since(&calm).len() < 4, "{hours} {:?}", calm["findings"]);
        for at in place..place + 12 / hours {
            degrees[at as usize] -= 12.0;
        }
        let of = |unit: f64, zero: f64| {
            let y: Vec<f64> = degrees.iter().map(|d| d * unit + zero).collect();
            detect(&json!({ "ds": times(count, hours), "y": y, "kind": "value" }))
        };
        let celsius = of(1.0, 0.0);
        let when = times(count, hours)[place as usize].clone();
        let when = when.trim_end_matches(".000Z");
        let when = when.trim_end_matches("T00:00:00");
        let snap = since(&celsius).iter().position(|since| *since == when);
        assert!(since(&celsius).len() < 5, "{:?}", celsius["findings"]);
        assert_eq!(since(&of(1.8, 32.0)), since(&celsius));
        assert_eq!(since(&of(1.0, 273.15)), since(&celsius));
        assert_eq!(since(&of(1e-9, 0.0)), since(&celsius));
        let snap = &celsius["findings"][snap.unwrap()];
        let low = snap["observed"].as_f64().unwrap();
        assert!((-21.0..-3.0).contains(&low), "{low}");
    }
}

#[test]
fn amounts_are_judged_alike_whatever_their_currency_and_small_ones_are_not_told() {
    let mut y = waves(6 * 168, 1, (100.0, 30.0));
    y[900] = 300.0;
    let asked = |factor: f64, volume: Value| {
        let y: Vec<f64> = y.iter().map(|y| y * factor).collect();
        detect(&json!({ "ds": times(6 * 168, 1), "y": y, "minVolume": volume }))
    };
    let all = asked(1.0, Value::Null);
    assert_eq!(all["series"][0]["kind"], "amount");
    let peak = times(6 * 168, 1)[900].trim_end_matches(".000Z").to_owned();
    assert!(since(&all).contains(&peak.as_str()) && since(&all).len() < 5);
    assert_eq!(since(&asked(0.001, Value::Null)), since(&all));
    assert_eq!(since(&asked(1.0, json!(1_000))), [""; 0]);
    assert_eq!(since(&asked(1.0, json!(200))), [peak]);
}

#[test]
fn chance_alone_is_told_less_than_once_a_week_from_the_first_judged_week_on() {
    type Kind = (&'static str, fn(f64) -> f64);
    let kinds: [Kind; 4] = [
        ("amount", |v| v * 3.7),
        ("amount", |v| v * v / 50.0),
        ("share", |v| v / 1_000.0),
        ("value", |v| v - 500.0),
    ];
    for (kind, of) in kinds {
        let (mut early, mut late) = (0, 0);
        let seeds = 12;
        for seed in 0..seeds {
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            let y: Vec<f64> = (0..8 * 168_usize)
                .map(|n| {
                    let day = 1.0 + 0.6 * ((n % 24) as f64 / 24.0 * std::f64::consts::TAU).sin();
                    let weekend = if n / 24 % 7 > 4 { 0.7 } else { 1.0 };
                    of(poisson(&mut chance, 200.0 * day * weekend))
                })
                .collect();
            let found = detect(&json!({ "ds": times(8 * 168, 1), "y": y, "kind": kind }));
            let fourth = times(4 * 168 + 1, 1)[4 * 168].clone();
            for finding in found["findings"].as_array().unwrap() {
                let first = finding["foundAt"].as_str().unwrap() < fourth.as_str();
                *(if first { &mut early } else { &mut late }) += 1;
            }
        }
        // Of chance a quarter of one was asked for: in the first judged week less than one, and in the four after it half of one.
        assert!(early < seeds, "{kind}: {early} of {seeds} weeks");
        assert!(
            2 * late < 4 * seeds,
            "{kind}: {late} of {} weeks",
            4 * seeds
        );
    }
}

#[test]
fn months_and_whole_numbers_have_no_rhythm_and_are_told_by_their_own_times() {
    let months: Vec<String> = (0..60)
        .map(|n| format!("{}-{:02}-01", 2019 + n / 12, n % 12 + 1))
        .collect();
    let mut y: Vec<f64> = (0..60).map(|n| f64::from(1_000 + 7 * n % 40)).collect();
    y[50] = 2_500.0;
    let found = detect(&json!({ "ds": months, "y": y }));
    assert_eq!(since(&found), ["2023-03-01"]);
    assert_eq!(found["findings"][0]["until"], "2023-04-01");
    let numbers: Vec<i64> = (0..60).map(|n| 10 * n).collect();
    let found = detect(&json!({ "ds": numbers, "y": y, "uniqueId": vec!["a"; 60] }));
    assert_eq!(found["findings"][0]["since"], 500);
    assert_eq!(found["findings"][0]["uniqueId"], "a");
}

#[test]
fn days_without_work_and_days_that_are_not_over_are_not_judged() {
    // Each weekday of ten weeks, with hours of the last day missing.
    let hours: Vec<i64> = (0..10 * 7 * 24).filter(|h| h / 24 % 7 < 5).collect();
    let at = |h: &i64| Instant::saturating_from_micros(MONDAY + h * HOUR).to_string();
    let last = hours.len() - 8;
    let ds: Vec<String> = hours[..last].iter().map(at).collect();
    let y: Vec<f64> = hours[..last].iter().map(|h| (5 + h % 3) as f64).collect();
    let found = detect(&json!({ "ds": ds, "y": y, "freq": "D" }));
    assert_eq!(found["findings"], json!([]));
    let series = &found["series"][0];
    assert_eq!(
        (&series["periods"], &series["partial"]),
        (&json!(49), &json!(true))
    );
    assert_eq!(series["gaps"], "closed");
}

#[test]
fn a_table_of_nothing_of_one_value_and_of_wild_ones_breaks_nothing() {
    for y in [
        json!([null, null, null]),
        json!([1, 1, 1]),
        json!([1e300, -1e300, 1e-300]),
        json!([0, 0, 0]),
        json!([-5, -5, -5]),
    ] {
        for kind in ["count", "amount", "share", "value"] {
            for ds in [
                json!(["2026-01-01", "2026-01-02", "2026-01-03"]),
                json!([i64::from(i32::MIN), 0, 1_i64 << 53]),
                json!(["0001-01-01", "2026-01-02T10:00:00.000001", "9998-12-31"]),
            ] {
                let found = detect(&json!({ "ds": ds, "y": y, "kind": kind }));
                let periods = found["series"][0]["periods"].as_u64().unwrap();
                assert!(periods <= 100_000, "{ds} {y} {kind}");
            }
        }
    }
}

#[test]
fn all_that_is_wrong_with_a_table_is_told_at_once() {
    let error = Detection::parse(&json!({
        "ds": ["2026-01-01"], "y": [1, 2], "kind": "money", "alarmsPerWeek": 0, "minChange": 50, "horizon": 3, "regressors": {},
    }));
    let error = error.unwrap_err();
    let mut faults: Vec<String> = error
        .field_errors()
        .iter()
        .map(|e| format!("{} {}", e.field, e.code))
        .collect();
    faults.sort();
    assert_eq!(
        faults,
        [
            "alarmsPerWeek out_of_range",
            "horizon unknown_field",
            "kind not_in_list",
            "minChange out_of_range",
            "regressors unknown_field",
            "y different_length",
        ]
    );
}
