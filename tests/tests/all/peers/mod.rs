//! The numbers that peers' own tests assert, under their presets.

mod engagement;
mod funnel;
mod journey;
mod retention;
mod sequence;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// A value as text, which is how PostHog compares.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether an event, or its user, meets a filter; a list means all.
pub(crate) fn meets(filter: &Value, event: &Value, users: &[Value]) -> bool {
    let list = |name: &str| filter[name].as_array();
    if let Some(all) = filter.as_array().or_else(|| list("all")) {
        return all.iter().all(|f| meets(f, event, users));
    }
    if let Some(any) = list("any") {
        return any.iter().any(|f| meets(f, event, users));
    }
    let property = filter["property"].as_str().expect("a property");
    let said = said(filter["on"] == json!("user"), property, event, users);
    let wanted: Vec<String> = match &filter["value"] {
        Value::Array(any) => any.iter().map(plain).collect(),
        one => vec![plain(one)],
    };
    let is = said.as_ref().is_some_and(|v| wanted.contains(&plain(v)));
    let contains = || {
        let text = said.as_ref().map(|v| plain(v).to_lowercase());
        text.is_some_and(|t| wanted.iter().any(|w| t.contains(&w.to_lowercase())))
    };
    let number = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
    let order = || number(said.as_ref()?)?.partial_cmp(&number(&filter["value"])?);
    match filter["op"].as_str().expect("an operator") {
        "eq" => is,
        "ne" => !is,
        "icontains" => contains(),
        "not_icontains" => !contains(),
        "is_set" => said.is_some(),
        "is_not_set" => said.is_none(),
        "gt" => order().is_some_and(std::cmp::Ordering::is_gt),
        "gte" => order().is_some_and(std::cmp::Ordering::is_ge),
        "lt" => order().is_some_and(std::cmp::Ordering::is_lt),
        "lte" => order().is_some_and(std::cmp::Ordering::is_le),
        other => panic!("`{other}` is no operator of the cases"),
    }
}

/// What an event or its user says.
pub(crate) fn said(of_user: bool, property: &str, event: &Value, users: &[Value]) -> Option<Value> {
    let holder = if of_user {
        users.iter().find(|u| u["user"] == event["user"])?
    } else {
        event
    };
    holder["properties"]
        .get(property)
        .filter(|v| !v.is_null())
        .cloned()
}

pub(crate) fn selects(selector: &Value, event: &Value, users: &[Value]) -> bool {
    if let Some(any) = selector["any_of"].as_array() {
        return any.iter().any(|s| selects(s, event, users));
    }
    let named = selector["event"].is_null() || selector["event"] == event["event"];
    named && (selector["where"].is_null() || meets(&selector["where"], event, users))
}

/// Judges the cases of a folder that are no quirks: `differences` says everything that an answer says otherwise than the peer,
/// or nothing for a case it leaves aside. How many were judged; panics where any of them differs.
pub(crate) fn judge(
    folder: &str,
    differences: impl Fn(&Value, &'static str) -> Option<Vec<String>>,
) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(folder);
    let (mut asked, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder).expect("the cases") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a file of cases");
        let cases: Vec<Value> = serde_json::from_str(&text).expect("cases");
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let preset = match file.split('_').next() {
            Some("posthog") => "posthog",
            Some("clickhouse") => "clickhouse",
            _ => "exact",
        };
        for case in cases.iter().filter(|c| c["quirk"] != json!(true)) {
            let Some(found) = differences(case, preset) else {
                continue;
            };
            asked += 1;
            if !found.is_empty() {
                wrong.push(format!("{}:\n  {}", case["id"], found.join("\n  ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    asked
}
