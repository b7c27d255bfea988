//! Who is of a cohort as of an instant (C1), user by user, as its definition says.

use serde_json::{Value, json};

use super::condition::Condition;
use super::question::{Range, text, window};
use super::{Event, History};

/// Whether a user is of a cohort as of an instant; nobody without an event by then is.
pub fn member(history: &History, user: &str, name: &str, as_of: i64) -> bool {
    let rows = history.users(as_of);
    let Some(rows) = rows.get(user) else {
        return false;
    };
    let definition = history.cohorts.get(name).expect("a cohort of that name");
    meets(history, user, rows, definition, as_of)
}

fn meets(history: &History, user: &str, rows: &[&Event], definition: &Value, as_of: i64) -> bool {
    let of = |definition: &Value| meets(history, user, rows, definition, as_of);
    let list = |name: &str| definition.get(name).and_then(Value::as_array);
    if let Some(users) = list("users") {
        return users.contains(&json!(user));
    }
    if let Some(all) = list("all") {
        return all.iter().all(of);
    }
    if let Some(any) = list("any") {
        return any.iter().any(of);
    }
    if let Some(not) = definition.get("not") {
        return !of(not);
    }
    if let Some(filters) = list("profile") {
        return filters
            .iter()
            .all(|filter| plan(history, user, as_of, filter));
    }
    let did = Condition::read(&definition["did"]);
    let (from, to) = if definition.get("startDate").is_some() {
        Range::read(definition).span()
    } else {
        let last = definition.get("last").map(window);
        (last.map_or(i64::MIN, |last| as_of - last + 1), as_of + 1)
    };
    let inside = rows.iter().filter(|e| (from..to).contains(&e.ts));
    let times = inside.filter(|e| did.means(history, e, as_of)).count() as u64;
    let bound = |name: &str, absent: u64| {
        definition
            .get(name)
            .and_then(Value::as_u64)
            .unwrap_or(absent)
    };
    (bound("atLeast", 1)..=bound("atMost", u64::MAX)).contains(&times)
}

/// Whether the plan, as of an instant, is one of the values of a filter.
fn plan(history: &History, user: &str, as_of: i64, filter: &Value) -> bool {
    assert_eq!(
        text(&filter["property"]["user"]),
        "plan",
        "the oracle knows the plan only"
    );
    let known = history
        .profiles
        .iter()
        .filter(|p| p.user == user && p.at <= as_of);
    let plan = known.max_by_key(|p| p.at).and_then(|p| p.plan.clone());
    let wanted = match &filter["value"] {
        Value::Array(any) => any.clone(),
        one => vec![one.clone()],
    };
    plan.is_some_and(|plan| wanted.contains(&json!(plan)))
}
