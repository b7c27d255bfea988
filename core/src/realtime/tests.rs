//! The six figures against windows small enough to count by hand.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::access::Principal;
use crate::analytics::{Analytics, Options};
use crate::error::Result;
use crate::events::{ImportOptions, Mapping, Source, Table};
use crate::query::Instant;

mod anomaly;

fn noon() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn memory() -> Analytics {
    let options = Options {
        clock: Arc::new(noon),
        threads: Some(2),
        ..Options::default()
    };
    Analytics::open_with(options).unwrap()
}

/// What an event is: seconds before noon, user (0 is nobody), name, amount and currency.
type Row = (f64, u32, &'static str, Option<&'static str>, &'static str);

fn add(store: &Analytics, rows: &[Row]) {
    let event = |(ago, user, name, amount, currency): &Row| {
        let at = Instant::from_micros(noon().micros() - (ago * 1e6).round() as i64).unwrap();
        let mut event = json!({"name": name, "ts": at.to_string(), "properties": {}});
        if *user > 0 {
            event["userId"] = json!(format!("u{user}"));
        }
        if let Some(amount) = amount {
            event["properties"] = json!({"amount": amount});
        }
        if !currency.is_empty() {
            event["properties"]["currency"] = json!(currency);
        }
        event
    };
    let events: Value = rows.iter().map(event).collect();
    let report = store.ingest(&Principal::owner(), &events).unwrap();
    assert_eq!(report.accepted, rows.len() as u64, "{report:?}");
}

fn rates(store: &Analytics, rates: &[(&str, &str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rates.ndjson");
    let line = |(currency, day, rate): &(&str, &str, &str)| {
        format!(
            "{}\n",
            json!({"currency": currency, "day": day, "rate": rate})
        )
    };
    std::fs::write(&path, rates.iter().map(line).collect::<String>()).unwrap();
    let mut options = ImportOptions {
        table: Some(Table::Rates),
        strict: true,
        ..ImportOptions::default()
    };
    store
        .import(
            &Principal::owner(),
            Source::Path(path),
            &Mapping::default(),
            &mut options,
        )
        .unwrap();
}

fn ask(store: &Analytics, question: &Value) -> Result<Vec<RealtimeMetric>> {
    store.realtime_json(&Principal::owner(), question)
}

/// The asked answers as JSON by name.
fn figures(store: &Analytics, question: &Value) -> Value {
    let answers = ask(store, question).unwrap();
    answers
        .into_iter()
        .map(|a| {
            (
                a.metric_name.name().into_owned(),
                serde_json::to_value(a).unwrap(),
            )
        })
        .collect()
}

fn codes(question: &Value) -> Vec<(String, &'static str)> {
    let error = Realtime::parse(question, noon()).unwrap_err();
    error
        .field_errors()
        .iter()
        .map(|e| (e.field.clone(), e.code))
        .collect()
}

#[test]
fn the_window_is_open_at_its_beginning_and_closed_at_its_end() {
    let w = memory();
    add(
        &w,
        &[
            (900.0, 1, "page_view", None, ""),
            (899.999_999, 2, "page_view", None, ""),
            (0.0, 3, "page_view", None, ""),
            (-0.000_001, 4, "page_view", None, ""),
        ],
    );
    let all = figures(&w, &json!({}));
    assert_eq!(all["active_users"]["value"], 2);
    assert_eq!(all["page_views"]["value"], 2);
    // The event at the edge is the last of the window before.
    assert_eq!(all["page_views"]["metadata"]["previous"], 1);
    let series = all["page_views"]["metadata"]["series"].as_array().unwrap();
    assert_eq!(series.len(), 15);
    assert_eq!(
        series[0],
        json!({"start": "2026-03-01T11:45:00.000Z", "value": 1})
    );
    assert_eq!(
        series[14],
        json!({"start": "2026-03-01T11:59:00.000Z", "value": 1})
    );
}

#[test]
fn nothing_after_as_of_is_seen() {
    let w = memory();
    add(
        &w,
        &[
            (600.0, 1, "page_view", None, ""),
            (300.0, 2, "page_view", None, ""),
            (299.0, 3, "page_view", None, ""),
        ],
    );
    let all = figures(
        &w,
        &json!({"asOf": "2026-03-01T11:55:00Z", "timeRange": "last_5_minutes"}),
    );
    assert_eq!(all["active_users"]["value"], 1);
    assert_eq!(all["active_users"]["timestamp"], "2026-03-01T11:55:00.000Z");
    assert_eq!(all["active_users"]["createdAt"], "2026-03-01T11:55:00.000Z");
    assert_eq!(all["active_users"]["metadata"]["previous"], 1);
    assert_eq!(all["active_users"]["metadata"]["change"], 0.0);
}

#[test]
fn the_six_figures_are_those_counted_by_hand() {
    let w = memory();
    add(
        &w,
        &[
            // The window: 4 users, of whom 1 converts (twice); 12 events, 3 of nobody; 3 page views, 2 errors.
            (10.0, 1, "page_view", None, ""),
            (20.0, 1, "complete_booking", None, ""),
            (20.0, 1, "payment", Some("100.0000"), "EUR"),
            (30.0, 1, "complete_booking", None, ""),
            (40.0, 2, "page_view", None, ""),
            (50.0, 3, "search", None, ""),
            (60.0, 4, "search", None, ""),
            (70.0, 4, "it's, \"odd\"", None, ""),
            (80.0, 4, "error", None, ""),
            (90.0, 0, "error", None, ""),
            (95.0, 0, "page_view", None, ""),
            // A conversion of nobody is an event and not a user's.
            (99.0, 0, "complete_booking", None, ""),
            // The window before: 2 users, 1 converts.
            (301.0, 1, "complete_booking", None, ""),
            (302.0, 2, "search", None, ""),
            (303.0, 2, "payment", Some("50.0000"), "EUR"),
            // Before both.
            (601.0, 9, "complete_booking", Some("9.9999"), "EUR"),
        ],
    );
    let all = figures(
        &w,
        &json!({"timeRange": "last_5_minutes", "refreshInterval": 5}),
    );
    let value = |name: &str| all[name]["value"].clone();
    assert_eq!(value("active_users"), 4);
    assert_eq!(value("page_views"), 3);
    assert_eq!(value("events_per_second"), 12.0 / 300.0);
    assert_eq!(value("conversion_rate"), 0.25);
    assert_eq!(value("error_rate"), 2.0 / 12.0);
    assert_eq!(value("revenue_per_minute"), 20.0);
    let of = |name: &str, field: &str| all[name]["metadata"][field].clone();
    assert_eq!(
        (of("conversion_rate", "k"), of("conversion_rate", "n")),
        (json!(1), json!(4))
    );
    assert_eq!(
        (of("error_rate", "k"), of("error_rate", "n")),
        (json!(2), json!(12))
    );
    assert_eq!(of("error_rate", "small"), true);
    assert_eq!(of("active_users", "k"), Value::Null);
    assert_eq!(of("conversion_rate", "previous"), 0.5);
    assert_eq!(of("conversion_rate", "change"), -0.5);
    assert_eq!(of("revenue_per_minute", "previous"), 10.0);
    assert_eq!(of("revenue_per_minute", "change"), 1.0);
    assert_eq!(of("revenue_per_minute", "exact"), "20.000000");
    assert_eq!(of("revenue_per_minute", "baseCurrency"), "EUR");
    assert_eq!(of("page_views", "unattributedEvents"), 3);
    assert_eq!(of("page_views", "refreshInterval"), 5);
    assert_eq!(of("page_views", "windowSeconds"), 300);
    assert_eq!(of("page_views", "timeRange"), "last_5_minutes");
    assert_eq!(of("page_views", "unit"), "events");
    // Parts of 30 seconds, each with its own figure: 100 EUR in the last of them.
    let series = of("revenue_per_minute", "series");
    assert_eq!(
        (&series[9]["value"], &series[8]["value"]),
        (&json!(200.0), &json!(0.0))
    );
    assert_eq!(of("conversion_rate", "series")[0]["value"], Value::Null);
}

#[test]
fn the_parts_add_up_to_the_window() {
    let w = memory();
    let rows: Vec<Row> = (0..400)
        .map(|i| {
            (
                f64::from(i) * 18.0,
                i % 97,
                [
                    "page_view",
                    "complete_booking",
                    "error",
                    "payment",
                    "search",
                ][i as usize % 5],
                None,
                "",
            )
        })
        .collect();
    add(&w, &rows);
    for (range, parts) in [
        ("last_5_minutes", 10),
        ("last_15_minutes", 15),
        ("last_hour", 12),
    ] {
        let all = figures(&w, &json!({"timeRange": range}));
        let series = all["page_views"]["metadata"]["series"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(series.len(), parts, "{range}");
        let sum: u64 = series.iter().map(|p| p["value"].as_u64().unwrap()).sum();
        assert!(sum > 0);
        assert_eq!(all["page_views"]["value"], sum, "{range}");
    }
}

#[test]
fn an_empty_store_gives_zeros_and_nothing_where_there_is_nothing_to_divide_by() {
    let all = figures(&memory(), &json!({}));
    for name in ["active_users", "page_views"] {
        assert_eq!(all[name]["value"], 0);
        assert_eq!(all[name]["metadata"]["change"], Value::Null);
    }
    assert_eq!(all["events_per_second"]["value"], 0.0);
    assert_eq!(all["revenue_per_minute"]["value"], 0.0);
    for name in ["conversion_rate", "error_rate"] {
        assert_eq!(all[name]["value"], Value::Null);
        assert_eq!(all[name]["metadata"]["previous"], Value::Null);
        assert_eq!(
            (&all[name]["metadata"]["k"], &all[name]["metadata"]["n"]),
            (&json!(0), &json!(0))
        );
        assert!(
            all[name]["metadata"]["series"]
                .as_array()
                .unwrap()
                .iter()
                .all(|p| p["value"].is_null())
        );
    }
}

#[test]
fn events_of_nobody_are_events_and_never_users() {
    let w = memory();
    add(
        &w,
        &[
            (1.0, 0, "complete_booking", None, ""),
            (2.0, 0, "page_view", None, ""),
        ],
    );
    let all = figures(&w, &json!({}));
    assert_eq!(all["active_users"]["value"], 0);
    assert_eq!(all["conversion_rate"]["value"], Value::Null);
    assert_eq!(all["page_views"]["value"], 1);
    assert_eq!(all["error_rate"]["value"], 0.0);
    assert_eq!(all["active_users"]["metadata"]["unattributedEvents"], 2);
}

#[test]
fn revenue_takes_the_latest_rate_on_or_before_the_day_of_each_amount() {
    let w = memory();
    rates(
        &w,
        &[
            ("USD", "2026-02-20", "0.9"),
            ("USD", "2026-03-01", "0.8"),
            ("USD", "2026-03-02", "5"),
            ("JPY", "2026-02-27", "0.006134"),
        ],
    );
    // 12 h and 1 min before noon is on the day before.
    add(
        &w,
        &[
            (60.0, 1, "payment", Some("10.0000"), "USD"),
            (43_260.0, 1, "payment", Some("10.0000"), "USD"),
            (61.0, 1, "payment", Some("1000.0000"), "JPY"),
            (62.0, 1, "payment", Some("-2.0000"), "EUR"),
            (63.0, 1, "payment", Some("0.0001"), ""),
        ],
    );
    let at = |as_of: &str| {
        let all = figures(
            &w,
            &json!({"metrics": ["revenue_per_minute"], "timeRange": "last_5_minutes", "asOf": as_of}),
        );
        all["revenue_per_minute"]["metadata"]["exact"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    // 10 USD at 0.8 + 1000 JPY at 0.006134 − 2 EUR + 0.0001 in the base currency = 12.1341 in 5 minutes.
    assert_eq!(at("2026-03-01T12:00:00Z"), "2.426820");
    // 23:59 on February 28: the rate of March 1 is not known yet.
    assert_eq!(at("2026-03-01T00:00:00Z"), "1.800000");
}

#[test]
fn a_currency_without_a_rate_is_an_error_only_where_revenue_is_asked() {
    let w = memory();
    rates(&w, &[("CHF", "2026-03-02", "1.05")]);
    add(&w, &[(60.0, 1, "payment", Some("10.0000"), "CHF")]);
    let error = ask(&w, &json!({})).unwrap_err();
    assert_eq!(error.code(), "missing_rate");
    assert!(
        error.message().contains("`CHF`") && error.message().contains("2026-03-01"),
        "{error}"
    );
    assert_eq!(
        figures(&w, &json!({"metrics": ["active_users"]}))["active_users"]["value"],
        1
    );
}

#[test]
fn each_metric_is_answered_once_in_the_asked_order() {
    let w = memory();
    let names = |question: &Value| -> Vec<String> {
        ask(&w, question)
            .unwrap()
            .iter()
            .map(|a| a.metric_name.name().into_owned())
            .collect()
    };
    assert_eq!(names(&json!({})), Metric::ALL.map(Metric::name));
    let asked = json!({"metrics": ["error_rate", "page_views", "error_rate"]});
    assert_eq!(names(&asked), ["error_rate", "page_views"]);
}

#[test]
fn the_same_question_gives_the_same_bytes_and_ids_of_24_hex_digits() {
    let w = memory();
    add(&w, &[(60.0, 1, "page_view", None, "")]);
    let text = || serde_json::to_string(&ask(&w, &json!({})).unwrap()).unwrap();
    assert_eq!(text(), text());
    let ids: std::collections::BTreeSet<String> = ask(&w, &json!({}))
        .unwrap()
        .into_iter()
        .map(|a| a.stamp.id)
        .collect();
    assert_eq!(ids.len(), 6);
    assert!(
        ids.iter()
            .all(|id| id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()))
    );
}

#[test]
fn everything_wrong_with_a_question_is_said_at_once() {
    let wrong = json!({
        "metrics": ["active_users", "speed"], "timeRange": "last_day", "refreshInterval": 4,
        "asOf": "2026-03-01T12:00:01Z", "window": 5,
    });
    let expected = [
        ("metrics[1]", "not_in_list"),
        ("timeRange", "not_in_list"),
        ("refreshInterval", "out_of_range"),
        ("asOf", "in_future"),
        ("window", "unknown_field"),
    ];
    let expected: Vec<(String, &str)> = expected
        .iter()
        .map(|(f, c)| ((*f).to_owned(), *c))
        .collect();
    assert_eq!(codes(&wrong), expected);
    let code = |question: Value| codes(&question).remove(0).1;
    assert_eq!(code(json!({"metrics": "active_users"})), "invalid_type");
    assert_eq!(code(json!({"metrics": []})), "empty");
    assert_eq!(code(json!({"refreshInterval": 301})), "out_of_range");
    assert_eq!(code(json!({"refreshInterval": 7.5})), "invalid_type");
    assert_eq!(code(json!({"refreshInterval": "30"})), "invalid_type");
    assert_eq!(code(json!({"asOf": "yesterday"})), "invalid_date");
    let least = Realtime::parse(
        &json!({"refreshInterval": 5, "asOf": "2026-03-01T12:00:00Z"}),
        noon(),
    )
    .unwrap();
    assert_eq!(
        (least.refresh_interval, least.time_range),
        (5, TimeRange::Last15Minutes)
    );
}

#[test]
fn the_earliest_instant_has_a_window_too() {
    let all = figures(
        &memory(),
        &json!({"asOf": Instant::MIN.to_string(), "timeRange": "last_hour"}),
    );
    assert_eq!(all["active_users"]["value"], 0);
}
