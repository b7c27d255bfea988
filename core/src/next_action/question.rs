//! The question of next actions, and what can be wrong with it.

use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::learn::chain::ORDER;
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, fault};
use crate::query::{Condition, Instant, Segment, Window};
use crate::timeline::Needs;

/// What users will do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextAction {
    /// Whose next actions are told one by one; at most 1,000, nobody by default.
    pub users: Vec<String>,
    /// The events that are actions; all by default.
    pub activity: Condition,
    /// The users whose next actions are told together, relative to the 30 days before `asOf`; the chain learns from everyone.
    pub segment: Segment,
    /// How many of a user's last actions are looked at, at most; 3 by default, 0 to 3.
    pub order: usize,
    /// How many actions are told, the likeliest first; 10 by default, 1 to 100.
    pub top: usize,
    /// Only what happened by then is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

impl Default for NextAction {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            activity: Condition::default(),
            segment: Segment::default(),
            order: ORDER,
            top: 10,
            as_of: None,
        }
    }
}

/// The most users that a question may name.
const MOST: usize = 1_000;

/// What segments are relative to: so long before the instant.
pub(crate) const SPAN: Window = Window::days(30);

impl NextAction {
    /// Reads a question in its JSON form: `users`, `activity`, `segment`, `order`, `top`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let next = Self {
            users: fields
                .optional("users", |v| {
                    let ids = fields::list(v, |v| fields::text(v).map(str::to_owned))?;
                    if ids.len() > MOST {
                        return fault("invalid_length", format!("must be at most {MOST} users"));
                    }
                    Ok(ids)
                })
                .unwrap_or_default(),
            activity: fields.optional("activity", condition).unwrap_or_default(),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            order: fields
                .optional("order", |v| fields::integer(v, 0, ORDER as i64))
                .map_or(default.order, |n| n as usize),
            top: fields
                .optional("top", |v| fields::integer(v, 1, 100))
                .map_or(default.top, |n| n as usize),
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(next.faults(now))?;
        Ok(next)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let wrong = [
            (
                self.as_of.is_some_and(|at| at > now),
                "asOf",
                "in_future",
                "must not be in the future",
            ),
            (
                self.order > ORDER,
                "order",
                "out_of_range",
                "must be between 0 and 3",
            ),
            (
                !(1..=100).contains(&self.top),
                "top",
                "out_of_range",
                "must be between 1 and 100",
            ),
        ];
        wrong
            .into_iter()
            .filter(|(is, ..)| *is)
            .map(|(_, field, code, message)| FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            })
            .collect()
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            properties: self.activity.properties().collect(),
            ..Needs::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_checked_and_all_errors_come_at_once() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(
            NextAction::parse(&json!({}), now).unwrap(),
            NextAction::default()
        );
        let bad = json!({"users": [1], "activity": [], "order": 4, "top": 0,
            "asOf": "2027-02-01T00:00:00Z", "color": 1});
        let error = NextAction::parse(&bad, now).unwrap_err();
        let faults = error.field_errors().iter();
        let mut faults: Vec<String> = faults.map(|f| format!("{} {}", f.field, f.code)).collect();
        faults.sort();
        assert_eq!(
            faults,
            [
                "activity empty",
                "asOf in_future",
                "color unknown_field",
                "order out_of_range",
                "top out_of_range",
                "users[0] invalid_type",
            ]
        );
    }
}
