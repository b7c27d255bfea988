//! Reads a retention table from JSON.

use serde_json::Value;

use super::options::{
    CLOCK_STARTS, CRITERIA, ClockStart, Criterion, Figure, MATURITIES, METRICS, MODES, PERIODS,
    POOLINGS, UNITS, Unit, brackets, breakdown,
};
use super::question::Retention;
use crate::error::{FieldError, Result};
use crate::query::Instant;
use crate::query::calendar::MAX_BUCKETS;
use crate::query::condition::condition;
use crate::query::fields::{self, Fields};
use crate::query::filter::{filters, property};
use crate::query::preset::PRESETS;
use crate::query::sample::sample;

pub(super) fn retention(question: &Value, now: Instant) -> Result<Retention> {
    let given = |name: &str| question.get(name).is_some_and(|v| !v.is_null());
    let mut fields = Fields::of(question)?;
    let period = fields.required("cohortPeriod", |v| fields::one_of(v, &PERIODS));
    let figure = fields.required("analysisMetric", |v| fields::one_of(v, &METRICS));
    let measured = fields.optional("property", property);
    let mut retention = Retention {
        period,
        range: fields.range(),
        start: fields.nullable("start", condition).unwrap_or_default(),
        returning: fields.nullable("return", condition).unwrap_or_default(),
        breakdown: fields.optional("breakdown", breakdown),
        metric: figure.of(measured),
        ..Retention::default()
    };
    if let Some(preset) = fields.optional("preset", |v| fields::one_of(v, &PRESETS)) {
        retention = retention.under(preset);
    }

    let asked = fields.optional("criterion", |v| fields::one_of(v, &CRITERIA));
    let cut = fields.optional("brackets", brackets);
    let more = contradictions(figure, asked, given);
    match (cut, asked) {
        (Some(brackets), _) => retention.criterion = Criterion::Brackets(brackets),
        (None, Some(Some(named))) => retention.criterion = named.into(),
        _ => {}
    }
    set(
        &mut retention.unit,
        fields.optional("unit", |v| fields::one_of(v, &UNITS)),
    );
    // A preset's clocks start as the preset's unit has it.
    let preset_unit = matches!(retention.unit, Unit::Hours24 | Unit::Days7 | Unit::Days30);
    if !preset_unit {
        retention.clock_start = ClockStart::Event;
    }
    set(
        &mut retention.clock_start,
        fields.optional("clockStart", |v| fields::one_of(v, &CLOCK_STARTS)),
    );
    set(&mut retention.filters, fields.optional("filters", filters));
    set(
        &mut retention.mode,
        fields.optional("mode", |v| fields::one_of(v, &MODES)),
    );
    set(
        &mut retention.minimum_occurrences,
        fields
            .optional("minimumOccurrences", |v| fields::integer(v, 1, 1_000_000))
            .map(|n| n as usize),
    );
    set(
        &mut retention.maturity,
        fields.optional("maturity", |v| fields::one_of(v, &MATURITIES)),
    );
    if let Some(hold) = fields.optional("holdConstant", property) {
        retention.hold_constant = Some(hold);
    }
    set(
        &mut retention.pooling,
        fields.optional("pooling", |v| fields::one_of(v, &POOLINGS)),
    );
    set(
        &mut retention.segment,
        fields.optional("segment", fields::segment),
    );
    set(
        &mut retention.week_start,
        fields.optional("weekStart", fields::week_start),
    );
    retention.periods = fields
        .optional("periods", |v| fields::integer(v, 0, MAX_BUCKETS))
        .map(|n| n as usize);
    retention.sample = fields.optional("sample", sample);
    retention.as_of = fields.optional("asOf", fields::instant);
    let faults = retention.faults(now);
    fields.finish(more.into_iter().chain(faults).collect())?;
    Ok(retention)
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// What a question says that does not go together, or lacks.
fn contradictions<T>(
    figure: Figure,
    criterion: Option<Option<T>>,
    given: impl Fn(&str) -> bool,
) -> Vec<FieldError> {
    let mut found = Vec::new();
    let mut fault = |wrong, field: &str, code, message: &str| {
        if wrong {
            found.push(FieldError {
                field: field.to_owned(),
                code,
                message: message.to_owned(),
            });
        }
    };
    let of_property = matches!(figure, Figure::PropertySum | Figure::PropertyAverage);
    fault(
        of_property && !given("property"),
        "property",
        "required",
        "is required for a figure of a property",
    );
    fault(
        !of_property && given("property"),
        "property",
        "contradiction",
        "is only for the metrics property_sum and property_average",
    );
    let cut = given("brackets");
    fault(
        matches!(criterion, Some(None)) && !cut,
        "brackets",
        "required",
        "is required where criterion is brackets",
    );
    fault(
        matches!(criterion, Some(Some(_))) && cut,
        "brackets",
        "contradiction",
        "is only for the criterion brackets",
    );
    fault(
        cut && given("periods"),
        "periods",
        "contradiction",
        "has no meaning beside brackets",
    );
    found
}
