//! What can be wrong with a journey: every contradictory or out-of-range option is named, with what is allowed (F16).

use super::options::{Occurrence, StepsFrom};
use super::question::{Journey, MAX_LENGTH, MAX_NEXT, MAX_PER_STEP, MAX_SHOWN, MAX_STEPS};
use crate::error::FieldError;
use crate::query::Instant;

/// The most conditions of a list, and the most names that are taken for one.
const MAX_CONDITIONS: usize = 64;

impl Journey {
    /// Everything wrong with it at the instant `now`.
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = self.range.faults(self.as_of, now);
        let mut add = |wrong: bool, field: &str, code: &'static str, message: String| {
            if wrong {
                faults.push(FieldError {
                    field: field.to_owned(),
                    code,
                    message,
                });
            }
        };
        for (field, value, most) in [
            ("maxSteps", self.max_steps, MAX_STEPS),
            ("length", self.length, MAX_LENGTH),
            ("limit", self.limit, MAX_SHOWN),
            ("nodesPerStep", self.nodes_per_step, MAX_PER_STEP),
        ] {
            add(
                !(1..=most).contains(&value),
                field,
                "out_of_range",
                format!("must be between 1 and {most}"),
            );
        }
        add(
            self.next_actions > MAX_NEXT,
            "nextActions",
            "out_of_range",
            format!("must be between 0 and {MAX_NEXT}"),
        );
        for (field, count) in [
            ("include", self.include.len()),
            ("exclude", self.exclude.len()),
            ("rename", self.rename.len()),
            ("filters", self.filters.len()),
        ] {
            add(
                count > MAX_CONDITIONS,
                field,
                "invalid_length",
                format!("must have at most {MAX_CONDITIONS} items"),
            );
        }
        add(
            self.parts.is_empty(),
            "parts",
            "empty",
            "must name at least one part".to_owned(),
        );
        add(
            self.start.is_some() && self.end.is_some(),
            "end",
            "contradiction",
            "must not be there beside `start`".to_owned(),
        );
        add(
            self.start.is_some() && self.steps_from == StepsFrom::Last,
            "stepsFrom",
            "contradiction",
            "must be first beside `start`".to_owned(),
        );
        add(
            self.anchor().is_none() && self.occurrence != Occurrence::First,
            "occurrence",
            "contradiction",
            "needs `start` or `end`".to_owned(),
        );
        faults
    }
}
