//! Funnels.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use travelsense::funnel::{Cell, Funnel, GroupKind, Who};
use travelsense::{Analytics, Instant, Principal};

use super::{judge, meets, plain, said, selects};
use crate::generate::NOW;
use crate::store;

/// A case with its events furnished with one property for each step, exclusion and breakdown, so that only the funnel is judged.
struct Case<'c> {
    case: &'c Value,
    store: Analytics,
    question: Value,
    /// Users by their key.
    users: Vec<String>,
}

impl<'c> Case<'c> {
    fn new(case: &'c Value, preset: &str) -> Self {
        let query = &case["query"];
        let users = case["users"].as_array().cloned().unwrap_or_default();
        let all = case["events"].as_array().expect("events");
        let list = |name: &str| query[name].as_array().cloned().unwrap_or_default();
        let steps = list("steps");
        let exclusions = list("exclusions");
        let breakdown = &query["breakdown"];
        let properties = breakdown["properties"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let mut events = Vec::new();
        for event in all {
            if !query["filters"].is_null() && !meets(&query["filters"], event, &users) {
                continue;
            }
            let mut says = json!({});
            for (k, step) in steps.iter().enumerate() {
                let first = || {
                    let same =
                        |e: &&Value| e["user"] == event["user"] && e["event"] == step["event"];
                    all.iter()
                        .filter(same)
                        .all(|e| e["time"].as_str() >= event["time"].as_str())
                };
                let once = step["first_time_for_user"] == json!(true);
                if selects(step, event, &users) && (!once || first()) {
                    says[format!("step{k}")] = json!(true);
                }
            }
            for (x, exclusion) in exclusions.iter().enumerate() {
                if selects(&exclusion["selector"], event, &users) {
                    says[format!("excluded{x}")] = json!(true);
                }
            }
            for (i, property) in properties.iter().enumerate() {
                let name = property.as_str().expect("a property");
                if let Some(value) = said(breakdown["on"] == json!("user"), name, event, &users) {
                    says[format!("group{i}")] = json!(plain(&value));
                }
            }
            events.push(json!({
                "userId": event["user"], "name": event["event"], "ts": event["time"], "properties": says,
            }));
        }
        let flag = |name: String| json!([{"property": name, "op": "is", "value": true}]);
        let step = |k: usize| {
            let optional = steps[k]["optional"] == json!(true);
            json!({"event": null, "where": flag(format!("step{k}")), "optional": optional})
        };
        let order = match query["order"].as_str() {
            Some("unordered") => "any",
            Some(order) => order,
            None => "ordered",
        };
        let mut question = json!({
            "preset": preset,
            "order": order,
            "steps": (0..steps.len()).map(step).collect::<Vec<_>>(),
            "startDate": "1990-01-01",
            "endDate": "2030-01-01",
            "timezone": case["timezone"],
            "window": query["window"].get("seconds").cloned().unwrap_or_else(|| json!("3650d")),
        });
        if let Some(range) = query["range"].as_object() {
            let to: Instant = range["to"]
                .as_str()
                .expect("an instant")
                .parse()
                .expect("an instant");
            question["startDate"] = range["from"].clone();
            question["endDate"] = json!(
                Instant::from_micros(to.micros() + 1)
                    .expect("an instant")
                    .to_string()
            );
        }
        let excluded = |x: usize| {
            let number = |name: &str| exclusions[x][name].as_u64().expect("a step") + 1;
            json!({"event": null, "where": flag(format!("excluded{x}")),
                "from": number("from_step"), "to": number("to_step")})
        };
        if !exclusions.is_empty() {
            question["exclusions"] = (0..exclusions.len()).map(excluded).collect();
        }
        if !breakdown.is_null() {
            let names: Vec<String> = (0..properties.len()).map(|i| format!("group{i}")).collect();
            question["breakdown"] = json!({"property": names});
            match breakdown["attribution"].as_str() {
                Some("last_touch") => question["breakdown"]["by"] = json!("last"),
                Some("step") => {
                    question["breakdown"]["by"] = json!("step");
                    let step = breakdown["attribution_step"].as_u64().expect("a step") + 1;
                    question["breakdown"]["step"] = json!(step);
                }
                _ => question["breakdown"]["by"] = json!("first"),
            }
            if !breakdown["limit"].is_null() {
                question["breakdown"]["limit"] = breakdown["limit"].clone();
            }
        }
        if let Some(interval) = query["interval"].as_str() {
            question["trend"] = json!(match interval {
                "day" => "daily",
                "week" => "weekly",
                _ => "monthly",
            });
        }
        let store = store::open(NOW, 1);
        store::ingest(&store, &events);
        // Keys are given in the order in which users are first seen.
        let mut users: Vec<String> = Vec::new();
        for event in &events {
            let user = plain(&event["userId"]);
            if !users.contains(&user) {
                users.push(user);
            }
        }
        Self {
            case,
            store,
            question,
            users,
        }
    }

    fn asked(&self) -> Funnel {
        let now = Instant::from_micros(NOW).expect("now");
        Funnel::parse(&self.question, &[], now)
            .unwrap_or_else(|e| panic!("{:?} {}", e.field_errors(), self.question))
    }

    /// Who is behind a number.
    fn users(&self, who: &Who) -> BTreeSet<String> {
        let keys = self
            .store
            .funnel_people(&Principal::owner(), &self.asked(), who)
            .expect("people");
        keys.iter()
            .map(|k| self.users[*k as usize].clone())
            .collect()
    }

    /// Everything an answer says otherwise than the peer.
    fn differences(&self) -> Vec<String> {
        let answer = self
            .store
            .funnel(&Principal::owner(), &self.asked())
            .expect("an answer");
        let answer = serde_json::to_value(&answer).expect("JSON");
        let expected = &self.case["expected"];
        let mut wrong = Vec::new();
        if let Some(steps) = expected["steps"].as_array() {
            self.steps("", steps, &answer["steps"], None, &mut wrong);
        }
        let empty = Vec::new();
        let groups = answer["breakdown"]["groups"].as_array().unwrap_or(&empty);
        // PostHog writes what is not set as empty text.
        let value = |group: &Value| -> Vec<String> {
            match (group["kind"].as_str(), &group["value"]) {
                (Some("other"), _) => vec!["Other".to_owned()],
                (_, Value::Array(values)) => values
                    .iter()
                    .map(|v| if v.is_null() { String::new() } else { plain(v) })
                    .collect(),
                (_, Value::Null) => vec![String::new()],
                (_, one) => vec![plain(one)],
            }
        };
        let texts =
            |v: &Value| -> Vec<String> { v.as_array().into_iter().flatten().map(plain).collect() };
        for group in expected["breakdown"].as_array().into_iter().flatten() {
            let wanted = texts(&group["value"]);
            let Some(found) = groups.iter().find(|g| value(g) == wanted) else {
                wrong.push(format!("no group {wanted:?} among {groups:?}"));
                continue;
            };
            let steps = group["steps"].as_array().expect("steps");
            self.steps(
                &format!("{wanted:?} "),
                steps,
                &found["steps"],
                Some(found),
                &mut wrong,
            );
        }
        if let Some(values) = expected["breakdown_values"].as_array() {
            let wanted: BTreeSet<Vec<String>> = values.iter().map(texts).collect();
            let found: BTreeSet<Vec<String>> = groups.iter().map(value).collect();
            if wanted != found {
                wrong.push(format!("groups {found:?} instead of {wanted:?}"));
            }
        }
        if let Some(count) = expected["breakdown_count"].as_u64()
            && groups.len() as u64 != count
        {
            wrong.push(format!("{} groups instead of {count}", groups.len()));
        }
        self.trend(&answer["trend"]["buckets"], &mut wrong);
        if let Some(levels) = expected["levels"].as_object() {
            for (k, _) in answer["steps"].as_array().into_iter().flatten().enumerate() {
                let reached = self.users(&Who::all(Cell::Reached(k + 1)));
                let of = |(user, level): (&String, &Value)| {
                    (user.clone(), level.as_u64() > Some(k as u64))
                };
                for (user, reaches) in levels.iter().map(of).collect::<BTreeMap<_, _>>() {
                    if reached.contains(&user) != reaches {
                        wrong.push(format!("{user} at step {}: not {reaches}", k + 1));
                    }
                }
            }
        }
        wrong
    }

    /// The same of a funnel for each value, whose entries have it.
    fn by_value(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let groups = self.case["expected"]["breakdown"].as_array();
        for group in groups.into_iter().flatten() {
            let value = plain(&group["value"][0]);
            let mut question = self.question.clone();
            question.as_object_mut().map(|q| q.remove("breakdown"));
            let filters = question["steps"][0]["where"].as_array_mut();
            let filters = filters.expect("filters of the first step");
            filters.push(json!({"property": "group0", "op": "is", "value": value}));
            let answer = self.store.ask(&Principal::owner(), "funnel", &question);
            let answer: Value = serde_json::from_str(&answer.expect("an answer")).expect("JSON");
            for (k, step) in group["steps"].as_array().into_iter().flatten().enumerate() {
                if answer["steps"][k]["count"] != step["count"] {
                    wrong.push(format!("{value}: step {}", k + 1));
                }
            }
        }
        wrong
    }

    fn steps(
        &self,
        at: &str,
        expected: &[Value],
        found: &Value,
        group: Option<&Value>,
        wrong: &mut Vec<String>,
    ) {
        for (k, step) in expected.iter().enumerate() {
            let found = &found[k];
            let mut number = |name: &str, found: &Value| {
                if let Some(wanted) = step.get(name)
                    && wanted.as_f64() != found.as_f64()
                {
                    wrong.push(format!(
                        "{at}step {}: {name} is {found} instead of {wanted}",
                        k + 1
                    ));
                }
            };
            number("count", &found["count"]);
            number("avg_seconds", &found["timeFromPrevious"]["mean"]);
            number("median_seconds", &found["timeFromPrevious"]["median"]);
            for (name, cell) in [
                ("users", Cell::Reached(k + 1)),
                ("dropped_users", Cell::Dropped(k)),
            ] {
                let Some(wanted) = step[name].as_array().filter(|_| k > 0 || name == "users")
                else {
                    continue;
                };
                let kind = group.map(|g| match g["kind"].as_str() {
                    Some("not_set") => (GroupKind::NotSet, Value::Null),
                    Some("empty") => (GroupKind::Empty, Value::Null),
                    Some("other") => (GroupKind::Other, Value::Null),
                    _ => (GroupKind::Value, g["value"].clone()),
                });
                let users = self.users(&Who {
                    cell,
                    group: kind,
                    bucket: None,
                });
                let wanted: BTreeSet<String> = wanted.iter().map(plain).collect();
                if users != wanted {
                    wrong.push(format!(
                        "{at}step {}: {name} are {users:?} instead of {wanted:?}",
                        k + 1
                    ));
                }
            }
        }
    }

    fn trend(&self, buckets: &Value, wrong: &mut Vec<String>) {
        let (query, expected) = (&self.case["query"], &self.case["expected"]);
        let empty = Vec::new();
        let buckets = buckets.as_array().unwrap_or(&empty);
        let step = |name: &str| query[name].as_u64().unwrap_or(0) as usize;
        if let Some(count) = expected["period_count"].as_u64()
            && buckets.len() as u64 != count
        {
            wrong.push(format!("{} periods instead of {count}", buckets.len()));
        }
        for (i, period) in expected["periods"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let counts = &buckets[i]["counts"];
            for (name, step) in [
                ("entered", step("from_step")),
                ("converted", step("to_step")),
            ] {
                if period.get(name).is_some_and(|n| *n != counts[step]) {
                    wrong.push(format!(
                        "period {i}: {name} is {} instead of {}",
                        counts[step], period[name]
                    ));
                }
            }
        }
        for period in expected["period_users"].as_array().into_iter().flatten() {
            let start = period["start"].as_str().expect("a start").replace(' ', "T") + "Z";
            let cell = if period["converted"] == json!(true) {
                Cell::Reached(step("to_step") + 1)
            } else {
                Cell::Dropped(step("from_step") + 1)
            };
            let users = self.users(&Who {
                cell,
                group: None,
                bucket: start.parse().ok(),
            });
            let wanted: BTreeSet<String> = period["users"]
                .as_array()
                .into_iter()
                .flatten()
                .map(plain)
                .collect();
            if users != wanted {
                wrong.push(format!("{start}: {users:?} instead of {wanted:?}"));
            }
        }
    }
}

/// PostHog runs the funnel once for each value that the rows of a step have, so that a user can be in several groups of a
/// step; here a unit is in the group of its reported chain alone (F11), and a funnel filtered by each value gives those numbers.
const EACH_ENTRY: &str =
    "ph-funnel-strict-breakdown-funnel_step_breakdown_event_single_person_multiple_breakdowns-1";

#[test]
fn the_presets_give_the_peers_funnels() {
    let asked = judge("funnels", |case, preset| {
        Some(match (&case["id"], case["query"]["kind"].as_str()) {
            (_, Some("sequence")) => super::sequence::differences(case),
            (id, _) if *id == json!(EACH_ENTRY) => Case::new(case, preset).by_value(),
            _ => Case::new(case, preset).differences(),
        })
    });
    assert!(asked > 47, "only {asked} cases");
}
