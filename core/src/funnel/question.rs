//! The question of a funnel, and what can be wrong with it.

use serde_json::Value;

use crate::error::{FieldError, Result};
use crate::query::fields::{self, Fields};
use crate::query::{Instant, Range, Segment, Selector, Window};

/// An ordered funnel: users who did step 1 within the range, and how far each got inside the conversion window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
    /// 1 to 64 steps; equal or overlapping steps need distinct events (F3).
    pub steps: Vec<Selector>,
    /// Elapsed time from the first step to the last, both ends included (F2); 14 days by default.
    pub window: Window,
    /// Selects the first steps; later steps may fall after it (F5).
    pub range: Range,
    /// Only users of this segment.
    pub segment: Segment,
    /// Whether equal times do not count as "after" (F1); false by default.
    pub strict_increase: bool,
    /// The pair of steps, counted from 1, that `timeToConvert` measures; first to last by default (F13).
    pub time_between: Option<(usize, usize)>,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

pub(super) const MAX_STEPS: usize = 64;

impl Funnel {
    /// A funnel through these events.
    pub fn new<S: Into<Selector>>(steps: impl IntoIterator<Item = S>, range: Range) -> Self {
        Self {
            steps: steps.into_iter().map(Into::into).collect(),
            range,
            ..Self::default()
        }
    }

    /// Reads a question in its JSON form: `steps`, `window`, `startDate`, `endDate`, `timezone`, `segment`,
    /// `strictIncrease`, `timeBetween`, `asOf`. Steps that are absent are the catalogue's default funnel.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(question: &Value, default_steps: &[Selector], now: Instant) -> Result<Self> {
        let mut fields = Fields::of(question)?;
        let funnel = Self::read(&mut fields, default_steps);
        fields.finish(funnel.faults(now))?;
        Ok(funnel)
    }

    /// Reads the fields of a funnel among others.
    pub(crate) fn read(fields: &mut Fields<'_>, default_steps: &[Selector]) -> Self {
        let pair = |v: &Value| match fields::list(v, |v| fields::integer(v, 1, MAX_STEPS as i64))?[..]
        {
            [from, to] => Ok((from as usize, to as usize)),
            _ => fields::fault("invalid_length", "must be two step numbers"),
        };
        Self {
            steps: fields
                .optional("steps", |v| fields::list(v, fields::selector))
                .unwrap_or_else(|| default_steps.to_vec()),
            window: fields
                .optional("window", fields::window)
                .unwrap_or_default(),
            range: fields.range(),
            segment: fields
                .optional("segment", fields::segment)
                .unwrap_or_default(),
            strict_increase: fields
                .optional("strictIncrease", fields::boolean)
                .unwrap_or_default(),
            time_between: fields.optional("timeBetween", pair),
            as_of: fields.optional("asOf", fields::instant),
        }
    }

    /// Everything wrong with it at the instant `now` (F16).
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        let steps = self.steps.len();
        if steps == 0 || steps > MAX_STEPS {
            faults.push(FieldError {
                field: "steps".to_owned(),
                code: "invalid_length",
                message: format!("must have 1 to {MAX_STEPS} steps, not {steps}"),
            });
        }
        if self
            .time_between
            .is_some_and(|(from, to)| from == 0 || from >= to || to > steps)
        {
            faults.push(FieldError {
                field: "timeBetween".to_owned(),
                code: "out_of_range",
                message: format!("must be an earlier and a later of the {steps} steps"),
            });
        }
        faults
    }

    /// The pair of steps that `timeToConvert` measures, counted from 1.
    pub(crate) fn pair(&self) -> (usize, usize) {
        self.time_between.unwrap_or((1, self.steps.len()))
    }
}
