//! What must stay the same, or change, when data or a question change in a known way.

use std::cell::Cell;

use proptest::prelude::*;
use serde_json::{Value, json};
use travelsense::events::Table;
use travelsense::{Analytics, Instant, Principal};
use travelsense_tests::oracle::funnel::Funnel;
use travelsense_tests::oracle::numbers::instant;
use travelsense_tests::oracle::question::Range;
use travelsense_tests::oracle::retention::Retention;
use travelsense_tests::oracle::{History, numbers};

use crate::cases::{LAWS, agree};
use crate::generate::{DAY, HOUR, NOW};
use crate::{funnel, retention, store};

/// The JSON with every instant in it moved.
fn moved(value: &Value, by: i64) -> Value {
    match value {
        Value::String(text) => match text.parse::<Instant>() {
            Ok(at) => json!(instant(at.micros() + by)),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| moved(item, by)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), moved(value, by)))
            .collect(),
        other => other.clone(),
    }
}

/// The history with every time in it moved.
fn shifted(history: &History, by: i64) -> History {
    let mut history = history.clone();
    history.events.iter_mut().for_each(|event| event.ts += by);
    history.profiles.iter_mut().for_each(|said| said.at += by);
    history
}

/// An answer without its zone, and without where it comes from.
fn numbers_of(answer: &impl serde::Serialize) -> Result<Value, String> {
    let mut answer = serde_json::to_value(answer).map_err(|e| e.to_string())?;
    if let Some(fields) = answer.as_object_mut() {
        for name in ["timezone", "_id", "resultHash"] {
            fields.remove(name);
        }
    }
    Ok(answer)
}

/// The question in a zone whose clocks always are so many hours ahead.
fn in_zone(question: &Value, ahead: i64) -> Value {
    let mut question = moved(question, -ahead * HOUR);
    question["timezone"] = json!(format!("Etc/GMT-{ahead}"));
    question
}

/// In another zone than it was made for, a range may end before it begins.
fn is_empty(range: &Range) -> bool {
    range.end.start(range.tz()) <= range.start.start(range.tz())
}

/// Both answers are the same but for their instants, which lie `ahead` hours apart.
fn compare(here: &Value, there: &Value, ahead: i64, question: &Value) -> Result<(), String> {
    let there = moved(there, ahead * HOUR);
    if *here == there {
        Ok(())
    } else {
        Err(format!("{here}\nbecame\n{there}\nfor {question}"))
    }
}

/// Asks for the numbers of cases here, and there with all times moved.
fn in_both<Q>(
    cases: &impl Strategy<Value = (History, Q)>,
    json: impl Fn(&Q) -> Value,
    answer: impl Fn(&History, &Value) -> Result<Value, String>,
) where
    Q: std::fmt::Debug,
{
    let asked = Cell::new(0);
    agree(LAWS, &(cases, 1_i64..=14), |((history, asking), ahead)| {
        let mut question = json(asking);
        question["timezone"] = json!("Etc/GMT");
        if is_empty(&Range::read(&question)) {
            return Ok(());
        }
        asked.set(asked.get() + 1);
        let here = answer(history, &question)?;
        let there = answer(
            &shifted(history, -ahead * HOUR),
            &in_zone(&question, *ahead),
        )?;
        compare(&here, &there, *ahead, &question)
    });
    assert!(asked.get() > LAWS / 2, "{asked:?}");
}

#[test]
fn g2_a_funnel_in_another_zone_with_all_times_moved_has_the_same_numbers() {
    in_both(
        &funnel::case_of_options(),
        Funnel::json,
        |history, question| {
            numbers_of(&funnel::ask_engine(
                history,
                &Funnel::read(question, &[], NOW),
            )?)
        },
    );
}

#[test]
fn g2_a_retention_table_in_another_zone_with_all_times_moved_has_the_same_numbers() {
    in_both(&retention::case(), Retention::json, |history, question| {
        numbers_of(&retention::ask_engine(
            history,
            &Retention::read(question, NOW),
        )?)
    });
}

#[test]
fn g3_a_whole_bucket_of_a_funnel_does_not_depend_on_how_wide_the_range_is() {
    let trend = prop_oneof![Just("daily"), Just("weekly"), Just("monthly")];
    let wider = (funnel::case_of_options(), trend, 0..40 * DAY, 0..40 * DAY);
    let seen = Cell::new(0);
    agree(LAWS, &wider, |((history, funnel), trend, before, after)| {
        let mut question = funnel.json();
        question["trend"] = json!(trend);
        // What is relative to the range by its meaning: segments, the first entry in it, steps within it, and where
        // attempts begin to be counted.
        question["segment"] = json!("all");
        for name in ["entries", "range", "breakdown", "weekStart"] {
            question.as_object_mut().map(|q| q.remove(name));
        }
        if question["unit"] == json!("totals") {
            question["totals"] = json!("every_entry");
        }
        let buckets = |question: &Value| -> Result<Vec<Value>, String> {
            let answer = funnel::ask_engine(history, &Funnel::read(question, &[], NOW))?;
            let answer = serde_json::to_value(answer).map_err(|e| e.to_string())?;
            Ok(answer["trend"]["buckets"]
                .as_array()
                .cloned()
                .unwrap_or_default())
        };
        let narrow = buckets(&question)?;
        let (from, to) = Range::read(&question).span();
        question["startDate"] = json!(instant(from - before));
        question["endDate"] = json!(instant(to + after));
        let wide = buckets(&question)?;
        for bucket in narrow.iter().filter(|b| b["partial"] == json!(false)) {
            seen.set(seen.get() + u32::from(bucket["entered"] != json!(0)));
            if !wide.contains(bucket) {
                return Err(format!("{bucket}\nis not among\n{wide:?}\nof {question}"));
            }
        }
        Ok(())
    });
    assert!(seen.get() > LAWS / 10, "{seen:?}");
}

fn event(id: &str, user: &str, device: Option<&str>, name: &str, ts: &str) -> Value {
    json!({ "eventId": id, "userId": user, "anonymousId": device, "name": name, "ts": ts })
}

/// The stamp of a funnel's answer: the hash of its numbers, and the versions of the data and of who is who.
fn stamp(store: &Analytics, as_of: &str) -> [String; 3] {
    let question = json!({
        "steps": ["a", "b"], "startDate": "2024-01-01", "endDate": "2024-01-31", "asOf": as_of,
    });
    let answer = store
        .ask(&Principal::owner(), "funnel", &question)
        .expect("an answer");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    ["resultHash", "dataVersion", "identityVersion"]
        .map(|name| answer[name].as_str().expect("a stamp").to_owned())
}

#[test]
fn g2_equal_contents_have_equal_versions_whatever_the_loads() {
    let events = [
        event("1", "u", None, "a", "2024-01-02T00:00:00Z"),
        event("2", "u", None, "b", "2024-01-03T00:00:00Z"),
        event("3", "v", None, "a", "2024-01-04T00:00:00Z"),
    ];
    let now = NOW;
    let whole = store::open(now, 1);
    store::ingest(&whole, &events);
    let parts = store::open(now, 2);
    for event in events.iter().rev().chain(&events) {
        store::ingest(&parts, std::slice::from_ref(event));
        stamp(&parts, "2024-06-01T00:00:00Z");
    }
    let as_of = "2024-06-01T00:00:00Z";
    assert_eq!(stamp(&whole, as_of), stamp(&parts, as_of));
    // Another event is another version, even one that no number of this answer sees.
    store::ingest(
        &parts,
        &[event("4", "w", None, "c", "2024-02-01T00:00:00Z")],
    );
    let (before, after) = (stamp(&whole, as_of), stamp(&parts, as_of));
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    assert_eq!(before[2], after[2]);
}

#[test]
fn g2_a_later_event_changes_the_data_but_no_answer_as_of_before_it() {
    let store = store::open(NOW, 2);
    store::ingest(
        &store,
        &[event("1", "u", None, "a", "2024-01-02T00:00:00Z")],
    );
    let (early, late) = ("2024-01-05T00:00:00Z", "2024-06-01T00:00:00Z");
    let before = [stamp(&store, early), stamp(&store, late)];
    store::ingest(
        &store,
        &[event("2", "u", None, "b", "2024-01-06T00:00:00Z")],
    );
    let after = [stamp(&store, early), stamp(&store, late)];
    assert_eq!(before[0][0], after[0][0]);
    assert_ne!(before[1][0], after[1][0]);
    assert_ne!(before[0][1], after[0][1]);
}

#[test]
fn g2_an_alias_changes_the_version_of_who_is_who_and_its_order_does_not() {
    let row = |device: &str, user: &str| json!({ "anonymousId": device, "userId": user, "ts": "2024-01-02T00:00:00Z" });
    let rows = [row("d", "u"), row("e", "v")];
    let as_of = numbers::instant(NOW);
    let open = || {
        let store = store::open(NOW, 2);
        store::ingest(
            &store,
            &[event("1", "u", None, "a", "2024-01-02T00:00:00Z")],
        );
        store
    };
    let plain = stamp(&open(), &as_of);
    let one = open();
    store::import(&one, Table::Aliases, &rows);
    let other = open();
    for row in rows.iter().rev() {
        store::import(&other, Table::Aliases, std::slice::from_ref(row));
    }
    assert_eq!(stamp(&one, &as_of), stamp(&other, &as_of));
    assert_ne!(stamp(&one, &as_of)[2], plain[2]);
    assert_eq!(stamp(&one, &as_of)[0], plain[0]);
}

/// A funnel or a retention table without what says that it is of a sample.
fn unsampled(mut answer: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in ["estimate", "estimates", "sample"] {
                    fields.remove(name);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut answer);
    if let Some(fields) = answer.as_object_mut() {
        for name in ["_id", "resultHash", "dataVersion"] {
            fields.remove(name);
        }
    }
    answer
}

#[test]
fn s2_a_sample_answers_as_a_store_of_its_users_alone() {
    let sampled = |user: &str| {
        let text = format!("salt\0{user}");
        let hash = twox_hash::XxHash3_64::oneshot(text.as_bytes());
        (hash as f64) < 0.3 * 2_f64.powi(64)
    };
    let events = (0..2_000_u32).map(|n| {
        let user = format!("u{}", n * 7 % 331);
        let name = ["a", "b", "c"][(n * n % 3) as usize];
        let day = 1 + n * 13 % 28;
        let ts = format!("2024-01-{day:02}T{:02}:{:02}:00Z", n % 24, n % 60);
        event(&n.to_string(), &user, None, name, &ts)
    });
    let (mut all, mut some) = (Vec::new(), Vec::new());
    for event in events {
        if sampled(event["userId"].as_str().unwrap_or_default()) {
            some.push(event.clone());
        }
        all.push(event);
    }
    assert!(some.len() > 300 && some.len() < 900, "{}", some.len());
    let (whole, part) = (store::open(NOW, 2), store::open(NOW, 2));
    store::ingest(&whole, &all);
    store::ingest(&part, &some);
    let range = json!({"startDate": "2024-01-05", "endDate": "2024-01-25"});
    let funnel = json!({"steps": ["a", "b"], "trend": "weekly", "breakdown": {"property": "x"}});
    let table = json!({"cohortPeriod": "weekly", "analysisMetric": "retention_rate"});
    for (word, question) in [("funnel", funnel), ("retention", table)] {
        let mut question = question;
        let fields = question.as_object_mut().expect("an object");
        fields.extend(range.as_object().cloned().expect("an object"));
        let ask = |store: &Analytics, question: &Value| -> Value {
            let answer = store.ask(&Principal::owner(), word, question);
            serde_json::from_str(&answer.expect("an answer")).expect("JSON")
        };
        let alone = ask(&part, &question);
        question["sample"] = json!({"rate": 0.3, "salt": "salt"});
        let sample = ask(&whole, &question);
        assert_eq!(sample["sample"], question["sample"]);
        assert_eq!(unsampled(sample), unsampled(alone.clone()));
        // Whoever is behind a number of a sample is not who is meant.
        let cell = if word == "funnel" {
            json!({"cell": "entered"})
        } else {
            json!({"cohort": alone["cohorts"][0]["period"], "who": "cohort"})
        };
        let mut people = json!({"word": word, "question": question, "cell": cell});
        let asked = |people: &Value| whole.people(&Principal::owner(), people);
        let error = asked(&people).expect_err("refused");
        assert_eq!(error.field_errors()[0].code, "sampled", "{error}");
        people["question"]["sample"] = Value::Null;
        assert!(asked(&people).expect("people").total > 0);
    }
}
