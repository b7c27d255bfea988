//! What events and their users say, and which are meant (G5).

use serde_json::{Value, json};

use super::question::Selector;
use super::{Event, History};

/// Something an event or its user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property(pub Value);

impl Property {
    /// Its value, null and nothing being the same.
    pub fn of(&self, history: &History, event: &Event, as_of: i64) -> Option<Value> {
        let value = match &self.0 {
            Value::String(name) => event.properties.get(name).cloned(),
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
        value.filter(|v| !v.is_null())
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

/// Whether an event meets all filters; the oracle knows `is`, `is_not` and `exists` (G5).
pub fn meets(filters: &[Value], history: &History, event: &Event, as_of: i64) -> bool {
    filters.iter().all(|filter| {
        let said = Property(filter["property"].clone()).of(history, event, as_of);
        let wanted = match &filter["value"] {
            Value::Array(any) => any.clone(),
            one => vec![one.clone()],
        };
        let is = said.as_ref().is_some_and(|v| wanted.contains(v));
        match filter.get("op").and_then(Value::as_str).unwrap_or("is") {
            "is" => is,
            "is_not" => !is,
            "exists" => said.is_some(),
            other => panic!("the oracle does not know `{other}`"),
        }
    })
}

/// A property as answers write it.
pub fn property(property: &Property) -> Value {
    match &property.0 {
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
            "cast": null,
        })
    };
    filters.iter().map(normal).collect()
}
