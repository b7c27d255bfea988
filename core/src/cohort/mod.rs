//! Named sets of users: lists fixed once and for all, and definitions evaluated anew for every question (C1).
//!
//! A cohort is used wherever a property is: `{"property": {"cohort": "name"}, "op": "is", "value": true}` filters by it, and a
//! breakdown by `{"cohort": "name"}` has the rows true and false. Membership is as of the instant of the question, or, with
//! `"at": "at_event"` or `"at": "at_entry"`, what it was as of the time of the event or of the entry: events up to then and
//! profiles of then.

mod definition;
mod members;

use std::collections::HashSet;

use serde::Serialize;
use serde_json::Value;

pub use definition::Definition;
pub use members::members;

use crate::query::Instant;

/// A cohort as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cohort {
    /// Its name, which is its identity.
    pub name: String,
    /// Its definition, as [`Definition::parse`] reads it.
    pub definition: Value,
    /// When it was made.
    pub created_at: Instant,
}

/// A stored definition without the ids of users who were erased.
pub(crate) fn without(definition: &Value, ids: &HashSet<&str>) -> Value {
    match definition {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let value = match value {
                    Value::Array(users) if name == "users" => {
                        let stays = |id: &&Value| !id.as_str().is_some_and(|id| ids.contains(id));
                        users.iter().filter(stays).cloned().collect()
                    }
                    Value::Array(parts) => parts.iter().map(|part| without(part, ids)).collect(),
                    other => without(other, ids),
                };
                (name.clone(), value)
            };
            fields.iter().map(field).collect()
        }
        other => other.clone(),
    }
}
