//! What all widgets of a dashboard are narrowed to.

use serde_json::Value;

use crate::query::fields::{self, Fields, Parsed, fault};

/// Properties with the values that they must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Only(pub(super) Vec<(String, Value)>);

/// More filters at once are a mistake.
const MOST: usize = 10;

impl Only {
    /// Reads `[{"property": "country", "value": "FR"}, …]`, where each must hold.
    ///
    /// # Errors
    /// What is wrong with the first filter that is wrong.
    pub(crate) fn parse(value: &Value) -> Parsed<Self> {
        let read = |fields: &mut Fields<'_>| {
            let property = fields.required("property", property);
            (property, fields.required("value", scalar))
        };
        let list = fields::list(value, |v| fields::object(v, read))?;
        if list.len() > MOST {
            return fault(
                "invalid_length",
                format!("must have at most {MOST} filters"),
            );
        }
        Ok(Self(list))
    }

    /// With the values as JSON.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        let pairs = self.0.iter();
        pairs
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect()
    }
}

/// The name of a property.
fn property(value: &Value) -> Parsed<String> {
    let name = fields::name(value)?;
    if name.contains('\u{1f}') {
        return fault("invalid_value", "must not contain a unit separator");
    }
    Ok(name)
}

fn scalar(value: &Value) -> Parsed<Value> {
    match value {
        Value::String(text) if text.contains('\u{1f}') => {
            fault("invalid_value", "must not contain a unit separator")
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok(value.clone()),
        _ => fault("invalid_type", "must be text, a number or a truth value"),
    }
}
