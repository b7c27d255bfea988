//! The numbers of lifecycle and stickiness that a peer's own tests assert, under its preset.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use travelsense::{Instant, Principal};

use super::{meets, plain, said, selects};
use crate::generate::NOW;
use crate::store;

/// The answer to a case. Its events say whether they match, so that only the arithmetic of periods is judged.
fn answer(case: &Value) -> Value {
    let query = &case["query"];
    let users = case["users"].as_array().cloned().unwrap_or_default();
    let mut events = Vec::new();
    for event in case["events"].as_array().expect("events") {
        let filtered = query["filters"].is_null() || meets(&query["filters"], event, &users);
        let matches = filtered && selects(&query["match"], event, &users);
        let user = match &query["actor"] {
            Value::Null => Some(event["user"].clone()),
            actor => {
                let property = actor["property"].as_str().expect("a property");
                said(actor["on"] == json!("user"), property, event, &users)
            }
        };
        if let Some(user) = user {
            events.push(json!({
                "userId": plain(&user), "name": event["event"], "ts": event["time"],
                "properties": { "matches": matches },
            }));
        }
    }
    let to = query["range"]["to"].as_str().expect("an instant");
    let to: Instant = to.parse().expect("an instant");
    let until = Instant::from_micros(to.micros() + 1).expect("an instant");
    let mut question = json!({
        "preset": "posthog",
        "metrics": [query["kind"]],
        "event": { "event": null, "where": [{ "property": "matches", "op": "is", "value": true }] },
        "startDate": query["range"]["from"],
        "endDate": until.to_string(),
        "timezone": case["timezone"],
        "weekStart": query["week_start"],
        "period": match query["interval"].as_str() {
            Some("day") => "daily",
            Some("week") => "weekly",
            Some("month") => "monthly",
            other => panic!("{other:?} is no interval of the cases"),
        },
    });
    if !query["per_interval"].is_null() {
        question["minEvents"] = query["per_interval"].clone();
    }
    let store = store::open(NOW, 1);
    store::ingest(&store, &events);
    let answer = store
        .engagement_json(&Principal::owner(), &question)
        .unwrap_or_else(|e| panic!("{:?} {question}", e.field_errors()));
    serde_json::to_value(answer).expect("JSON")
}

/// What an answer says of everything that the peer asserts.
fn asserted(case: &Value, answer: &Value) -> Value {
    let empty = Vec::new();
    let rows = |rows: &'_ Value, of: &dyn Fn(&Value) -> Value| -> Value {
        rows.as_array().unwrap_or(&empty).iter().map(of).collect()
    };
    let exactly = case["query"]["cumulative"] != json!(true);
    let expected = case["expected"].as_object().expect("numbers");
    let said = expected.keys().map(|field| {
        let value = match field.as_str() {
            "data" => {
                let share = if exactly { "exactly" } else { "atLeast" };
                rows(&answer["stickiness"]["rows"], &|row| {
                    row[share]["k"].clone()
                })
            }
            "users" => answer["users"].clone(),
            "dormant" => rows(&answer["lifecycle"], &|row| {
                json!(-row["dormant"].as_i64().expect("a number"))
            }),
            state => {
                let state = if state == "resurrecting" {
                    "resurrected"
                } else {
                    state
                };
                rows(&answer["lifecycle"], &|row| row[state].clone())
            }
        };
        (field.clone(), value)
    });
    Value::Object(said.collect())
}

#[test]
fn the_preset_gives_the_peers_lifecycles_and_stickiness() {
    let (mut asked, mut wrong) = (0, Vec::new());
    for kind in ["lifecycle", "stickiness"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("peers")
            .join(kind);
        for entry in fs::read_dir(folder).expect("the cases") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a file of cases");
            let cases: Vec<Value> = serde_json::from_str(&text).expect("cases");
            for case in cases.iter().filter(|c| c["quirk"] != json!(true)) {
                asked += 1;
                let found = asserted(case, &answer(case));
                if found != case["expected"] {
                    wrong.push(format!(
                        "{}: {found} instead of {}",
                        case["id"], case["expected"]
                    ));
                }
            }
        }
    }
    assert!(asked >= 6, "only {asked} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
