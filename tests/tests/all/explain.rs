//! Differences explained: over every vector of a funnel, the numbers are the funnel's own, and whoever differs can be listed.

use serde_json::{Value, json};
use travelsense::{Analytics, Principal};
use travelsense_tests::oracle::funnel::{Funnel, Who};
use travelsense_tests::vector::Vector;

use crate::store;

const PRESETS: [&str; 5] = ["exact", "posthog", "mixpanel", "amplitude", "clickhouse"];

fn ask(store: &Analytics, word: &str, question: &Value) -> Value {
    let answer = store.ask(&Principal::owner(), word, question);
    let answer = answer.unwrap_or_else(|e| panic!("{word} {question}: {e:?}"));
    serde_json::from_str(&answer).expect("JSON")
}

fn listed(store: &Analytics, question: &Value, cell: &Value) -> Vec<String> {
    let request =
        json!({"word": "explain_difference", "question": question, "cell": cell, "limit": 10_000});
    let people = store.people(&Principal::owner(), &request).expect("people");
    assert_eq!(people.total, people.users.len() as u64);
    people.users.into_iter().map(|u| u.user_id).collect()
}

#[test]
fn any_two_presets_over_any_vector_are_explained() {
    let default = ["search", "view_trip", "start_booking", "complete_booking"];
    let mut differing = 0;
    let vectors = Vector::all("funnel").expect("vectors");
    let answered = vectors
        .iter()
        .filter(|v| v.expect.is_some() && v.events.len() < 60);
    for (i, vector) in answered.enumerate() {
        let (a, b) = (PRESETS[i % 5], PRESETS[(i / 5 + i + 1) % 5]);
        let under = |preset: &str| {
            let mut question = vector.question.clone();
            question["preset"] = json!(preset);
            question
        };
        let (store, _) = store::of(vector);
        let question = json!({"a": under(a), "b": under(b)});
        // Users who differ are not listed from a sample.
        if vector.question.get("sample").is_some() {
            let refused = store.ask(&Principal::owner(), "explain_difference", &question);
            assert_eq!(refused.unwrap_err().field_errors()[0].field, "sample");
            continue;
        }
        let explained = ask(&store, "explain_difference", &question);
        let short = json!({"question": vector.question, "presets": [a, b]});
        assert_eq!(
            ask(&store, "explain_difference", &short),
            explained,
            "{}",
            vector.name
        );

        // The numbers are those of the questions, and the users those of the enumeration.
        let history = vector.history(&["premium"]);
        let mut users = Vec::new();
        for (side, preset) in [("a", a), ("b", b)] {
            let answer = ask(&store, "funnel", &under(preset));
            let numbers = &explained[side]["numbers"];
            for field in [
                "entered",
                "converted",
                "open",
                "rate",
                "matured",
                "timeToConvert",
            ] {
                assert_eq!(numbers[field], answer[field], "{} {field}", vector.name);
            }
            let spelled = ask(&store, "funnel", &explained[side]["question"]);
            assert_eq!(spelled["switches"], answer["switches"], "{}", vector.name);
            let who = Who {
                cell: "converted",
                ..Who::default()
            };
            let funnel = Funnel::read(&under(preset), &default, vector.now());
            users.push(funnel.people(&history, &who));
        }
        for (name, cell, expected) in [
            (
                "onlyA",
                "only_a",
                users[0].difference(&users[1]).cloned().collect::<Vec<_>>(),
            ),
            (
                "onlyB",
                "only_b",
                users[1].difference(&users[0]).cloned().collect(),
            ),
            (
                "both",
                "both",
                users[0].intersection(&users[1]).cloned().collect(),
            ),
        ] {
            assert_eq!(
                explained["users"][name],
                json!(expected.len()),
                "{}",
                vector.name
            );
            assert_eq!(
                listed(&store, &question, &json!({"users": cell})),
                expected,
                "{}",
                vector.name
            );
        }

        // A switch is named where it differs, and does alone what the question with it alone does.
        let mut named = 0;
        for switch in explained["switches"].as_array().expect("switches") {
            let field = switch["switch"].as_str().expect("a field");
            assert_ne!(switch["a"], switch["b"], "{}", vector.name);
            if switch["numbers"].is_null() {
                assert!(
                    !switch["errors"].as_array().expect("errors").is_empty(),
                    "{}",
                    vector.name
                );
                continue;
            }
            let mut alone = explained["a"]["question"].clone();
            alone[field] = switch["b"].clone();
            let answer = ask(&store, "funnel", &alone);
            assert_eq!(
                switch["numbers"]["converted"], answer["converted"],
                "{}",
                vector.name
            );
            for (name, cell) in [("onlyA", "only_a"), ("onlyB", "only_b"), ("both", "both")] {
                let list = listed(&store, &question, &json!({"users": cell, "switch": field}));
                assert_eq!(
                    switch["users"][name],
                    json!(list.len()),
                    "{} {field}",
                    vector.name
                );
            }
            named += 1;
        }
        if explained["a"]["numbers"] != explained["b"]["numbers"] {
            differing += 1;
            assert!(
                named > 0
                    || !explained["switches"]
                        .as_array()
                        .expect("switches")
                        .is_empty()
            );
        }
    }
    assert!(differing > 5, "only {differing} differ");
}
