//! Churn, customer value and next actions: the engine against a look at every user, and against what is published.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use travelsense::churn::{self, Named};
use travelsense::{Instant, NextAction, Principal, next_action};
use travelsense_tests::oracle::churn::Churn;
use travelsense_tests::oracle::next_action::Done;
use travelsense_tests::oracle::question::Range;
use travelsense_tests::oracle::{Event, History, compare, numbers};

use crate::cases::{FITS, LAWS, agree};
use crate::generate::{DAY, NAMES, NOW, ask};
use crate::store;

/// Users whose events lie on and beside the edges of days before an instant, some of them at or after it.
fn history(as_of: i64) -> impl Strategy<Value = History> {
    let ts = (-2_i64..60, select(vec![-1, 0, 1, DAY / 2]));
    let event = (0_u32..7, ts, select(NAMES.as_slice()));
    vec(event, 0..60).prop_map(move |events| History {
        events: events
            .into_iter()
            .enumerate()
            .map(|(i, (user, (days, by), name))| Event {
                user: Some(user.to_string()),
                name: name.to_owned(),
                ts: as_of - days * DAY + by,
                seq: Some(i as i64),
                ..Event::default()
            })
            .collect(),
        ..History::default()
    })
}

fn activity() -> impl Strategy<Value = Option<Vec<String>>> {
    proptest::option::of(
        proptest::sample::subsequence(NAMES.as_slice(), 1..3)
            .prop_map(|names| names.into_iter().map(str::to_owned).collect()),
    )
}

fn case() -> impl Strategy<Value = (History, Churn)> {
    let as_of = NOW - 100 * DAY;
    let within = proptest::option::of(1_i64..25);
    (history(as_of), 1_i64..16, activity(), within).prop_map(
        move |(history, horizon, activity, active_within)| {
            let question = Churn {
                horizon,
                activity,
                active_within,
                as_of,
            };
            (history, question)
        },
    )
}

/// Users are called by their keys.
fn names(keys: &[u32]) -> travelsense::Result<Vec<Named>> {
    let named = keys.iter().map(|key| Named {
        user: *key,
        id: key.to_string(),
        anonymous: false,
    });
    Ok(named.collect())
}

fn range(as_of: i64) -> Range {
    let question =
        json!({"startDate": numbers::instant(as_of - DAY), "endDate": numbers::instant(as_of)});
    Range::read(&question)
}

fn churned(history: &History, question: &Churn) -> Result<Value, String> {
    let now = Instant::from_micros(NOW).ok_or("now")?;
    let asked = travelsense::Churn::parse(&question.json(), now).map_err(|e| e.to_string())?;
    let mut code = None;
    let answer = ask(
        history,
        &range(question.as_of),
        question.as_of,
        &asked,
        |q, view| {
            let answer = churn::answer(q, view, None, &names);
            Ok(answer.map_err(|e| e.field_errors().first().map(|f| f.code)))
        },
    )?;
    match answer {
        Ok(answer) => serde_json::to_value(answer).map_err(|e| e.to_string()),
        Err(found) => {
            code = code.or(found);
            Ok(json!({"code": code}))
        }
    }
}

/// What of an answer the oracle knows, its users in the order of their ids.
fn known(answer: &Value) -> Value {
    let pick = |of: &Value, fields: &[&str]| -> Value {
        let picked = fields.iter().map(|f| ((*f).to_owned(), of[*f].clone()));
        Value::Object(picked.collect())
    };
    let mut users: Vec<Value> = answer["users"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|u| pick(u, &["userId", "activeDays", "daysSinceActive", "daysKnown"]))
        .collect();
    users.sort_by_key(|u| u["userId"].to_string());
    let quality = &answer["quality"];
    json!({
        "learnedAt": answer["learnedAt"],
        "summary": pick(&answer["summary"], &["users"]),
        "total": answer["total"],
        "quality": if quality.is_null() { Value::Null } else { pick(quality, &["cutOff", "churned"]) },
        "users": users,
    })
}

#[test]
fn the_engine_agrees_with_the_oracle_on_who_counts_and_who_churned() {
    agree(FITS, &case(), |(history, question)| {
        let answer = churned(history, question)?;
        let (expected, actual) = match question.answer(history) {
            Ok(expected) => (expected, known(&answer)),
            Err(code) => (json!({"code": code}), answer),
        };
        compare::same(&expected, &actual).map_err(|d| format!("{d}\n{question:?}\n{history:?}"))
    });
}

#[test]
fn risks_are_probabilities_in_order_whose_reasons_and_bins_add_up() {
    agree(FITS, &case(), |(history, question)| {
        let answer = churned(history, question)?;
        if answer.get("code").is_some() {
            return Ok(());
        }
        let number = |v: &Value| v.as_f64().ok_or_else(|| format!("{v} is no number"));
        let average = answer["summary"]["averageLogOdds"].as_f64();
        let (mut sum, mut before) = (0.0, 1.0);
        for user in answer["users"].as_array().ok_or("users")? {
            let [p, low, high] = ["probability", "low", "high"].map(|f| number(&user[f]));
            let (p, low, high) = (p?, low?, high?);
            if !(0.0 < p && p < 1.0 && low <= p && p <= high && p <= before) {
                return Err(format!("{user} after {before}"));
            }
            before = p;
            sum += p;
            let effects = user["reasons"].as_array().into_iter().flatten();
            let effects: f64 = effects.filter_map(|r| r["effect"].as_f64()).sum();
            let odds = (p / (1.0 - p)).ln();
            if (average.ok_or("an average")? + effects - odds).abs() > 1e-9 * (1.0 + odds.abs()) {
                return Err(format!("reasons do not add up: {user}"));
            }
        }
        let expected = number(&answer["summary"]["expectedChurners"])?;
        let bins = answer["summary"]["bins"].as_array().into_iter().flatten();
        let binned: u64 = bins.filter_map(|b| b["users"].as_u64()).sum();
        if (expected - sum).abs() > 1e-9 || Some(binned) != answer["summary"]["users"].as_u64() {
            return Err(format!(
                "{expected} is not {sum}, or {binned} users in bins"
            ));
        }
        Ok(())
    });
}

#[test]
fn s7_events_from_the_cut_off_on_change_no_score() {
    let more = |as_of: i64| {
        let event = (
            0_u32..9,
            0_i64..30,
            select(vec![0, 1, DAY / 2]),
            select(NAMES.as_slice()),
        );
        vec(event, 1..30).prop_map(move |events| -> Vec<Event> {
            let event = |(user, days, by, name): (u32, i64, i64, &str)| Event {
                user: Some(user.to_string()),
                name: name.to_owned(),
                ts: as_of + days * DAY + by,
                ..Event::default()
            };
            events.into_iter().map(event).collect()
        })
    };
    let cases = case().prop_flat_map(move |(history, question)| {
        let as_of = question.as_of;
        (Just(history), Just(question), more(as_of))
    });
    agree(FITS, &cases, |(history, question, more)| {
        let answer = churned(history, question)?;
        let mut longer = history.clone();
        longer.events.extend(more.iter().cloned());
        let mut after = churned(&longer, question)?;
        // The version of what is stored differs, of course; the hash of the answer does not.
        if let Some(version) = answer.get("dataVersion") {
            after["dataVersion"] = version.clone();
        }
        if after != answer {
            return Err(format!("{answer}\n{after}"));
        }
        Ok(())
    });
}

#[test]
fn the_engine_agrees_with_the_oracle_on_next_actions() {
    let as_of = NOW - 100 * DAY;
    let cases = (history(as_of), activity(), 0_usize..=3);
    agree(LAWS, &cases, |(history, activity, order)| {
        let question = NextAction {
            users: (0..7).map(|u: u32| u.to_string()).collect(),
            activity: travelsense::query::Condition::from(match activity {
                None => travelsense::Selector::Any,
                Some(names) => travelsense::Selector::AnyOf(names.clone()),
            }),
            order: *order,
            top: 100,
            ..NextAction::default()
        };
        let users: Vec<u32> = (0..7).collect();
        let answer = ask(history, &range(as_of), as_of, &question, |q, view| {
            let answer = next_action::answer(q, view, &users);
            Ok(answer.map_err(|e| e.field_errors().first().map(|f| f.code)))
        })?;
        let done = Done::of(history, activity.as_deref(), as_of);
        let answer = match answer {
            Ok(answer) => answer,
            Err(code) => {
                let nothing = done.next(0).is_empty() && code == Some("no_events");
                return if nothing {
                    Ok(())
                } else {
                    Err(format!("{code:?}"))
                };
            }
        };
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let expected = done.next(answer.order);
        let ids: Vec<&String> = answer.users.iter().map(|u| &u.user_id).collect();
        if !ids.iter().copied().eq(expected.keys()) {
            return Err(format!("{ids:?}"));
        }
        let mut together: BTreeMap<&str, f64> = BTreeMap::new();
        for user in &answer.users {
            let chances = &expected[&user.user_id];
            if user.next.len() != chances.len() {
                return Err(format!("{user:?}"));
            }
            for next in &user.next {
                let p = chances[&next.event];
                *together.entry(&next.event).or_default() += p;
                if !(close(p, next.probability) && next.low <= p && p <= next.high) {
                    return Err(format!("{p} of {user:?}"));
                }
            }
        }
        for all in &answer.actions {
            if (all.expected_users - together[all.event.as_str()]).abs() > 1e-9 {
                return Err(format!("{all:?} is not {together:?}"));
            }
        }
        let quality = serde_json::to_value(&answer.quality).map_err(|e| e.to_string())?;
        let Some(split) = answer.quality.as_ref().map(|q| q.split_at.micros()) else {
            return Ok(());
        };
        let mut expected = done.quality(split, *order);
        expected["splitAt"] = quality["splitAt"].clone();
        compare::same(&expected, &quality).map_err(|d| format!("{d}\n{history:?}"))
    });
}

/// The purchases of CDNOW as events; none where the real data is not here.
fn cdnow(keep: impl Fn(&str) -> bool) -> Option<Vec<Value>> {
    let path = "../../shared/data/customers_cdnow_transactions.csv";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("not run: {} is not here", path.display());
        return None;
    };
    let rows = text.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        let [user, date, _, amount] = fields.as_slice() else {
            return None;
        };
        keep(user).then(|| {
            json!({
                "userId": user,
                "name": "payment",
                "ts": format!("{date}T00:00:00Z"),
                "properties": {"amount": amount.parse::<f64>().ok()},
            })
        })
    });
    Some(rows.collect())
}

fn answer(events: &[Value], word: &str, question: &Value) -> Value {
    let store = store::open(NOW, 2);
    for batch in events.chunks(20_000) {
        let report = store::ingest(&store, batch);
        assert_eq!(report.accepted, batch.len() as u64);
    }
    let said = store
        .ask(&Principal::owner(), word, question)
        .expect("an answer");
    serde_json::from_str(&said).expect("an answer is JSON")
}

#[test]
fn the_models_of_cdnow_are_the_published_ones() {
    // The ids of the 2,357 customers of the published sample.
    let sample = include_str!("../../data/cdnow_sample.txt");
    let sample: std::collections::BTreeSet<&str> = sample.split_whitespace().collect();
    assert_eq!(sample.len(), 2_357);
    let Some(events) = cdnow(|user| sample.contains(user)) else {
        return;
    };
    // Fader, Hardie and Lee (2005), table 2: r = 0.243, α = 4.414 weeks, a = 0.793, b = 2.426, from 1997-01-01 to 1997-09-30.
    let question = json!({"asOf": "1997-10-01T00:00:00Z", "horizonDays": 273, "limit": 10_000});
    let answer = answer(&events, "value", &question);
    let close = |value: &Value, scale: f64, published: f64| {
        let value = value.as_f64().expect("a number") / scale;
        assert!(
            (value - published).abs() < 5e-4,
            "{value} is not {published}"
        );
    };
    let visits = &answer["visits"];
    close(&visits["r"], 1.0, 0.243);
    close(&visits["alpha"], 7.0, 4.414);
    close(&visits["a"], 1.0, 0.793);
    close(&visits["b"], 1.0, 2.426);
    // The paper's example is customer 1 of the sample, 39 weeks on: 1.226 purchases expected.
    let users = answer["users"].as_array().expect("users");
    let user = users
        .iter()
        .find(|u| u["userId"] == "00004")
        .expect("the first");
    close(&user["expectedPurchases"], 1.0, 1.226);
}

#[test]
fn churn_of_cdnow_within_90_days_is_ranked_and_calibrated() {
    let Some(events) = cdnow(|_| true) else {
        return;
    };
    let question = json!({"asOf": "1998-06-29T00:00:00Z", "horizonDays": 90, "limit": 1});
    let answer = answer(&events, "churn", &question);
    let quality = &answer["quality"];
    assert_eq!(quality["cutOff"], "1998-03-31T00:00:00.000Z");
    assert_eq!(quality["churned"]["n"], 23_570);
    let figure = |value: &Value| value.as_f64().expect("a number");
    eprintln!("{quality}");
    assert!(figure(&quality["auc"]["value"]) >= 0.838, "{quality}");
    assert!(figure(&quality["brier"]) <= 0.0915, "{quality}");
    assert!(figure(&quality["calibrationError"]) <= 0.03, "{quality}");
    assert!(figure(&quality["brierOfBaseRate"]) > figure(&quality["brier"]));
}

/// Travellers of three countries on phones and desks, who come every third day on average. Italians on phones and others at desks
/// soon stop to come, which neither says alone.
fn travellers(users: u64) -> Vec<Value> {
    let mut state = 7_u64;
    let mut unit = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut events = Vec::new();
    for user in 0..users {
        let country = ["IT", "FR", "DE"][(user % 3) as usize];
        let device = ["phone", "desk"][(user / 3 % 2) as usize];
        let leaves = (country == "IT") == (device == "phone");
        let stop = if leaves { 0.1 } else { 0.002 };
        for day in user as i64 % 98..120 {
            if unit() < 0.33 {
                let ts = NOW - (120 - day) * DAY + (unit() * 1e10) as i64;
                events.push(json!({
                    "userId": format!("u{user}"), "name": "A", "ts": numbers::instant(ts),
                    "properties": {"country": country, "device": device},
                }));
            }
            if unit() < stop {
                break;
            }
        }
    }
    events
}

#[test]
fn s7_attributes_that_tell_who_goes_are_learned_by_trees() {
    let events = travellers(4_000);
    let as_of = numbers::instant(NOW - 20 * DAY);
    let question = json!({
        "horizonDays": 14, "activeWithinDays": 14, "limit": 200, "asOf": as_of,
        "attributes": ["country", "device"],
    });
    let with = answer(&events, "churn", &question);
    assert_eq!(with["method"], "boosting", "{}", with["learnedAt"]);
    assert_eq!(with["attributes"], json!(["country", "device"]));
    let without = answer(
        &events,
        "churn",
        &json!({"horizonDays": 14, "activeWithinDays": 14, "limit": 0, "asOf": as_of}),
    );
    assert_eq!(without["method"], "hazard");
    let figure = |of: &Value, name: &str| of["quality"][name].as_f64().expect("a number");
    assert!(figure(&with, "logLoss") < 0.97 * figure(&without, "logLoss"));
    assert!(
        figure(&with, "calibrationError") < 0.06,
        "{}",
        with["quality"]
    );
    let average = with["summary"]["averageLogOdds"].as_f64().expect("odds");
    let (mut told, mut other) = (0, 0);
    for user in with["users"].as_array().expect("users") {
        let number = |name: &str| user[name].as_f64().expect("a number");
        let (low, p, high) = (number("low"), number("probability"), number("high"));
        assert!(low < p && p < high, "{user}");
        let reasons = user["reasons"].as_array().expect("reasons");
        let effects = reasons
            .iter()
            .map(|r| r["effect"].as_f64().expect("a number"));
        let odds = average + effects.sum::<f64>();
        assert!((odds - (p / (1.0 - p)).ln()).abs() < 1e-6, "{user}");
        let of = |name: &str| reasons.iter().find(|r| r["attribute"] == name);
        let text = of("country").map(|r| r["text"].as_str().expect("a text"));
        told += usize::from(text.is_some_and(|t| t.starts_with("`country` is `")));
        other += usize::from(of("device").is_some());
    }
    assert!(told > 150 && other > 150, "{told} {other}");
    // The order of loading, and what is said from the cut-off on, change no byte.
    let mut turned = events;
    turned.extend((0..300).map(|i| {
        json!({
            "userId": format!("u{i}"), "name": "A", "ts": numbers::instant(NOW - 20 * DAY + i),
            "properties": {"country": "AA", "device": "other"},
        })
    }));
    turned.reverse();
    let mut again = answer(&turned, "churn", &question);
    again["dataVersion"] = with["dataVersion"].clone();
    assert_eq!(again, with);
}

#[test]
fn attributes_are_what_was_known_then() {
    let store = store::open(NOW, 1);
    let refused = |attributes: Value| {
        let question = json!({ "attributes": attributes });
        let error = store
            .ask(&Principal::owner(), "churn", &question)
            .expect_err("faults");
        let faults = error
            .field_errors()
            .iter()
            .map(|f| (f.field.clone(), f.code));
        faults.collect::<Vec<_>>()
    };
    let at = |i: usize| (format!("attributes[{i}]"), "contradiction");
    let later = json!(["country", {"user": "plan", "at": "as_of"}, {"user": "plan"}, "$session"]);
    assert_eq!(refused(later), [at(1), at(3)]);
    let many: Vec<String> = (0..9).map(|i| i.to_string()).collect();
    assert_eq!(
        refused(json!(many)),
        [("attributes".to_owned(), "invalid_length")]
    );
}

#[test]
fn next_actions_stand_beside_the_reasons() {
    let as_of = numbers::instant(NOW - 20 * DAY);
    let store = store::open(NOW, 2);
    let events = travellers(60);
    store::ingest(&store, &events);
    let ask = |word: &str, question: &Value| -> Value {
        let said = store.ask(&Principal::owner(), word, question);
        serde_json::from_str(&said.expect("an answer")).expect("JSON")
    };
    let mut question = json!({"horizonDays": 14, "limit": 5, "asOf": as_of});
    let plain = ask("churn", &question);
    assert!(plain["users"][0].get("nextActions").is_none());
    question["nextActions"] = json!(2);
    let told = ask("churn", &question);
    assert_ne!(told["resultHash"], plain["resultHash"]);
    let users = told["users"].as_array().expect("users");
    let ids: Vec<&Value> = users.iter().map(|u| &u["userId"]).collect();
    let before = numbers::instant(NOW - 20 * DAY - 1);
    let next = ask(
        "next_action",
        &json!({"users": ids, "top": 2, "asOf": before}),
    );
    for (user, next) in users.iter().zip(next["users"].as_array().expect("users")) {
        assert_eq!(user["userId"], next["userId"]);
        assert_eq!(user["nextActions"][0]["event"], next["next"][0]["event"]);
        assert_eq!(
            user["nextActions"][0]["probability"],
            next["next"][0]["probability"]
        );
    }
}

/// Users who open a session every day or two and then search or read, as each of them likes best; what comes after a pause no last action
/// tells.
fn habits(users: u64) -> Vec<Value> {
    let mut state = 11_u64;
    let mut below = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut events = Vec::new();
    for user in 0..users {
        let favourite = ["search", "read"][(user % 2) as usize];
        let mut ts = NOW - 24 * DAY + (below(86_400) * 1_000_000) as i64;
        while ts < NOW - 2 * DAY {
            for step in 0..2 + below(3) {
                let name = match (step, below(5)) {
                    (0, _) => "open",
                    (_, 0) => "buy",
                    _ => favourite,
                };
                events.push(json!({
                    "userId": format!("u{user}"), "name": name, "ts": numbers::instant(ts),
                }));
                ts += 20_000_000;
            }
            ts += DAY + (below(86_400) * 1_000_000) as i64;
        }
    }
    events
}

#[test]
fn trees_tell_the_next_action_where_they_win() {
    let mut events = habits(220);
    let question = json!({"users": ["u0", "u1"], "asOf": numbers::instant(NOW - 2 * DAY)});
    let told = answer(&events, "next_action", &question);
    assert_eq!(told["method"], "boosting", "{}", told["backtest"]);
    let figure = |of: &str, name: &str| told["backtest"][of][name].as_f64().expect("a number");
    assert!(figure("boosting", "logLoss") < 0.5 * figure("markov", "logLoss"));
    let rate = |of: &str| {
        told["backtest"][of]["topOne"]["value"]
            .as_f64()
            .expect("a rate")
    };
    assert!(rate("boosting") > 0.9 && rate("markov") < rate("boosting"));
    let mut expected = 0.0;
    for all in told["actions"].as_array().expect("actions") {
        expected += all["expectedUsers"].as_f64().expect("a number");
    }
    let users = told["segmentUsers"].as_f64().expect("a number");
    assert!(users > 200.0 && (users - expected).abs() < 0.02 * users);
    for user in told["users"].as_array().expect("users") {
        let next = user["next"].as_array().expect("actions");
        assert_eq!(next[0]["event"], "open", "{user}");
        for next in next {
            let [low, p, high] = ["low", "probability", "high"].map(|f| next[f].as_f64());
            assert!(
                Some(0.0) <= low && low <= p && p <= high && high <= Some(1.0),
                "{next}"
            );
        }
    }
    // The order of loading, and what comes later, change no byte; the risks say the same.
    events.push(json!({"userId": "u0", "name": "buy", "ts": numbers::instant(NOW - DAY)}));
    events.reverse();
    let mut again = answer(&events, "next_action", &question);
    again["dataVersion"] = told["dataVersion"].clone();
    assert_eq!(again, told);
}

#[test]
fn too_few_actions_leave_the_next_one_to_the_chain() {
    let question = json!({"asOf": numbers::instant(NOW - 2 * DAY)});
    let told = answer(&habits(20), "next_action", &question);
    assert_eq!(told["method"], "markov");
    assert_eq!(told["backtest"], Value::Null);
    assert!(told["quality"].is_object());
}
