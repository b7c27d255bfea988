//! The question of feedback, and what can be wrong with it.

use serde_json::Value;

use crate::error::Result;
use crate::query::Instant;
use crate::query::fields::{self, Fields};

/// What became of what was foretold under a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feedback {
    /// The name.
    pub name: String,
    /// The only series; all by default.
    pub unique_id: Option<String>,
    /// The latest so many runs, 1 to 1,000; 200 by default.
    pub runs: usize,
    /// Whether every point is told, and features beside it: what a model is trained on.
    pub rows: bool,
    /// Nothing that became known after this instant is seen; now by default.
    pub as_of: Option<Instant>,
}

impl Feedback {
    /// Reads a question in its JSON form: `name`, `uniqueId`, `runs`, `rows`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let asked = Self {
            name: fields.required("name", fields::log_name),
            unique_id: fields.optional("uniqueId", |v| fields::text(v).map(str::to_owned)),
            runs: fields
                .optional("runs", |v| fields::integer(v, 1, 1_000))
                .map_or(200, |n| n as usize),
            rows: fields.optional("rows", fields::boolean).unwrap_or_default(),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(Vec::new())?;
        Ok(asked)
    }
}
