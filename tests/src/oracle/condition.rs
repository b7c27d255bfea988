//! What events and their users say, and which are meant (G5).

use serde_json::{Value, json};

use super::question::{Selector, text};
use super::{Event, History, cohort};

/// Whether who is of a cohort is asked as of the question, which nothing need say (C1).
pub fn fixed(cohort: &Value) -> bool {
    cohort.get("at").is_none_or(|at| *at == json!("as_of"))
}

/// A whole number is itself, with or without a decimal point.
fn plain(value: Value) -> Value {
    match value.as_f64() {
        Some(x) if value.is_f64() && x == x.trunc() && x.abs() < 9e15 => json!(x as i64),
        _ => value,
    }
}

/// Something an event or its user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property(pub Value);

impl Property {
    /// The row of a chain that says what it is.
    pub fn row<'e>(&self, row: &'e Event, entry: &'e Event) -> &'e Event {
        if self.0.get("at") == Some(&json!("at_entry")) {
            entry
        } else {
            row
        }
    }

    /// Its value, null and nothing being the same.
    pub fn of(&self, history: &History, event: &Event, as_of: i64) -> Option<Value> {
        let value = match &self.0 {
            Value::String(name) => event.properties.get(name).cloned(),
            Value::Object(map) if map.contains_key("cohort") => {
                let name = text(&map["cohort"]);
                let user = event.user.as_deref()?;
                let at = if fixed(&self.0) { as_of } else { event.ts };
                Some(json!(cohort::member(history, user, &name, at)))
            }
            user => {
                assert_eq!(
                    user["user"],
                    json!("plan"),
                    "the oracle knows the plan only"
                );
                let at = if user["at"] == json!("as_of") {
                    as_of
                } else {
                    event.ts
                };
                let mut known: Vec<_> = history
                    .profiles
                    .iter()
                    .filter(|p| Some(&p.user) == event.user.as_ref() && p.at <= at)
                    .collect();
                known.sort_by_key(|p| p.at);
                known.last().and_then(|p| p.plan.clone()).map(Value::String)
            }
        };
        value.filter(|v| !v.is_null()).map(plain)
    }
}

/// Events of some names that say certain things.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Their names.
    pub event: Selector,
    /// What they say; all must be met.
    pub filters: Vec<Value>,
}

impl Condition {
    /// As questions write it.
    pub fn read(value: &Value) -> Self {
        match value.as_object() {
            Some(map) => Self {
                event: Selector::read(map.get("event").unwrap_or(&Value::Null)),
                filters: filters(map.get("where")),
            },
            None => Self {
                event: Selector::read(value),
                filters: Vec::new(),
            },
        }
    }

    /// Whether an event is meant.
    pub fn means(&self, history: &History, event: &Event, as_of: i64) -> bool {
        self.event.means(&event.name) && meets(&self.filters, history, event, as_of)
    }

    /// As answers write it.
    pub fn json(&self) -> Value {
        if self.filters.is_empty() {
            return self.event.json();
        }
        json!({ "event": self.event.json(), "where": normal(&self.filters) })
    }
}

fn filters(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether a filter asks what is known of the user at the entry (C1).
fn of_entry(filter: &Value) -> bool {
    filter["property"]["at"] == json!("at_entry")
}

/// Whether an entry meets all filters as of it.
pub fn lets(filters: &[Value], history: &History, entry: &Event, as_of: i64) -> bool {
    let mine: Vec<Value> = filters.iter().filter(|f| of_entry(f)).cloned().collect();
    all(&mine, history, entry, as_of)
}

/// Whether an event meets all filters but those as of an entry.
pub fn meets(filters: &[Value], history: &History, event: &Event, as_of: i64) -> bool {
    let mine: Vec<Value> = filters.iter().filter(|f| !of_entry(f)).cloned().collect();
    all(&mine, history, event, as_of)
}

/// Whether an event meets all filters, as far as the oracle knows them (G5).
fn all(filters: &[Value], history: &History, event: &Event, as_of: i64) -> bool {
    filters.iter().all(|filter| {
        let said = Property(filter["property"].clone()).of(history, event, as_of);
        let wanted = match &filter["value"] {
            Value::Array(any) => any.clone(),
            one => vec![one.clone()],
        };
        let number = |v: &Value| match v {
            Value::String(text) if filter["cast"] == json!("number") => text.parse().ok(),
            other => other.as_f64(),
        };
        let equal = |a: &Value, b: &Value| a == b || number(a).is_some() && number(a) == number(b);
        let is = said
            .as_ref()
            .is_some_and(|v| wanted.iter().any(|w| equal(v, w)));
        // Without a special character, a regular expression matches where the text contains it.
        let matches = || {
            let text = said.as_ref().and_then(Value::as_str);
            let part = wanted[0].as_str().expect("a pattern");
            assert!(
                part.chars().all(char::is_alphanumeric),
                "the oracle knows plain text only"
            );
            text.is_some_and(|t| t.contains(part))
        };
        match filter.get("op").and_then(Value::as_str).unwrap_or("is") {
            "is" => is,
            "is_not" => !is,
            "exists" => said.is_some(),
            "not_exists" => said.is_none(),
            "matches" => matches(),
            "not_matches" => !matches(),
            "gte" => said.as_ref().and_then(number) >= number(&wanted[0]),
            other => panic!("the oracle does not know `{other}`"),
        }
    })
}

/// A property as answers write it.
pub fn property(property: &Property) -> Value {
    match &property.0 {
        cohort if cohort.get("cohort").is_some() && fixed(cohort) => {
            json!({"cohort": cohort["cohort"]})
        }
        cohort if cohort.get("cohort").is_some() => cohort.clone(),
        Value::Object(user) => json!({
            "user": user["user"],
            "at": user.get("at").cloned().unwrap_or_else(|| json!("at_event")),
        }),
        name => name.clone(),
    }
}

/// Filters as answers write them: with every field.
pub fn normal(filters: &[Value]) -> Value {
    let normal = |filter: &Value| {
        let values = match filter.get("value") {
            None => Vec::new(),
            Some(Value::Array(values)) => values.clone(),
            Some(one) => vec![one.clone()],
        };
        json!({
            "property": property(&Property(filter["property"].clone())),
            "op": filter.get("op").cloned().unwrap_or_else(|| json!("is")),
            "value": values,
            "ignoreCase": false,
            "cast": filter.get("cast"),
        })
    };
    filters.iter().map(normal).collect()
}
