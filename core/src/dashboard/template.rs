//! Ready-made dashboards for common questions.

use serde::Serialize;
use serde_json::Value;

use super::Draft;
use crate::error::{Error, ErrorKind, Result};

/// A dashboard ready to be made.
#[derive(Clone, Debug, Serialize)]
pub struct Template {
    /// What it is asked for by.
    pub key: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its widgets.
    pub widgets: Value,
}

/// The templates, as JSON.
const TEXT: &str = include_str!("templates.json");

impl Template {
    /// All there are.
    ///
    /// # Errors
    /// `internal` where one of them is not what it should be, which a test excludes.
    pub fn all() -> Result<Vec<Self>> {
        let all: Vec<Value> = serde_json::from_str(TEXT).map_err(Error::internal)?;
        let text = |template: &Value, name: &str| {
            let text = template.get(name).and_then(Value::as_str);
            text.map(ToOwned::to_owned)
                .ok_or_else(|| Error::internal("a template lacks a text"))
        };
        all.iter()
            .map(|template| {
                Ok(Self {
                    key: text(template, "key")?,
                    name: text(template, "name")?,
                    description: text(template, "description")?,
                    widgets: template.get("widgets").cloned().unwrap_or_default(),
                })
            })
            .collect()
    }

    /// The draft of the template of that key, with what a request's body says in place of its own: `name`, `description`,
    /// `isPublic`.
    ///
    /// # Errors
    /// `not_found`; `validation_failed` with every field error at once.
    pub fn draft(key: &str, body: &Value) -> Result<Draft> {
        let template = Self::all()?.into_iter().find(|t| t.key == key);
        let template = template.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "not_found",
                format!("there is no template `{key}`"),
            )
        })?;
        let mut filled = body.clone();
        if let Some(fields) = filled.as_object_mut() {
            if fields.contains_key("widgets") {
                return Err(Error::field(
                    "widgets",
                    "unknown_field",
                    "come from the template; change them once the dashboard is made",
                ));
            }
            fields.retain(|_, value| !value.is_null());
            fields.insert("widgets".to_owned(), template.widgets);
            fields.entry("name").or_insert(template.name.into());
            fields
                .entry("description")
                .or_insert(template.description.into());
        }
        Draft::parse(&filled)
    }
}
