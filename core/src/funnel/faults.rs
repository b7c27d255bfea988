//! What can be wrong with a funnel: every contradictory or out-of-range option is named, with what is allowed (F16).

use super::options::{Attribution, ExclusionMode, Order, Unit, Universe};
use super::question::{Funnel, MAX_STEPS};
use crate::error::FieldError;
use crate::query::{Instant, Window};

/// The most properties that are held constant or make a group.
const MAX_PROPERTIES: usize = 4;

/// The longest grace.
const MAX_GRACE: Window = Window::seconds(3_600);

struct Faults(Vec<FieldError>);

impl Faults {
    fn add(
        &mut self,
        wrong: bool,
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) {
        if wrong {
            self.0.push(FieldError {
                field: field.into(),
                code,
                message: message.into(),
            });
        }
    }
}

impl Funnel {
    /// Everything wrong with it at the instant `now` (F16).
    pub(crate) fn faults(&self, now: Instant) -> Vec<FieldError> {
        let mut faults = Faults(self.range.faults(self.as_of, now));
        let steps = self.steps.len();
        faults.add(
            steps == 0 || steps > MAX_STEPS,
            "steps",
            "invalid_length",
            format!("must have 1 to {MAX_STEPS} steps, not {steps}"),
        );
        let pair_fits = |(from, to): (usize, usize)| from > 0 && from < to && to <= steps;
        faults.add(
            self.time_between.is_some_and(|pair| !pair_fits(pair)),
            "timeBetween",
            "out_of_range",
            format!("must be an earlier and a later of the {steps} steps"),
        );
        self.steps_faults(&mut faults);
        self.order_faults(&mut faults);
        self.exclusion_faults(&mut faults);
        self.unit_faults(&mut faults);
        // Their intervals would need more than the counts.
        let others = self.unit != Unit::Users || !self.hold_constant.is_empty() || self.revenue;
        faults.add(
            self.sample.is_some() && others,
            "sample",
            "contradiction",
            "goes with counts of users alone: no other unit, no holdConstant, no revenue",
        );
        faults.0
    }

    fn steps_faults(&self, faults: &mut Faults) {
        for (k, step) in self.steps.iter().enumerate() {
            let at = format!("steps[{k}]");
            let gaps = step.min_gap.is_some() || step.max_gap.is_some();
            faults.add(
                k == 0 && step.optional,
                &at,
                "contradiction",
                "is the first step, which must not be optional",
            );
            faults.add(
                k == 0 && gaps,
                &at,
                "contradiction",
                "is the first step, which has no step before it to take minGap and maxGap from",
            );
            faults.add(
                self.order == Order::Any && (step.optional || gaps),
                &at,
                "contradiction",
                "must not have optional, minGap or maxGap where `order` is any",
            );
            if let (Some(min), Some(max)) = (step.min_gap, step.max_gap) {
                faults.add(
                    min > max,
                    &at,
                    "contradiction",
                    "has a minGap that is longer than its maxGap",
                );
            }
            faults.add(
                self.window_calendar_days.is_none()
                    && step.min_gap.is_some_and(|min| min > self.window),
                &at,
                "contradiction",
                "has a minGap that is longer than the window",
            );
        }
    }

    fn order_faults(&self, faults: &mut Faults) {
        let ordered = self.order == Order::Ordered;
        faults.add(
            self.grace > MAX_GRACE,
            "grace",
            "out_of_range",
            "must be at most an hour",
        );
        faults.add(
            self.grace.micros() > 0 && !ordered,
            "grace",
            "contradiction",
            "must be 0 unless `order` is ordered",
        );
        faults.add(
            self.grace.micros() > 0 && self.strict_increase,
            "grace",
            "contradiction",
            "must be 0 beside strictIncrease",
        );
        faults.add(
            self.strict_increase && self.order == Order::Any,
            "strictIncrease",
            "contradiction",
            "must be false where `order` is any",
        );
        faults.add(
            self.anchor_first && self.order != Order::Any,
            "anchorFirst",
            "contradiction",
            "needs `order` to be any",
        );
        faults.add(
            self.universe != Universe::All && self.order != Order::Strict,
            "universe",
            "contradiction",
            "needs `order` to be strict",
        );
    }

    fn exclusion_faults(&self, faults: &mut Faults) {
        let steps = self.steps.len();
        faults.add(
            self.exclusions.len() > 64,
            "exclusions",
            "invalid_length",
            "must have at most 64 exclusions",
        );
        let optional = |k: usize| {
            k.checked_sub(1)
                .and_then(|k| self.steps.get(k))
                .is_some_and(|s| s.optional)
        };
        for (i, exclusion) in self.exclusions.iter().enumerate() {
            let at = format!("exclusions[{i}]");
            let (from, to) = (exclusion.from, exclusion.to);
            faults.add(
                from == 0 || from >= to || to > steps,
                &at,
                "out_of_range",
                format!("must lie between an earlier and a later of the {steps} steps"),
            );
            faults.add(
                optional(from) || optional(to),
                &at,
                "contradiction",
                "must lie between two steps that are not optional",
            );
            faults.add(
                self.order == Order::Any && (from, to) != (1, steps),
                &at,
                "contradiction",
                "must have no `from` and `to` where `order` is any",
            );
        }
        let removes = self.exclusion_mode == ExclusionMode::RemoveUser;
        faults.add(
            removes && self.order == Order::Any,
            "exclusionMode",
            "contradiction",
            "must be kill_chain where `order` is any",
        );
        faults.add(
            removes && self.unit == Unit::Totals,
            "exclusionMode",
            "contradiction",
            "must be kill_chain where `unit` is totals",
        );
    }

    fn unit_faults(&self, faults: &mut Faults) {
        let too_many = |n: usize| n == 0 || n > MAX_PROPERTIES;
        faults.add(
            self.hold_constant.len() > MAX_PROPERTIES,
            "holdConstant",
            "invalid_length",
            format!("must have at most {MAX_PROPERTIES} properties"),
        );
        faults.add(
            self.entries == super::options::Entries::First && self.unit == Unit::Totals,
            "entries",
            "contradiction",
            "must be every where `unit` is totals",
        );
        if let Some(breakdown) = &self.breakdown {
            faults.add(
                too_many(breakdown.properties.len()),
                "breakdown",
                "invalid_length",
                format!("must have 1 to {MAX_PROPERTIES} properties"),
            );
            faults.add(
                !(1..=1_000).contains(&breakdown.limit),
                "breakdown",
                "out_of_range",
                "must have a limit between 1 and 1000",
            );
            let wrong =
                matches!(breakdown.by, Attribution::Step(k) if k == 0 || k > self.steps.len());
            faults.add(
                wrong,
                "breakdown",
                "out_of_range",
                format!("must have a step between 1 and {}", self.steps.len()),
            );
        }
        faults.add(
            self.histogram_bins
                .is_some_and(|n| !(1..=1_000).contains(&n)),
            "histogramBins",
            "out_of_range",
            "must be between 1 and 1000",
        );
    }
}
