//! The question of customer value, and what can be wrong with it.

use serde_json::Value as Json;

use super::question::{LONGEST, days, in_future, paged, users};
use crate::error::{FieldError, Result};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields};
use crate::query::{Condition, Instant, Segment, Selector};
use crate::timeline::Needs;

/// What customers will be worth: how often they are expected to buy, and for how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// How many days from `asOf` on are looked at; 365 by default, 1 to 3,650.
    pub horizon_days: u32,
    /// The events that are purchases; the catalogue's events with money by default. All of one day are one purchase; days on which more
    /// is refunded than spent are none, but take from what the user's purchases are worth.
    pub activity: Condition,
    /// The users listed and summed up, relative to the horizon before `asOf`; the models are of everyone.
    pub segment: Segment,
    /// Only these users are listed; at most 1,000.
    pub users: Option<Vec<String>>,
    /// At most so many users, 0 to 10,000; 100 by default. None need no permission to see people.
    pub limit: usize,
    /// How many to leave out before, in the order of value.
    pub offset: usize,
    /// Only what happened strictly before it is used, and what follows is foretold; now by default (G2).
    pub as_of: Option<Instant>,
}

impl Value {
    /// The value of users within a horizon, whose purchases are the events of these names.
    pub fn new(purchases: &[String], horizon_days: u32) -> Self {
        Self {
            horizon_days,
            activity: Condition::from(Selector::AnyOf(purchases.to_vec())),
            segment: Segment::default(),
            users: None,
            limit: 100,
            offset: 0,
            as_of: None,
        }
    }

    /// Reads a question in its JSON form: `horizonDays`, `activity`, `segment`, `users`, `limit`, `offset`, `asOf`. Without `activity`,
    /// purchases are the catalogue's events with money.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Json, purchases: &[String], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let default = Self::new(purchases, 365);
        let (limit, offset) = paged(&mut fields);
        let value = Self {
            horizon_days: fields
                .optional("horizonDays", days)
                .unwrap_or(default.horizon_days),
            activity: fields
                .optional("activity", condition)
                .unwrap_or(default.activity),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            users: fields.optional("users", users),
            limit,
            offset,
            as_of: fields.optional("asOf", fields::instant),
        };
        fields.finish(value.faults(now))?;
        Ok(value)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = in_future(self.as_of, now);
        if !(1..=LONGEST).contains(&self.horizon_days) {
            faults.push(FieldError {
                field: "horizonDays".to_owned(),
                code: "out_of_range",
                message: format!("must be between 1 and {LONGEST}"),
            });
        }
        faults
    }

    /// What must be loaded for it.
    pub(crate) fn needs(&self) -> Needs<'_> {
        Needs {
            properties: self.activity.properties().collect(),
            amounts: true,
            ..Needs::default()
        }
    }
}
