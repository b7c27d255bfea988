//! Drop-off points and comparisons: the engine against the enumeration of every chain, table by table.

use proptest::prelude::*;
use serde_json::{Value, json};
use travelsense::Instant;
use travelsense::funnel::{self, Compare, ComparedCell, DropOff, DropOffWho};
use travelsense_tests::oracle::History;
use travelsense_tests::oracle::funnel::{Compare as Compared, DropOff as Dropped};

use crate::cases::{CASES, LAWS, agree, same};
use crate::funnel::{case, case_of_filters, case_of_options, said, seeing};
use crate::generate::NOW;

/// Histories and funnels of every kind, as far as they are about where units stop.
fn funnels() -> impl Strategy<Value = (History, Value)> {
    prop_oneof![
        1 => case().boxed(),
        1 => case_of_filters().boxed(),
        2 => case_of_options().boxed(),
    ]
    .prop_map(|(history, funnel)| {
        let mut question = funnel.json();
        for field in [
            "trend",
            "weekStart",
            "histogramBins",
            "timeBetween",
            "revenue",
        ] {
            question.as_object_mut().map(|q| q.remove(field));
        }
        (history, question)
    })
}

fn drop_offs() -> impl Strategy<Value = (History, Value)> {
    let within = prop_oneof![Just(Value::Null), Just(json!(60)), Just(json!("1d"))];
    (
        funnels(),
        0_usize..4,
        any::<bool>(),
        within,
        1_u64..=2,
        1_usize..=4,
    )
        .prop_map(
            |((history, mut question), properties, at_step, within, support, limit)| {
                question.as_object_mut().map(|q| q.remove("breakdown"));
                let mut all = vec![
                    json!("p"),
                    json!({"user": "plan", "at": "at_event"}),
                    json!("t"),
                ];
                if history.cohorts.contains_key("c") {
                    all.push(json!({"cohort": "c"}));
                    all.push(json!({"cohort": "d", "at": "at_event"}));
                }
                let turn = properties % all.len();
                all.rotate_left(turn);
                question["properties"] = json!(all[..properties.min(all.len())]);
                question["propertiesAt"] = json!(if at_step { "step" } else { "entry" });
                question["within"] = within;
                question["minSupport"] = json!(support);
                question["limit"] = json!([1, 2, 20, 100][limit - 1]);
                (history, question)
            },
        )
}

fn comparisons() -> impl Strategy<Value = (History, Value)> {
    let segments = ["new", "returning", "active", "premium", "free", "all"];
    let between = proptest::sample::subsequence(segments.to_vec(), 2..=4);
    (funnels(), between, any::<bool>()).prop_map(|((history, mut question), between, with)| {
        if question.get("breakdown").is_none() {
            let mut groups: Vec<Value> = between.into_iter().map(Value::from).collect();
            if with && history.cohorts.contains_key("c") {
                groups.push(json!({"cohort": "c"}));
                groups.push(json!({"cohort": "d"}));
            }
            question["between"] = json!(groups);
        }
        (history, question)
    })
}

fn now() -> Instant {
    Instant::from_micros(NOW).expect("an instant")
}

fn wrong(error: &travelsense::Error, question: &Value) -> String {
    format!("{:?} {question}", error.field_errors())
}

fn drop_off(history: &History, question: &Value) -> Result<Value, String> {
    let asked = DropOff::parse(question, &[], now()).map_err(|e| wrong(&e, question))?;
    let answer = seeing(history, question, &asked, funnel::drop_off)?;
    serde_json::to_value(answer).map_err(|e| e.to_string())
}

fn compare(history: &History, question: &Value) -> Result<Value, String> {
    let asked = Compare::parse(question, &[], now()).map_err(|e| wrong(&e, question))?;
    let answer = seeing(history, question, &asked, funnel::compare)?;
    serde_json::to_value(answer).map_err(|e| e.to_string())
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_drop_off_points() {
    agree(CASES, &drop_offs(), |(history, question)| {
        let expected = Dropped::read(question, &[], NOW).answer(history);
        same(&expected, &drop_off(history, question)?, question, history)
            .map_err(|e| format!("{e}{}", said(history)))
    });
}

#[test]
fn the_engine_agrees_with_the_oracle_on_random_comparisons() {
    agree(CASES, &comparisons(), |(history, question)| {
        let expected = Compared::read(question, &[], NOW).answer(history);
        same(&expected, &compare(history, question)?, question, history)
            .map_err(|e| format!("{e}{}", said(history)))
    });
}

/// The lists behind the numbers about drop-off points.
fn cells(answer: &Value) -> Vec<(u64, Value)> {
    let mut cells = Vec::new();
    let n = |v: &Value| v.as_u64().unwrap_or_default();
    let mut factors = |of: &Value, step: Option<&Value>| {
        for factor in of["factors"].as_array().into_iter().flatten() {
            let what = match factor.get("event") {
                Some(event) => json!({"event": event}),
                None => json!({
                    "property": factor["property"],
                    "kind": factor["kind"],
                    "value": factor["value"],
                }),
            };
            for (side, without) in [("with", false), ("without", true)] {
                let mut cell = json!({"cell": "factor", "factor": what, "without": without});
                if let Some(step) = step {
                    cell["step"] = step.clone();
                }
                cells.push((n(&factor[side]["n"]), cell.clone()));
                cell["wentOn"] = json!(true);
                cells.push((n(&factor[side]["k"]), cell));
            }
        }
    };
    factors(&answer["conversion"]["factors"], None);
    let steps = || answer["steps"].as_array().into_iter().flatten();
    for step in steps() {
        factors(&step["factors"], Some(&step["step"]));
    }
    cells.push((
        n(&answer["conversion"]["entered"]),
        json!({"cell": "matured_reached"}),
    ));
    for step in steps() {
        let mut one = |count: &Value, cell: &str, event: Option<&Value>| {
            let mut cell = json!({"cell": cell, "step": step["step"]});
            if let Some(event) = event {
                cell["event"] = event.clone();
            }
            cells.push((n(count), cell));
        };
        one(&step["reached"], "reached", None);
        one(&step["dropped"], "dropped", None);
        one(&step["open"], "open", None);
        one(&step["matured"]["reached"], "matured_reached", None);
        one(&step["matured"]["dropped"], "matured_dropped", None);
        one(&step["exit"]["k"], "exit", None);
        for next in step["next"].as_array().into_iter().flatten() {
            one(&next["rate"]["k"], "next", Some(&next["event"]));
        }
    }
    cells
}

/// Whether users are what is counted.
fn of_users(question: &Value) -> bool {
    let unit = question.get("unit").is_none_or(|unit| unit == "users");
    unit && question.get("holdConstant").is_none()
}

fn keys(users: &std::collections::BTreeSet<String>) -> Vec<u32> {
    users.iter().filter_map(|u| u.parse().ok()).collect()
}

#[test]
fn the_people_behind_drop_off_points_are_as_many_as_the_numbers_say() {
    agree(LAWS, &drop_offs(), |(history, question)| {
        let cells = cells(&drop_off(history, question)?);
        let asked = DropOff::parse(question, &[], now()).map_err(|e| wrong(&e, question))?;
        let step = 1 + cells.len() / 16;
        for (n, cell) in cells.iter().step_by(step) {
            let list = seeing(history, question, &asked, |scoped, view| {
                funnel::drop_off_people(scoped, view, &DropOffWho::parse(cell, scoped.inner())?)
            })?;
            let expected = keys(&Dropped::read(question, &[], NOW).people(history, cell));
            if list != expected || of_users(question) && list.len() as u64 != *n {
                return Err(format!(
                    "{cell}: {list:?} instead of {expected:?}, which are {n}\n{question}\n{}",
                    said(history)
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn the_people_behind_a_comparison_are_as_many_as_the_numbers_say() {
    agree(LAWS, &comparisons(), |(history, question)| {
        let answer = compare(history, question)?;
        let asked = Compare::parse(question, &[], now()).map_err(|e| wrong(&e, question))?;
        let groups = answer["groups"].as_array().into_iter().flatten();
        for (i, group) in groups.enumerate() {
            let n = |side: &str, field: &str| group["conversion"][side][field].as_u64();
            let mut cells = vec![
                (n("with", "n"), json!({"group": i})),
                (n("without", "n"), json!({"group": i, "rest": true})),
            ];
            if let Some(last) = group["steps"].as_array().and_then(|s| s.last()) {
                let (k, rest) = (last["with"]["k"].as_u64(), last["without"]["k"].as_u64());
                cells.push((k, json!({"group": i, "step": last["step"]})));
                cells.push((
                    rest,
                    json!({"group": i, "step": last["step"], "rest": true}),
                ));
            }
            for (n, cell) in cells {
                let list = seeing(history, question, &asked, |scoped, view| {
                    let cell = ComparedCell::parse(&cell, scoped.inner())?;
                    funnel::compared_people(scoped, view, &cell)
                })?;
                let expected = keys(&Compared::read(question, &[], NOW).people(history, &cell));
                if list != expected || of_users(question) && Some(list.len() as u64) != n {
                    return Err(format!("{cell}: {list:?}, {expected:?}, {n:?}\n{question}"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn drop_off_points_count_what_the_funnel_counts() {
    agree(LAWS, &drop_offs(), |(history, question)| {
        let mut plain = question.clone();
        for field in [
            "properties",
            "propertiesAt",
            "within",
            "minSupport",
            "limit",
        ] {
            plain.as_object_mut().map(|q| q.remove(field));
        }
        let asked =
            travelsense::Funnel::parse(&plain, &[], now()).map_err(|e| wrong(&e, &plain))?;
        let funnel = seeing(history, &plain, &asked, funnel::answer)?;
        let answer = drop_off(history, question)?;
        let conversion = &answer["conversion"];
        let whole = [funnel.matured.entered, funnel.matured.converted];
        let mut agrees = [&conversion["entered"], &conversion["converted"]]
            == whole.map(|n| json!(n)).each_ref();
        for step in answer["steps"].as_array().into_iter().flatten() {
            let place = step["step"].as_u64().unwrap_or_default() as usize;
            let theirs = &funnel.steps[place - 1];
            agrees &=
                step["reached"] == json!(theirs.count) && step["dropped"] == json!(theirs.dropped);
        }
        if agrees {
            Ok(())
        } else {
            Err(format!("{answer}\n{question}"))
        }
    });
}

/// The insight about drop-off points over `users` users: every other one looks at a map, and more of those book.
fn insight(users: usize) -> Value {
    let mut events = Vec::new();
    for user in 0..users {
        let mut event = |name: &str, second: usize| {
            let ts = format!("2026-01-10T00:00:{second:02}Z");
            events.push(json!({"userId": user.to_string(), "name": name, "ts": ts}));
        };
        event("search", 0);
        if user % 2 == 0 {
            event("map", 1);
        }
        if user % 8 < 6 && user % 2 == 0 || user % 8 == 1 {
            event("book", 2);
        }
    }
    let store = crate::store::open(1_772_323_200_000_000, 2);
    crate::store::ingest(&store, &events);
    let question = json!({
        "insightType": "drop_off_points", "steps": ["search", "book"], "window": "1d",
        "startDate": "2026-01-01", "endDate": "2026-01-31",
    });
    let answer = store.ask(&travelsense::Principal::owner(), "user_insights", &question);
    let answer: Value = serde_json::from_str(&answer.expect("an answer")).expect("JSON");
    answer[0].clone()
}

#[test]
fn the_insight_says_where_users_stop_what_they_do_and_what_separates_them() {
    let many = insight(80);
    assert_eq!(many["insightType"], "drop_off_points");
    assert_eq!(many["title"], "Most users stop after `search`");
    assert_eq!(
        many["description"],
        "Of 80 users who did `search`, 40 (50.0 %, 95 % interval 39.3 to 60.7 %) went no further within their window. What they \
         did next was most often `map` (10 of them); 30 did nothing more. Users with `map` on the way went on more often: 75.0 % \
         of 40 against 25.0 % of 40 without (difference 50.0 points, 95 % interval 28.5 to 65.3)."
    );
    assert_eq!(many["confidence"], 95);
    assert_eq!(many["data"]["steps"][0]["factors"]["tried"], 1);
    let few = insight(8)["description"].as_str().expect("text").to_owned();
    assert!(
        few.ends_with("did nothing more. These are too few users to lean on."),
        "{few}"
    );
    let none = insight(0);
    assert_eq!(none["title"], "Where users stop");
    assert_eq!(
        none["description"],
        "No user's window has passed in this range."
    );
    assert_eq!(none["confidence"], Value::Null);
}
