//! What a step, a start or a return means: events of some names whose properties say certain things.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::fields::{Parsed, fault, selector};
use super::filter::{Filter, Property, filters};
use super::selector::Selector;

/// Events of some names that meet all filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Condition {
    /// Their names.
    pub event: Selector,
    /// What their properties say; all must be met.
    pub filters: Vec<Filter>,
}

impl Condition {
    /// The properties it looks at.
    pub(crate) fn properties(&self) -> impl Iterator<Item = &Property> {
        self.filters.iter().map(|f| &f.property)
    }
}

impl<S: Into<Selector>> From<S> for Condition {
    fn from(event: S) -> Self {
        Self {
            event: event.into(),
            filters: Vec::new(),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.filters.is_empty() {
            return self.event.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("event", &self.event)?;
        map.serialize_entry("where", &self.filters)?;
        map.end()
    }
}

/// What `selector` takes, or `{"event": …, "where": [filter, …]}`.
pub(crate) fn condition(value: &Value) -> Parsed<Condition> {
    let Some(map) = value.as_object().filter(|map| map.contains_key("where")) else {
        return selector(value).map(Condition::from);
    };
    if let Some(unknown) = map.keys().find(|k| *k != "event" && *k != "where") {
        return fault(
            "unknown_field",
            format!("has the unknown field `{unknown}`; known are event, where"),
        );
    }
    let event = map.get("event").unwrap_or(&Value::Null);
    if event.is_object() {
        return fault("invalid_type", "must name its events in the field `event`");
    }
    Ok(Condition {
        event: selector(event)?,
        filters: map.get("where").map_or(Ok(Vec::new()), filters)?,
    })
}
