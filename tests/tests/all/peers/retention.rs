//! Retention tables, and ClickHouse's flags of days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate};
use serde_json::{Value, json};
use travelsense::{Analytics, Principal};

use super::{judge, meets, plain, said, selects};
use crate::generate::NOW;
use crate::store;

/// A case with its events furnished with what they are of the question, so that only the table is judged.
struct Case<'c> {
    case: &'c Value,
    store: Analytics,
    question: Value,
}

/// The first date of a cohort.
fn date(start: &Value) -> NaiveDate {
    let text = start.as_str().expect("a start");
    text[..10].parse().expect("a date")
}

impl<'c> Case<'c> {
    /// Nothing for cohorts that are no hours, days, weeks or months.
    fn new(case: &'c Value, preset: &str) -> Option<Self> {
        let query = &case["query"];
        let (period, last) = match query["interval"].as_str()? {
            "hour" => ("hourly", 0),
            "day" => ("daily", 0),
            "week" => ("weekly", 6),
            "month" => ("monthly", 0),
            _ => return None,
        };
        let starts = query["cohort_starts"].as_array().expect("cohorts");
        let mut end = date(starts.last().expect("a cohort")) + Days::new(last);
        if period == "monthly" {
            end = end + Months::new(1) - Days::new(1);
        }
        let widest = query["columns"].as_array().expect("columns").iter();
        let widest = widest.filter_map(Value::as_u64).max().expect("a column");
        let mut question = json!({
            "preset": preset,
            "cohortPeriod": period,
            "analysisMetric": "retention_rate",
            "mode": match query["type"].as_str() {
                Some("first_ever") => "first_ever_then_filter",
                Some(mode) => mode,
                None => "first_time",
            },
            // The first event of that name decides, whatever its filters say.
            "start": {"event": query["target"]["event"], "where": flag("target")},
            "return": {"event": null, "where": flag("return")},
            "startDate": date(&starts[0]).to_string(),
            "endDate": end.to_string(),
            "timezone": case["timezone"],
            "weekStart": query["week_start"],
            "periods": widest - 1,
            "minimumOccurrences": query.get("minimum_occurrences").unwrap_or(&Value::Null),
        });
        if period == "hourly" {
            question["startDate"] = starts[0].clone();
            let last = starts.last().and_then(Value::as_str).expect("a cohort");
            let last: travelsense::Instant = last.parse().expect("an instant");
            let end = travelsense::Instant::from_micros(last.micros() + 3_600_000_000);
            question["endDate"] = json!(end.expect("an instant").to_string());
        }
        if query["cumulative"] == json!(true) {
            question["criterion"] = json!("on_or_after");
        }
        if !query["breakdown"].is_null() {
            question["breakdown"] = json!({"property": "group"});
            if let Some(limit) = query["breakdown"].get("limit") {
                question["breakdown"]["limit"] = limit.clone();
            }
        }
        Some(Self {
            case,
            store: furnished(case),
            question,
        })
    }

    fn answer(&self) -> Value {
        let who = Principal::owner();
        let answer = self.store.ask(&who, "retention", &self.question);
        let answer = answer.unwrap_or_else(|e| panic!("{:?} {}", e.field_errors(), self.question));
        serde_json::from_str(&answer).expect("JSON")
    }

    /// The users of a cell.
    fn users(&self, cohort: &Value, column: usize, group: Option<usize>) -> BTreeSet<String> {
        let cell = json!({"cohort": cohort["period"], "column": column, "who": "retained", "group": group});
        let request = json!({"word": "retention", "question": self.question, "cell": cell});
        let people = self.store.people(&Principal::owner(), &request);
        let people = people.expect("people").users.into_iter();
        people.map(|person| person.user_id).collect()
    }

    /// Everything an answer says otherwise than the peer.
    fn differences(&self) -> Vec<String> {
        let answer = self.answer();
        let expected = &self.case["expected"];
        let mut wrong = Vec::new();
        rows("", &expected["cohorts"], &answer["cohorts"], &mut wrong);
        let groups = answer["breakdown"]["groups"].as_array();
        let groups: Vec<&Value> = groups.into_iter().flatten().collect();
        for wanted in expected["breakdown"].as_array().into_iter().flatten() {
            let value = plain(&wanted["value"]);
            match groups.iter().find(|g| g["label"] == json!(value)) {
                Some(found) => rows(&value, &wanted["cohorts"], &found["cohorts"], &mut wrong),
                None => wrong.push(format!("no group `{value}` among {groups:?}")),
            }
        }
        for members in expected["members"].as_array().into_iter().flatten() {
            self.members(members, &answer, &mut wrong);
        }
        wrong
    }

    fn members(&self, members: &Value, answer: &Value, wrong: &mut Vec<String>) {
        let c = members["cohort"].as_u64().expect("a cohort") as usize;
        let cohort = &answer["cohorts"][c];
        let columns = self.case["query"]["columns"][c].as_u64().expect("a width");
        let mut appear: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for column in 0..columns {
            for user in self.users(cohort, column as usize, None) {
                appear.entry(user).or_default().push(column);
            }
        }
        let wanted = members["users"].as_array().expect("users");
        if members["complete"] == json!(true) && wanted.len() != appear.len() {
            wrong.push(format!("cohort {c}: {appear:?} instead of {wanted:?}"));
        }
        for user in wanted {
            let found = appear
                .get(&plain(&user["user"]))
                .map(|columns| json!(columns));
            let columns = user.get("appearances").or(found.as_ref());
            if found.is_none() || columns != found.as_ref() {
                wrong.push(format!("cohort {c}: {found:?} instead of {user}"));
            }
        }
    }
}

fn flag(name: &str) -> Value {
    json!([{"property": name, "op": "is", "value": true}])
}

/// A store of a case's events, each saying whether it is a target and a return, and its group.
fn furnished(case: &Value) -> Analytics {
    let query = &case["query"];
    let users = case["users"].as_array().cloned().unwrap_or_default();
    let value = |of: &Value, event: &Value| {
        let property = of["property"].as_str()?;
        said(of["on"] == json!("user"), property, event, &users)
    };
    let mut events = Vec::new();
    for event in case["events"].as_array().expect("events") {
        let mut user = event["user"].clone();
        if !query["actor"].is_null() {
            let Some(actor) = value(&query["actor"], event) else {
                continue;
            };
            user = actor;
        }
        let seen = query["filters"].is_null() || meets(&query["filters"], event, &users);
        let says = json!({
            "target": seen && selects(&query["target"], event, &users),
            "return": seen && selects(&query["return"], event, &users),
            "group": value(&query["breakdown"], event).as_ref().map(plain),
        });
        events.push(json!({
            "userId": user, "name": event["event"], "ts": event["time"], "properties": says,
        }));
    }
    let store = store::open(NOW, 1);
    store::ingest(&store, &events);
    store
}

/// Compares the rows of a table, as far as the peer asserts them.
fn rows(at: &str, expected: &Value, found: &Value, wrong: &mut Vec<String>) {
    for (c, cohort) in expected.as_array().into_iter().flatten().enumerate() {
        for (name, ours) in [("values", "count"), ("rates", "value")] {
            let wanted = cohort[name].as_array().into_iter().flatten();
            for (n, wanted) in wanted.enumerate() {
                let cell = &found[c]["retention"][n][ours];
                if cell.as_f64() != wanted.as_f64() {
                    wrong.push(format!("{at} cohort {c}, {n}: {cell} instead of {wanted}"));
                }
            }
        }
    }
}

/// ClickHouse's `retention` of conditions that are days: a flag is a column of the cohort of the first day.
fn flags(case: &Value) -> Vec<String> {
    let conditions = case["query"]["conditions"].as_array().expect("conditions");
    let day = |c: &Value| date(&c["where"][0]["value"]);
    let first = day(&conditions[0]);
    let columns = conditions.iter().map(|c| (day(c) - first).num_days());
    let columns: Vec<usize> = columns
        .map(|n| usize::try_from(n).expect("a column"))
        .collect();
    let case = Case {
        case,
        store: furnished(case),
        question: json!({
            "preset": "clickhouse",
            "cohortPeriod": "daily",
            "analysisMetric": "retention_rate",
            "start": conditions[0]["event"],
            "return": conditions[0]["event"],
            "startDate": first.to_string(),
            "endDate": format!("{}T00:00:00Z", first + Days::new(1)),
            "periods": columns.last(),
        }),
    };
    let cohort = &case.answer()["cohorts"][0];
    let expected = &case.case["expected"];
    let mut wrong = Vec::new();
    for (k, column) in columns.iter().enumerate() {
        let count = &cohort["retention"][column]["count"];
        if expected.get("sums").is_some_and(|sums| sums[k] != *count) {
            wrong.push(format!(
                "flag {k}: {count} instead of {}",
                expected["sums"][k]
            ));
        }
        let users = case.users(cohort, *column, None);
        for (user, flags) in expected["flags"].as_object().into_iter().flatten() {
            if users.contains(user) != (flags[k] == json!(1)) {
                wrong.push(format!("flag {k} of {user} is not {}", flags[k]));
            }
        }
    }
    wrong
}

/// Aside: cohorts by 30 days from a Monday, which a question cannot ask for.
#[test]
fn the_presets_give_the_peers_retention_tables() {
    let asked = judge("retention", |case, preset| {
        if case["query"]["kind"] == json!("retention_flags") {
            return Some(flags(case));
        }
        Some(Case::new(case, preset)?.differences())
    });
    assert_eq!(asked, 17, "cases");
}
