//! Values that both dialects know, and rows of them.

use crate::error::{Error, Result};
use crate::query::Instant;

/// A value of a column or of a placeholder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// A whole number; instants are microseconds since 1970.
    Integer(i64),
    /// True or false.
    Truth(bool),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<Instant> for Value {
    fn from(at: Instant) -> Self {
        Self::Integer(at.micros())
    }
}

/// A row that a statement gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    /// The text of a column.
    pub(crate) fn text(&self, column: usize) -> Result<String> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(shape(column)),
        }
    }

    /// The number of a column.
    pub(crate) fn integer(&self, column: usize) -> Result<i64> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => Ok(*number),
            _ => Err(shape(column)),
        }
    }

    /// The truth of a column.
    pub(crate) fn truth(&self, column: usize) -> Result<bool> {
        match self.0.get(column) {
            Some(Value::Truth(truth)) => Ok(*truth),
            _ => Err(shape(column)),
        }
    }

    /// The instant of a column of microseconds.
    pub(crate) fn instant(&self, column: usize) -> Result<Instant> {
        self.integer(column).map(Instant::saturating_from_micros)
    }

    /// Whether a column holds nothing.
    pub(crate) fn is_null(&self, column: usize) -> bool {
        matches!(self.0.get(column), None | Some(Value::Null))
    }
}

fn shape(column: usize) -> Error {
    Error::internal(format!("column {column} came in another shape"))
}
