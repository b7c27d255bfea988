//! The question of drop-off points.

use serde::Serialize;
use serde_json::Value;

use super::super::question::Funnel;
use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields};
use crate::query::filter::property;
use crate::query::{Instant, Property, Selector, Window};
use crate::timeline::Needs;

/// Where the units of a funnel stop, and what separates them from those who went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropOff {
    /// The funnel; it has no breakdown, trend, histogram, `time_between` or revenue.
    pub funnel: Funnel,
    /// The properties whose values are tried; at most 32. Every event name is tried too.
    pub properties: Vec<Property>,
    /// Which row's value of a property counts.
    pub properties_at: PropertiesAt,
    /// Events count for so long after the entry; by default for the whole window. Who stopped is watched until the window ends,
    /// and who went on until the next step, so a short time makes the two alike.
    pub within: Option<Window>,
    /// What fewer units than this have, or lack, is not tried; 30 by default (S1).
    pub min_support: u64,
    /// At most so many next events and factors of each step, 1 to 1,000; 20 by default.
    pub limit: usize,
}

/// Which row's properties are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertiesAt {
    /// The entry's.
    #[default]
    Entry,
    /// That of the step that is looked at; over the whole funnel the entry's.
    Step,
}

const PROPERTIES_AT: [(&str, PropertiesAt); 2] =
    [("entry", PropertiesAt::Entry), ("step", PropertiesAt::Step)];

/// The most properties.
const MAX_PROPERTIES: usize = 32;
const SUPPORT: u64 = 30;
const LIMIT: usize = 20;

impl DropOff {
    /// About this funnel, as far as it is about where units stop: without its breakdown, trend, histogram, times and revenue.
    pub fn new(funnel: Funnel) -> Self {
        Self {
            funnel: Funnel {
                breakdown: None,
                trend: None,
                histogram_bins: None,
                time_between: None,
                revenue: false,
                ..funnel
            },
            properties: Vec::new(),
            properties_at: PropertiesAt::default(),
            within: None,
            min_support: SUPPORT,
            limit: LIMIT,
        }
    }

    /// Reads a question in its JSON form: the fields of a funnel, `properties`, `propertiesAt`, `within`, `minSupport`, `limit`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, default_steps: &[Selector], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let drop_off = Self {
            properties: fields
                .optional("properties", |v| fields::list(v, property))
                .unwrap_or_default(),
            properties_at: fields
                .optional("propertiesAt", |v| fields::one_of(v, &PROPERTIES_AT))
                .unwrap_or_default(),
            within: fields.optional("within", fields::window),
            min_support: fields
                .optional("minSupport", |v| fields::integer(v, 1, 1_000_000_000))
                .map_or(SUPPORT, i64::unsigned_abs),
            limit: fields
                .optional("limit", |v| fields::integer(v, 1, 1_000))
                .map_or(LIMIT, |n| n as usize),
            funnel: Funnel::read(&mut fields, default_steps),
        };
        fields.finish(drop_off.faults(now))?;
        Ok(drop_off)
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
        let funnel = &self.funnel;
        for (given, field) in [
            (funnel.breakdown.is_some(), "breakdown"),
            (funnel.trend.is_some(), "trend"),
            (funnel.histogram_bins.is_some(), "histogramBins"),
            (funnel.time_between.is_some(), "timeBetween"),
            (funnel.revenue, "revenue"),
        ] {
            add(given, field, "contradiction", "is no part of this question");
        }
        add(
            self.properties.len() > MAX_PROPERTIES,
            "properties",
            "invalid_length",
            "must have at most 32 properties",
        );
        add(
            self.min_support == 0,
            "minSupport",
            "out_of_range",
            "must be at least 1",
        );
        add(
            !(1..=1_000).contains(&self.limit),
            "limit",
            "out_of_range",
            "must be between 1 and 1000",
        );
        faults
    }

    /// The properties it looks at.
    pub(crate) fn needs(&self) -> Needs<'_> {
        let mut needs = self.funnel.needs();
        needs.properties.extend(&self.properties);
        needs
    }
}
