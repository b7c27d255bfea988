//! Reads a journey from JSON.

use serde_json::Value;

use super::options::{
    COLLAPSED_AT, OCCURRENCES, PARTS, PRESETS, Rename, STEPS_FROM, StepsFrom, UNITS, Unit,
};
use super::question::{Journey, MAX_LENGTH, MAX_NEXT, MAX_PER_STEP, MAX_SHOWN, MAX_STEPS};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::filter::{filters, property};
use crate::query::{Condition, Range};

pub(super) fn journey(fields: &mut Fields<'_>) -> Journey {
    let mut journey = Journey::new(Range::default());
    if let Some(preset) = fields.optional("preset", |v| fields::one_of(v, &PRESETS)) {
        journey = journey.under(preset);
    }
    let exact = journey.preset == super::options::Preset::Exact;
    journey.range = fields.range();
    set(
        &mut journey.segment,
        fields.optional("segment", fields::segment),
    );
    set(&mut journey.filters, fields.optional("filters", filters));
    set(&mut journey.include, fields.optional("include", conditions));
    set(&mut journey.exclude, fields.optional("exclude", conditions));
    journey.node_by = fields.optional("nodeBy", property);
    set(
        &mut journey.rename,
        fields.optional("rename", |v| fields::list(v, rename)),
    );
    set(
        &mut journey.unit,
        fields.optional("unit", |v| fields::one_of(v, &UNITS)),
    );
    let sessions = journey.unit == Unit::Sessions;
    set(
        &mut journey.session_timeout,
        fields.optional("sessionTimeout", |v| {
            let timeout = fields::window(v)?;
            needs(sessions, timeout, "needs `unit` to be sessions")
        }),
    );
    set(
        &mut journey.collapse,
        fields.optional("collapse", fields::boolean),
    );
    let collapse = journey.collapse;
    set(
        &mut journey.collapsed_at,
        fields.optional("collapsedAt", |v| {
            let at = fields::one_of(v, &COLLAPSED_AT)?;
            needs(collapse, at, "needs `collapse` to be true")
        }),
    );
    journey.start = fields.optional("start", condition);
    journey.end = fields.optional("end", condition);
    let anchored = journey.anchor().is_some();
    set(
        &mut journey.occurrence,
        fields.optional("occurrence", |v| {
            let which = fields::one_of(v, &OCCURRENCES)?;
            needs(anchored, which, "needs `start` or `end`")
        }),
    );
    set(
        &mut journey.max_steps,
        fields.optional("maxSteps", |v| up_to(v, MAX_STEPS)),
    );
    if exact && journey.end.is_some() && journey.start.is_none() {
        journey.steps_from = StepsFrom::Last;
    }
    set(
        &mut journey.steps_from,
        fields.optional("stepsFrom", |v| fields::one_of(v, &STEPS_FROM)),
    );
    set(
        &mut journey.length,
        fields.optional("length", |v| up_to(v, MAX_LENGTH)),
    );
    set(
        &mut journey.limit,
        fields.optional("limit", |v| up_to(v, MAX_SHOWN)),
    );
    set(
        &mut journey.nodes_per_step,
        fields.optional("nodesPerStep", |v| up_to(v, MAX_PER_STEP)),
    );
    journey.around = fields.optional("around", condition);
    set(
        &mut journey.parts,
        fields.optional("parts", |v| fields::list(v, |v| fields::one_of(v, &PARTS))),
    );
    set(
        &mut journey.medians,
        fields.optional("medians", fields::boolean),
    );
    set(
        &mut journey.next_actions,
        fields.optional("nextActions", |v| {
            fields::integer(v, 0, MAX_NEXT as i64).map(|n| n as usize)
        }),
    );
    journey.as_of = fields.optional("asOf", fields::instant);
    journey
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn needs<T>(met: bool, value: T, message: &str) -> Parsed<T> {
    if met {
        Ok(value)
    } else {
        fault("contradiction", message)
    }
}

fn up_to(value: &Value, most: usize) -> Parsed<usize> {
    fields::integer(value, 1, most as i64).map(|n| n as usize)
}

/// One condition, or a list of them of which any will do.
fn conditions(value: &Value) -> Parsed<Vec<Condition>> {
    match value {
        Value::Array(_) => fields::list(value, condition),
        one => condition(one).map(|c| vec![c]),
    }
}

/// A pattern, which is also the name, or `{"match": pattern, "as": name}`.
fn rename(value: &Value) -> Parsed<Rename> {
    let Some(map) = value.as_object() else {
        let pattern = fields::name(value)?;
        return Ok(Rename {
            name: pattern.clone(),
            pattern,
        });
    };
    if let Some(unknown) = map.keys().find(|k| *k != "match" && *k != "as") {
        return fault(
            "unknown_field",
            format!("has the unknown field `{unknown}`; known are match, as"),
        );
    }
    let (Some(pattern), Some(name)) = (map.get("match"), map.get("as")) else {
        return fault("required", "must have the fields `match` and `as`");
    };
    Ok(Rename {
        pattern: fields::name(pattern)?,
        name: fields::name(name)?,
    })
}
