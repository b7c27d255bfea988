//! The question that compares groups of a funnel.

use serde_json::Value;

use super::super::question::Funnel;
use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields, Parsed};
use crate::query::filter::{Moment, property};
use crate::query::{Instant, Property, Segment, Selector};
use crate::timeline::Needs;

/// Which groups of a funnel differ: those of its breakdown, or segments and cohorts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compare {
    /// The funnel. With a breakdown, its groups are compared.
    pub funnel: Funnel,
    /// Without one, 2 to 64 groups of users.
    pub between: Vec<Between>,
    /// The cohorts among them, as properties.
    cohorts: Vec<Property>,
}

/// A group of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Between {
    /// The members of a segment.
    Segment(Segment),
    /// The members of a cohort as of the question.
    Cohort(String),
}

/// The most groups.
const MAX_GROUPS: usize = 64;

impl Compare {
    /// Compares the groups of the funnel's breakdown, or these where it has none.
    pub fn new(funnel: Funnel, between: Vec<Between>) -> Self {
        let cohorts = between.iter().filter_map(|b| match b {
            Between::Cohort(name) => Some(Property::cohort(name)),
            Between::Segment(_) => None,
        });
        Self {
            cohorts: cohorts.collect(),
            funnel,
            between,
        }
    }

    /// Reads a question in its JSON form: the fields of a funnel, and `between`, a list of segments and of `{"cohort": name}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, default_steps: &[Selector], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let between = fields
            .optional("between", |v| fields::list(v, between))
            .unwrap_or_default();
        let compare = Self::new(Funnel::read(&mut fields, default_steps), between);
        fields.finish(compare.faults(now))?;
        Ok(compare)
    }

    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.funnel.faults(now);
        let mut add = |wrong: bool, field: &str, code: &'static str, message: &str| {
            if wrong {
                faults.push(FieldError {
                    field: field.to_owned(),
                    code,
                    message: message.to_owned(),
                });
            }
        };
        let (groups, breakdown) = (self.between.len(), self.funnel.breakdown.is_some());
        add(
            breakdown && groups > 0,
            "between",
            "contradiction",
            "must not be there beside `breakdown`",
        );
        add(
            !breakdown && groups == 0,
            "between",
            "required",
            "is required where there is no `breakdown`",
        );
        add(
            groups == 1 || groups > MAX_GROUPS,
            "between",
            "invalid_length",
            "must have 2 to 64 groups",
        );
        let mut before = self.between.iter().enumerate();
        let twice = before.any(|(i, b)| self.between.iter().take(i).any(|other| other == b));
        add(twice, "between", "duplicate", "must not have a group twice");
        add(
            self.funnel.trend.is_some(),
            "trend",
            "contradiction",
            "is no part of this question",
        );
        faults
    }

    /// The properties it looks at.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let mut needs = self.funnel.needs();
        needs.properties.extend(&self.cohorts);
        needs
    }

    /// A segment whose members must be known beside those of the funnel's: one by plan, where there is one.
    pub(crate) fn by_plan(&self) -> Segment {
        let by_plan = |s: &Segment| matches!(s, Segment::Premium | Segment::Free);
        let mut segments = self.between.iter().filter_map(|b| match b {
            Between::Segment(segment) => Some(*segment),
            Between::Cohort(_) => None,
        });
        segments.find(by_plan).unwrap_or(self.funnel.segment)
    }
}

fn between(value: &Value) -> Parsed<Between> {
    if value.is_string() {
        return fields::segment(value).map(Between::Segment);
    }
    match property(value)? {
        Property::Cohort {
            name,
            at: Moment::AsOf,
        } => Ok(Between::Cohort(name)),
        Property::Cohort { .. } => fields::fault(
            "contradiction",
            "must be as of the question, where users are compared",
        ),
        _ => fields::fault("invalid_type", "must be a segment or {\"cohort\": name}"),
    }
}
