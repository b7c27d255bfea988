//! The question of churn, and what can be wrong with it.

use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::filter::{Moment, Property, property};
use crate::query::{Condition, Instant, Segment};
use crate::timeline::Needs;

/// Which users are about to go away (S7).
#[derive(Clone, Debug, PartialEq)]
pub struct Churn {
    /// A user churns at `asOf` who has no activity in this many days from then on; 30 by default, 1 to 3,650.
    pub horizon_days: u32,
    /// The events that are activity; all by default.
    pub activity: Condition,
    /// Only users count who were active in this many days before the cut-off; all known ones by default.
    pub active_within_days: Option<u32>,
    /// What events or profiles say of users that may tell who goes, at most 8: the value last said at an event before each cut-off.
    /// Trees over all that is known decide where they lose less on the newest cut-off than the regression, which knows nothing of these.
    pub attributes: Vec<Property>,
    /// The users listed and summed up, relative to the horizon before `asOf`; the model learns from everyone.
    pub segment: Segment,
    /// Only these users are listed; at most 1,000.
    pub users: Option<Vec<String>>,
    /// How many next actions are told of each user listed, 0 to 10; none by default.
    pub next_actions: usize,
    /// The level of the users' intervals in percent; 95 by default.
    pub level: f64,
    /// At most so many users, 0 to 10,000; 100 by default. None need no permission to see people.
    pub limit: usize,
    /// How many to leave out before, in the order of risk.
    pub offset: usize,
    /// The cut-off: only what happened strictly before it is used, and what follows is foretold; now by default (G2).
    pub as_of: Option<Instant>,
}

impl Default for Churn {
    fn default() -> Self {
        Self {
            horizon_days: 30,
            activity: Condition::default(),
            active_within_days: None,
            attributes: Vec::new(),
            segment: Segment::default(),
            users: None,
            next_actions: 0,
            level: 95.0,
            limit: 100,
            offset: 0,
            as_of: None,
        }
    }
}

/// The longest horizon, in days.
pub(super) const LONGEST: u32 = 3_650;
/// The most next actions that are told of a user.
const NEXT: i64 = 10;
/// The most attributes that a question may name.
const ATTRIBUTES: usize = 8;
/// The most users that a question may name.
const MOST: usize = 1_000;

impl Churn {
    /// Reads a question in its JSON form: `horizonDays`, `activity`, `activeWithinDays`, `attributes`, `segment`, `users`, `nextActions`,
    /// `confidenceLevel`, `limit`, `offset`, `asOf`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::default();
        let (limit, offset) = paged(&mut fields);
        let churn = Self {
            horizon_days: fields
                .optional("horizonDays", days)
                .unwrap_or(default.horizon_days),
            activity: fields.optional("activity", condition).unwrap_or_default(),
            active_within_days: fields.optional("activeWithinDays", days),
            attributes: fields
                .optional("attributes", |v| fields::list(v, property))
                .unwrap_or_default(),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            users: fields.optional("users", users),
            next_actions: fields
                .optional("nextActions", |v| fields::integer(v, 0, NEXT))
                .map_or(default.next_actions, |n| n as usize),
            level: fields
                .optional("confidenceLevel", level)
                .unwrap_or(default.level),
            limit,
            offset,
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(churn.faults(now))?;
        Ok(churn)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = in_future(self.as_of, now);
        let mut bounded = |field: &str, days: u32| {
            if !(1..=LONGEST).contains(&days) {
                faults.push(FieldError {
                    field: field.to_owned(),
                    code: "out_of_range",
                    message: format!("must be between 1 and {LONGEST}"),
                });
            }
        };
        bounded("horizonDays", self.horizon_days);
        if let Some(days) = self.active_within_days {
            bounded("activeWithinDays", days);
        }
        if self.attributes.len() > ATTRIBUTES {
            faults.push(FieldError {
                field: "attributes".to_owned(),
                code: "invalid_length",
                message: format!("must have at most {ATTRIBUTES} attributes"),
            });
        }
        for (i, attribute) in self.attributes.iter().enumerate() {
            let then = match attribute {
                Property::Event(_) => true,
                Property::User { at, .. } | Property::Cohort { at, .. } => *at == Moment::AtEvent,
                Property::Session => false,
            };
            if !then {
                faults.push(FieldError {
                    field: format!("attributes[{i}]"),
                    code: "contradiction",
                    message: "must be a property of events, or of users or cohorts `at_event`: at a past cut-off nothing later is known".to_owned(),
                });
            }
        }
        if !(self.level > 0.0 && self.level < 100.0) {
            faults.push(FieldError {
                field: "confidenceLevel".to_owned(),
                code: "out_of_range",
                message: "must be above 0 and below 100".to_owned(),
            });
        }
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            properties: self.activity.properties().chain(&self.attributes).collect(),
            amounts: true,
            ..Needs::default()
        }
    }
}

/// An instant that lies after now.
pub(super) fn in_future(as_of: Option<Instant>, now: Instant) -> Vec<FieldError> {
    let future = as_of.filter(|at| *at > now).map(|_| FieldError {
        field: "asOf".to_owned(),
        code: "in_future",
        message: "must not be in the future".to_owned(),
    });
    future.into_iter().collect()
}

/// A number of days.
pub(super) fn days(value: &Value) -> Parsed<u32> {
    fields::integer(value, 1, i64::from(LONGEST)).map(|n| n as u32)
}

/// The part of the list that is shown.
pub(super) fn paged(fields: &mut Fields<'_>) -> (usize, usize) {
    fields.page(0..=10_000, 100)
}

/// Ids of users.
pub(super) fn users(value: &Value) -> Parsed<Vec<String>> {
    let ids = fields::list(value, |v| fields::text(v).map(str::to_owned))?;
    if ids.len() > MOST {
        return fault("invalid_length", format!("must be at most {MOST} users"));
    }
    Ok(ids)
}

/// A level in percent.
fn level(value: &Value) -> Parsed<f64> {
    value.as_f64().map_or_else(
        || fault("invalid_type", "must be a number"),
        |level| {
            if level > 0.0 && level < 100.0 {
                Ok(level)
            } else {
                fault("out_of_range", "must be above 0 and below 100")
            }
        },
    )
}

/// The users of the summary whose risk lies in `[from, to)`, or up to 1 where `to` is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The least probability.
    pub from: f64,
    /// The first one that is too high.
    pub to: f64,
}

impl Cell {
    /// Reads a cell in its JSON form: `{"cell": "risk", "from": 0.7, "to": 1}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(cell: &Value) -> Result<Self> {
        let mut fields = Fields::of(cell)?;
        let share = |v: &Value| match v.as_f64() {
            None => fault("invalid_type", "must be a number"),
            Some(p) if !(0.0..=1.0).contains(&p) => {
                fault("out_of_range", "must be between 0 and 1")
            }
            Some(p) => Ok(p),
        };
        fields.required("cell", |v| fields::one_of(v, &[("risk", ())]));
        let cell = Self {
            from: fields.optional("from", share).unwrap_or(0.0),
            to: fields.optional("to", share).unwrap_or(1.0),
        };
        fields.finish(Vec::new())?;
        Ok(cell)
    }

    /// Whether a probability is in it.
    pub(super) fn holds(&self, p: f64) -> bool {
        self.from <= p && (p < self.to || self.to >= 1.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_checked_and_all_errors_come_at_once() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let good = json!({"horizonDays": 90, "activity": "buy", "activeWithinDays": 30, "users": ["a"],
            "confidenceLevel": 80, "limit": 0, "offset": 3, "asOf": "2026-02-01T00:00:00Z", "segment": "active"});
        let churn = Churn::parse(&good, now).unwrap();
        assert_eq!((churn.horizon_days, churn.limit, churn.offset), (90, 0, 3));
        let bad = json!({"horizonDays": 0, "activity": 1, "activeWithinDays": "30d", "users": "a",
            "confidenceLevel": 100, "limit": -1, "offset": 0.5, "asOf": "2027-02-01T00:00:00Z", "color": 1});
        let error = Churn::parse(&bad, now).unwrap_err();
        let mut faults: Vec<String> = error
            .field_errors()
            .iter()
            .map(|f| format!("{} {}", f.field, f.code))
            .collect();
        faults.sort();
        assert_eq!(
            faults,
            [
                "activeWithinDays invalid_type",
                "activity invalid_type",
                "asOf in_future",
                "color unknown_field",
                "confidenceLevel out_of_range",
                "horizonDays out_of_range",
                "limit out_of_range",
                "offset invalid_type",
                "users invalid_type",
            ]
        );
        let cell = Cell::parse(&json!({"cell": "risk", "from": 0.5})).unwrap();
        assert!(cell.holds(1.0) && cell.holds(0.5) && !cell.holds(0.49));
        assert!(Cell::parse(&json!({"cell": "risk", "from": 2})).is_err());
    }
}
