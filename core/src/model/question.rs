//! Rows to be scored, and what is told of them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::frame::{Column, Frame};
use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields, Parsed, fault};

/// A question to a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// The model: its name, `name@version` or its id.
    pub model: String,
    /// The rows, as columns; empty where users are scored.
    pub rows: Frame,
    /// The ids of the rows; their numbers from 0 where absent.
    pub ids: Option<Vec<String>>,
    /// The warehouse's users that are scored: a question of churn in its JSON form, of which `activity`, `asOf`, `horizonDays`,
    /// `activeWithinDays`, `segment` and `users` count.
    pub users: Option<Value>,
    /// When it will be known what came: a date for all rows. It is kept with the scores.
    pub ds: Option<String>,
    /// The name under which the scores are kept, so that what comes can be joined.
    pub feedback: Option<String>,
}

/// The most rows of one question.
pub const MOST_ROWS: usize = 1_000_000;

impl Score {
    /// Reads a question in its JSON form: `model`, `rows` (an object of columns, or a list of objects) or `users`, `ids`, `ds`,
    /// `feedback`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let mut more = Vec::new();
        let model = fields.required("model", |v| fields::text(v).map(str::to_owned));
        let rows = fields.optional("rows", rows);
        let ids = fields.optional("ids", |v| fields::list(v, id));
        let users = fields.optional("users", |v| match v {
            Value::Object(_) => Ok(v.clone()),
            _ => fault("invalid_type", "must be an object with named fields"),
        });
        let mut wrong = |field: &str, code, message: &str| {
            more.push(FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        };
        match (&rows, &users) {
            (None, None) => wrong("rows", "required", "is required where there are no `users`"),
            (Some(_), Some(_)) => wrong("users", "not_used", "does not go with `rows`"),
            _ => {}
        }
        let asked = Self {
            model,
            rows: rows.unwrap_or_default(),
            ids,
            users,
            ds: fields.optional("ds", |v| {
                let text = fields::text(v)?;
                fields::date(v).map(|_| text.to_owned())
            }),
            feedback: fields.optional("feedback", fields::log_name),
        };
        if let Some(ids) = &asked.ids
            && ids.len() != asked.rows.rows()
        {
            wrong("ids", "different_length", "must be one for each row");
        }
        fields.finish(more)?;
        Ok(asked)
    }
}

fn id(value: &Value) -> Parsed<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => fault("invalid_type", "must be a string or a number"),
    }
}

fn rows(value: &Value) -> Parsed<Frame> {
    match value {
        Value::Object(columns) => frame(columns),
        Value::Array(objects) => frame(&turned(objects)?),
        _ => fault(
            "invalid_type",
            "must be an object of columns, or a list of objects",
        ),
    }
}

/// Objects as columns; a field that an object lacks is missing there.
fn turned(objects: &[Value]) -> Parsed<Map<String, Value>> {
    let mut columns: Map<String, Value> = Map::new();
    for (i, object) in objects.iter().enumerate() {
        let Some(object) = object.as_object() else {
            return fault("invalid_type", "must be a list of objects");
        };
        for (name, value) in object {
            let column = columns
                .entry(name.clone())
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(column) = column {
                column.resize(i, Value::Null);
                column.push(value.clone());
            }
        }
    }
    for column in columns.values_mut() {
        if let Value::Array(column) = column {
            column.resize(objects.len(), Value::Null);
        }
    }
    Ok(columns)
}

fn frame(columns: &Map<String, Value>) -> Parsed<Frame> {
    let mut frame = Frame::default();
    let mut length = None;
    for (name, values) in columns {
        let Some(values) = values.as_array() else {
            return fault(
                "invalid_type",
                format!("the column `{name}` must be a list"),
            );
        };
        if *length.get_or_insert(values.len()) != values.len() {
            return fault("different_length", "must be columns of one length");
        }
        if values.len() > MOST_ROWS {
            return fault(
                "too_many_rows",
                format!("must have at most {MOST_ROWS} rows"),
            );
        }
        frame.columns.push((name.clone(), column(name, values)?));
    }
    Ok(frame)
}

fn column(name: &str, values: &[Value]) -> Parsed<Column> {
    if values.iter().any(Value::is_string) || values.iter().all(Value::is_null) {
        let text = |value: &Value| match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => fault(
                "invalid_type",
                format!("the column `{name}` must be all texts or all numbers"),
            ),
        };
        return values
            .iter()
            .map(text)
            .collect::<Parsed<_>>()
            .map(Column::Texts);
    }
    let number = |value: &Value| match value {
        Value::Null => Ok(f64::NAN),
        Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        Value::Number(number) => Ok(number.as_f64().unwrap_or(f64::NAN)),
        _ => fault(
            "invalid_type",
            format!("the column `{name}` must be of numbers or texts"),
        ),
    };
    values
        .iter()
        .map(number)
        .collect::<Parsed<_>>()
        .map(Column::Numbers)
}

/// What a model says of rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScoreAnswer {
    /// The model and its version.
    pub model: String,
    /// The SHA-256 of its file.
    pub hash: String,
    /// The ids of the rows, where they were given, or of the users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<Vec<String>>,
    /// What it says, as columns; null for what is no number.
    pub predictions: Map<String, Value>,
    /// The run under which it is kept, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// Columns as JSON; what is no number is null.
pub(crate) fn told(frame: &Frame) -> Map<String, Value> {
    let each = frame.columns.iter().map(|(name, column)| {
        let values = match column {
            Column::Numbers(values) => values.iter().map(|v| Value::from(*v)).collect(),
            Column::Texts(values) => values.iter().map(|v| Value::from(v.clone())).collect(),
        };
        (name.clone(), values)
    });
    each.collect()
}
