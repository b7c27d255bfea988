//! Predictions: their histories against counting by hand, their shape, and that nothing later is looked at.

use serde_json::{Value, json};
use travelsense::{Analytics, Principal};
use travelsense_tests::oracle::money::Money;
use travelsense_tests::oracle::{Event, numbers, predictive};

use crate::store;

const DAY: i64 = 86_400_000_000;

/// 2026-01-01T00:00:00Z.
const YEAR: i64 = 1_767_225_600_000_000;

const TYPES: [&str; 5] = [
    "user_growth",
    "revenue",
    "demand_forecast",
    "churn_rate",
    "feature_adoption",
];

/// A generator without seed of its own: the same numbers always.
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> i64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n) as i64
    }
}

fn events(chance: &mut Chance, count: u64, users: u64, days: u64) -> Vec<Event> {
    let names = [
        "search",
        "complete_booking",
        "payment",
        "refund",
        "map",
        "chat",
        "review",
    ];
    let mut one = |_| {
        let name = names[chance.below(7) as usize];
        // To the hour, so that events meet midnight.
        let ts = YEAR - 40 * DAY + chance.below(days * 24) * (DAY / 24);
        let amount = match name {
            "payment" => Some(chance.below(1_000_000)),
            "refund" => Some(-chance.below(100_000)),
            _ => None,
        };
        Event {
            user: Some(chance.below(users).to_string()),
            name: name.to_owned(),
            ts,
            money: amount.map(|a| Money {
                amount: i128::from(a),
                currency: "EUR".to_owned(),
            }),
            ..Event::default()
        }
    };
    (0..count).map(&mut one).collect()
}

fn sent(event: &Event) -> Value {
    let properties = event.money.as_ref().map(|m| {
        let sign = if m.amount < 0 { "-" } else { "" };
        let digits = m.amount.abs();
        let text = format!("{sign}{}.{:04}", digits / 10_000, digits % 10_000);
        json!({ "amount": text, "currency": m.currency })
    });
    json!({
        "userId": event.user,
        "name": event.name,
        "ts": numbers::instant(event.ts),
        "properties": properties,
    })
}

fn opened(events: &[Event]) -> Analytics {
    let store = store::open(YEAR + 400 * DAY, 2);
    let all: Vec<Value> = events.iter().map(sent).collect();
    for some in all.chunks(5_000) {
        assert_eq!(store::ingest(&store, some).refused, 0);
    }
    store
}

fn ask(store: &Analytics, question: &Value) -> Value {
    let answer = store.ask(&Principal::owner(), "predictive", question);
    serde_json::from_str(&answer.expect("a prediction")).expect("JSON")
}

#[test]
fn histories_agree_with_counting_by_hand() {
    let mut chance = Chance(1);
    for _ in 0..6 {
        let events = events(&mut chance, 800, 60, 160);
        let store = opened(&events);
        for _ in 0..40 {
            let prediction = TYPES[chance.below(5) as usize];
            // Ranges that begin and end at midnight, or within a day.
            let from = YEAR + chance.below(24 * 30) * (DAY / 24);
            let to = from + (1 + chance.below(24 * 90)) * (DAY / 24);
            let as_of = from + (24 * 3 + chance.below(24 * 150)) * (DAY / 24);
            let expected = predictive::history(&events, prediction, (from, to), as_of);
            let question = json!({
                "predictionType": prediction,
                "startDate": numbers::instant(from),
                "endDate": numbers::instant(to),
                "asOf": numbers::instant(as_of),
            });
            let answer = store.ask(&Principal::owner(), "predictive", &question);
            let answer = match answer {
                Ok(text) => serde_json::from_str::<Value>(&text).expect("JSON"),
                Err(error) => {
                    assert_eq!(error.code(), "too_little_history", "{question}");
                    assert!(expected.is_empty(), "{question}");
                    continue;
                }
            };
            let found: Vec<(String, Option<f64>)> = answer["historicalData"]
                .as_array()
                .expect("a history")
                .iter()
                .map(|p| {
                    (
                        p["date"].as_str().expect("a date").to_owned(),
                        p["value"].as_f64(),
                    )
                })
                .collect();
            let dated: Vec<String> = found.iter().map(|f| f.0.clone()).collect();
            let dates: Vec<String> = expected.iter().map(|e| numbers::instant(e.0)).collect();
            assert_eq!(dated, dates, "{question}");
            for (found, expected) in found.iter().zip(&expected) {
                let same = match (found.1, expected.1) {
                    (Some(a), Some(b)) => (a - b).abs() < 1e-6,
                    (a, b) => a == b,
                };
                assert!(same, "{question}: {found:?} {expected:?}");
            }
        }
    }
}

#[test]
fn a_prediction_has_the_shape_of_the_specification() {
    let store = opened(&events(&mut Chance(2), 4_000, 400, 160));
    for prediction in TYPES {
        let answer = ask(
            &store,
            &json!({
                "predictionType": prediction, "startDate": "2026-01-01", "endDate": "2026-03-01",
                "asOf": "2026-04-20T00:00:00Z",
            }),
        );
        assert_eq!(answer["predictionType"], prediction);
        assert_eq!(answer["confidenceLevel"], 95.0);
        assert_eq!(answer["_id"].as_str().map(str::len), Some(24));
        assert_eq!(answer["createdAt"], answer["asOf"]);
        assert!(
            answer["modelVersion"]
                .as_str()
                .is_some_and(|v| v.starts_with("forecast-1 "))
        );
        let history = answer["historicalData"].as_array().expect("a history");
        let weekly = prediction == "churn_rate";
        assert_eq!(history.len(), if weekly { 8 } else { 60 }, "{prediction}");
        let made = answer["predictions"].as_array().expect("predictions");
        assert_eq!(made.len(), history.len().div_ceil(4));
        let first = made[0]["date"].as_str().expect("a date");
        // Both the last day and the last week of the range end with the first of March.
        assert_eq!(&first[..10], "2026-03-02");
        for one in made {
            let number = |name: &str| one[name].as_f64().expect("a number");
            let (low, value, high) = (number("lowerBound"), number("value"), number("upperBound"));
            assert!(low <= value && value <= high, "{one}");
            assert_eq!(one["confidence"], 95.0);
            match prediction {
                "churn_rate" => assert!(low >= 0.0 && high <= 1.0, "{one}"),
                "revenue" => {}
                _ => assert!(
                    low >= 0.0 && low.fract() == 0.0 && high.fract() == 0.0,
                    "{one}"
                ),
            }
        }
    }
}

#[test]
fn s6_a_prediction_is_beside_its_backtest_and_the_naive_one() {
    let store = opened(&events(&mut Chance(3), 6_000, 3_000, 300));
    let answer = ask(
        &store,
        &json!({
            "predictionType": "demand_forecast", "startDate": "2026-01-01", "endDate": "2026-08-01",
            "horizon": 14,
        }),
    );
    let backtest = &answer["backtest"];
    assert_eq!(backtest["origins"], 10);
    assert!(
        backtest["points"].as_u64().is_some_and(|n| n >= 100),
        "{backtest}"
    );
    for who in ["model", "naive"] {
        for score in [
            "mase",
            "wape",
            "bias",
            "coverage80",
            "coverage95",
            "width80",
            "width95",
        ] {
            assert!(
                backtest[who][score].is_number(),
                "{who} {score}: {backtest}"
            );
        }
    }
    let covered = backtest["model"]["coverage95"].as_f64().expect("a share");
    let widened = backtest["widened"].as_f64().expect("a factor");
    assert!(covered >= 0.92 || widened > 1.0, "{backtest}");
}

#[test]
fn s6_later_events_never_change_an_earlier_prediction() {
    let mut chance = Chance(4);
    let early = events(&mut chance, 3_000, 300, 100);
    let as_of = YEAR + 60 * DAY - 1;
    let known: Vec<Event> = early.iter().filter(|e| e.ts <= as_of).cloned().collect();
    let mut later = early.clone();
    later.extend((0..2_000).map(|i| Event {
        user: Some(format!("later{}", i % 500)),
        name: "complete_booking".to_owned(),
        ts: as_of + 1 + i * 3_600_000_000,
        ..Event::default()
    }));
    let (first, second) = (opened(&known), opened(&later));
    for prediction in TYPES {
        let question = json!({
            "predictionType": prediction, "startDate": "2025-12-01", "endDate": "2026-02-20",
            "asOf": numbers::instant(as_of),
        });
        let (a, b) = (ask(&first, &question), ask(&second, &question));
        for part in ["predictions", "historicalData", "models", "backtest", "_id"] {
            assert_eq!(a[part], b[part], "{prediction} {part}");
        }
    }
}

#[test]
fn s6_a_backtest_says_what_predictions_made_then_would_have_said() {
    let store = opened(&events(&mut Chance(6), 6_000, 3_000, 160));
    let question = json!({
        "predictionType": "demand_forecast", "startDate": "2025-12-01", "endDate": "2026-03-10",
        "horizon": 7, "origins": 4, "segments": ["active"],
    });
    let answer = store.ask(&Principal::owner(), "backtest", &question);
    let tested: Value = serde_json::from_str(&answer.expect("a backtest")).expect("JSON");
    assert_eq!(tested["series"][1]["id"], "active");
    let one = &tested["series"][0];
    assert_eq!(
        (&one["id"], &one["origins"], &one["points"]),
        (&json!("all"), &json!(4), &json!(28))
    );
    let rows = &tested["rows"];
    for row in [0, 7, 21] {
        let cutoff = rows["cutoff"][row].as_str().expect("a date");
        let after: chrono::NaiveDate = cutoff.parse().expect("a date");
        let after = after.succ_opt().expect("a day");
        let then = ask(
            &store,
            &json!({
                "predictionType": "demand_forecast", "startDate": "2025-12-01", "endDate": cutoff,
                "horizon": 7, "asOf": format!("{after}T00:00:00Z"),
            }),
        );
        for h in 0..7 {
            assert_eq!(
                then["predictions"][h]["value"],
                rows["mean"][row + h],
                "{cutoff} {h}"
            );
        }
    }
    let wrong = json!({
        "predictionType": "demand_forecast", "startDate": "2025-12-01", "endDate": "2026-03-10",
        "origins": 0, "step": 366, "confidenceLevel": 80,
    });
    let refused = store
        .ask(&Principal::owner(), "backtest", &wrong)
        .expect_err("faults");
    let faults = refused.field_errors();
    let fields: Vec<&str> = faults.iter().map(|f| f.field.as_str()).collect();
    for field in ["origins", "step", "confidenceLevel"] {
        assert!(fields.contains(&field), "{fields:?}");
    }
}

#[test]
fn levels_horizons_and_segments_are_kept() {
    let store = opened(&events(&mut Chance(5), 4_000, 400, 160));
    let question = |more: Value| {
        let mut whole = json!({
            "predictionType": "user_growth", "startDate": "2026-01-01", "endDate": "2026-03-31",
        });
        let more = more.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(more);
        ask(&store, &whole)
    };
    let bounds = |answer: &Value| {
        let one = &answer["predictions"][0];
        (one["lowerBound"].as_f64(), one["upperBound"].as_f64())
    };
    let narrow = bounds(&question(json!({"confidenceLevel": 50})));
    let wide = bounds(&question(json!({"confidenceLevel": 99})));
    assert!(
        wide.0 <= narrow.0 && narrow.1 <= wide.1,
        "{narrow:?} {wide:?}"
    );
    assert_eq!(
        bounds(&question(json!({"confidenceLevel": 100}))),
        (Some(0.0), None)
    );
    let far = question(json!({"horizon": 200, "segments": ["premium", "free"]}));
    assert_eq!(far["predictions"].as_array().map(Vec::len), Some(200));
    assert_eq!(far["horizon"], 200);
    // Premium and free part all users, day by day.
    let values = |of: &Value| -> Vec<f64> {
        let days = of["historicalData"].as_array().expect("a history");
        days.iter().filter_map(|d| d["value"].as_f64()).collect()
    };
    let parts: Vec<Vec<f64>> = far["segments"]
        .as_array()
        .expect("segments")
        .iter()
        .map(values)
        .collect();
    let sums: Vec<f64> = parts[0].iter().zip(&parts[1]).map(|(a, b)| a + b).collect();
    assert_eq!(sums, values(&far));
}

#[test]
fn tables_of_series_are_forecast_and_backtested() {
    let store = store::open(YEAR, 1);
    let dates: Vec<String> = (0..90)
        .map(|d| numbers::instant(YEAR + d * DAY)[..10].to_owned())
        .collect();
    let y: Vec<i64> = (0..90).map(|d| 100 + 10 * (d % 7)).collect();
    let ask = |word: &str, question: &Value| {
        let answer = store.ask(&Principal::owner(), word, question);
        answer.map(|text| serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    let made = ask(
        "forecast",
        &json!({"ds": dates, "y": y, "horizon": 7, "level": [80, 95]}),
    )
    .expect("a forecast");
    let rows = &made["forecasts"];
    assert_eq!(rows["ds"][0], "2026-04-01");
    for h in 0..7 {
        let expected = (100 + 10 * ((90 + h) % 7)) as f64;
        let mean = rows["mean"][h as usize].as_f64().expect("a number");
        assert!((mean - expected).abs() < 2.0, "{h}: {mean} {expected}");
    }
    let tested = ask(
        "backtest",
        &json!({"ds": dates, "y": y, "horizon": 7, "origins": 3}),
    )
    .expect("a backtest");
    assert_eq!(tested["series"][0]["origins"], 3);
    assert_eq!(tested["rows"]["y"].as_array().map(Vec::len), Some(21));

    let wrong = ask(
        "forecast",
        &json!({
            "ds": ["2026-01-01", 5], "y": [1], "horizon": 0, "level": [100], "freq": "fortnight",
            "country": "Atlantis", "kind": "mood", "colour": "red",
        }),
    );
    let error = wrong.expect_err("a table with faults");
    let found: Vec<(&str, &str)> = error
        .field_errors()
        .iter()
        .map(|e| (e.field.as_str(), e.code))
        .collect();
    for fault in [
        ("horizon", "out_of_range"),
        ("level[0]", "out_of_range"),
        ("freq", "unknown_frequency"),
        ("kind", "not_in_list"),
        ("country", "unknown_country"),
        ("y", "different_length"),
        ("ds", "mixed_times"),
        ("colour", "unknown_field"),
    ] {
        assert!(found.contains(&fault), "{fault:?} in {found:?}");
    }
}
