//! Reads a funnel from JSON.

use serde_json::Value;

use super::options::{
    ATTRIBUTIONS, Attribution, Breakdown, ENTRIES, ENTRY, EXCLUSION_MODES, Exclusion, GROUPS,
    ORDERS, SELECTS, Step, TIMED, TOTALS, UNITS, Universe,
};
use super::question::{Funnel, MAX_STEPS};
use crate::query::condition::condition;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::filter::{filters, property};
use crate::query::preset::PRESETS;
use crate::query::{Filter, Period, Property, Segment, Selector, Window};

pub(super) fn funnel(fields: &mut Fields<'_>, default_steps: &[Selector]) -> Funnel {
    let pair = |v: &Value| match fields::list(v, |v| fields::integer(v, 1, MAX_STEPS as i64))?[..] {
        [from, to] => Ok((from as usize, to as usize)),
        _ => fault("invalid_length", "must be two step numbers"),
    };
    let steps = fields
        .optional("steps", |v| fields::list(v, step))
        .unwrap_or_else(|| default_steps.iter().cloned().map(Step::from).collect());
    let last = steps.len();
    let mut funnel = Funnel {
        steps,
        order: fields
            .optional("order", |v| fields::one_of(v, &ORDERS))
            .unwrap_or_default(),
        strict_increase: fields
            .optional("strictIncrease", fields::boolean)
            .unwrap_or_default(),
        unit: fields
            .optional("unit", |v| fields::one_of(v, &UNITS))
            .unwrap_or_default(),
        ..Funnel::default()
    };
    if let Some(preset) = fields.optional("preset", |v| fields::one_of(v, &PRESETS)) {
        funnel = funnel.under(preset);
    }

    let window = fields.optional("window", fields::window);
    funnel.window_calendar_days = fields.optional("windowCalendarDays", |v| {
        if window.is_some() {
            return fault("contradiction", "must not be there beside `window`");
        }
        fields::integer(v, 1, 36_525).map(|days| days as u32)
    });
    set(&mut funnel.window, window);
    set(
        &mut funnel.anchor_first,
        fields.optional("anchorFirst", fields::boolean),
    );
    set(&mut funnel.universe, fields.optional("universe", universe));
    funnel.range = fields.range();
    set(
        &mut funnel.selects,
        fields.optional("range", |v| fields::one_of(v, &SELECTS)),
    );
    let segment = fields.optional("segment", segment);
    set(&mut funnel.filters, fields.optional("filters", filters));
    match segment {
        Some(Members::Segment(segment)) => funnel.segment = segment,
        Some(Members::Cohort(filter)) => funnel.filters.push(filter),
        None => {}
    }
    set(&mut funnel.grace, fields.optional("grace", fields::window));
    set(
        &mut funnel.exclusions,
        fields.optional("exclusions", |v| fields::list(v, |v| exclusion(v, last))),
    );
    set(
        &mut funnel.exclusion_mode,
        fields.optional("exclusionMode", |v| fields::one_of(v, &EXCLUSION_MODES)),
    );
    set(
        &mut funnel.hold_constant,
        fields.optional("holdConstant", properties),
    );
    let (totals, sessions) = (
        funnel.unit == super::options::Unit::Totals,
        funnel.unit == super::options::Unit::Sessions,
    );
    set(
        &mut funnel.totals,
        fields.optional("totals", |v| {
            let totals_of = fields::one_of(v, &TOTALS)?;
            if totals {
                Ok(totals_of)
            } else {
                fault("contradiction", "needs `unit` to be totals")
            }
        }),
    );
    set(
        &mut funnel.session_timeout,
        fields.optional("sessionTimeout", |v| {
            let timeout = fields::window(v)?;
            if sessions {
                Ok(timeout)
            } else {
                fault("contradiction", "needs `unit` to be sessions")
            }
        }),
    );
    set(
        &mut funnel.entry,
        fields.optional("entry", |v| fields::one_of(v, &ENTRY)),
    );
    set(
        &mut funnel.entries,
        fields.optional("entries", |v| fields::one_of(v, &ENTRIES)),
    );
    funnel.breakdown = fields.optional("breakdown", breakdown);
    funnel.trend = fields.optional("trend", fields::period);
    let weekly = funnel.trend == Some(Period::Weekly);
    set(
        &mut funnel.week_start,
        fields.optional("weekStart", |v| {
            let start = fields::week_start(v)?;
            if weekly {
                Ok(start)
            } else {
                fault("contradiction", "needs `trend` to be weekly")
            }
        }),
    );
    funnel.time_between = fields.optional("timeBetween", pair);
    set(
        &mut funnel.timed,
        fields.optional("timed", |v| fields::one_of(v, &TIMED)),
    );
    funnel.histogram_bins = fields
        .optional("histogramBins", |v| fields::integer(v, 1, 1_000))
        .map(|n| n as usize);
    set(
        &mut funnel.revenue,
        fields.optional("revenue", fields::boolean),
    );
    funnel.as_of = fields.optional("asOf", fields::instant);
    funnel
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// Whose events are seen.
enum Members {
    Segment(Segment),
    /// A cohort is a filter of all events.
    Cohort(Filter),
}

/// The name of a segment, or `{"cohort": name}`.
fn segment(value: &Value) -> Parsed<Members> {
    match value {
        Value::Object(_) => match property(value)? {
            property @ Property::Cohort { .. } => Ok(Members::Cohort(Filter {
                property,
                ..Filter::is("", true)
            })),
            _ => fault("invalid_type", "must be a segment or {\"cohort\": name}"),
        },
        _ => fields::segment(value).map(Members::Segment),
    }
}

/// What `condition` takes; an object may also have `optional`, `minGap` and `maxGap`.
fn step(value: &Value) -> Parsed<Step> {
    let Some(map) = value.as_object() else {
        return condition(value).map(Step::from);
    };
    let mut rest = map.clone();
    let mut length = |name: &str| match rest.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(length) => fields::window(&length).map(Some),
    };
    let gaps: Parsed<[Option<Window>; 2]> =
        length("minGap").and_then(|min| Ok([min, length("maxGap")?]));
    let [min_gap, max_gap] = gaps?;
    let optional = match rest.remove("optional") {
        None | Some(Value::Null) => false,
        Some(flag) => fields::boolean(&flag)?,
    };
    Ok(Step {
        condition: condition(&Value::Object(rest))?,
        optional,
        min_gap,
        max_gap,
    })
}

/// `{"event": …, "where": …, "from": 1, "to": 2}`; without `from` and `to`, between the first and the last step.
fn exclusion(value: &Value, last: usize) -> Parsed<Exclusion> {
    let Some(map) = value.as_object() else {
        return condition(value).map(|condition| Exclusion {
            condition,
            from: 1,
            to: last,
        });
    };
    let mut rest = map.clone();
    let mut number = |name: &str, absent: usize| match rest.remove(name) {
        None | Some(Value::Null) => Ok(absent),
        Some(n) => fields::integer(&n, 1, MAX_STEPS as i64).map(|n| n as usize),
    };
    let (from, to) = (number("from", 1)?, number("to", last)?);
    Ok(Exclusion {
        condition: condition(&Value::Object(rest))?,
        from,
        to,
    })
}

/// `"all"`, or `{"except": [names]}`.
fn universe(value: &Value) -> Parsed<Universe> {
    match value {
        Value::String(all) if all == "all" => Ok(Universe::All),
        Value::Object(map) if map.len() == 1 && map.contains_key("except") => {
            let names = map.get("except").unwrap_or(&Value::Null);
            fields::list(names, fields::name).map(Universe::Except)
        }
        _ => fault(
            "invalid_type",
            "must be \"all\", or an object with the one field `except`, a list of event names",
        ),
    }
}

/// One property, or a list of them.
fn properties(value: &Value) -> Parsed<Vec<Property>> {
    match value {
        Value::Array(_) => fields::list(value, property),
        one => property(one).map(|p| vec![p]),
    }
}

/// A property or a list of them, or `{"property": …, "by": …, "step": …, "limit": …}`.
fn breakdown(value: &Value) -> Parsed<Breakdown> {
    let Some(map) = value.as_object().filter(|map| map.contains_key("property")) else {
        return properties(value).map(|properties| Breakdown {
            properties,
            by: Attribution::Entry,
            limit: GROUPS,
        });
    };
    const KNOWN: [&str; 4] = ["property", "by", "step", "limit"];
    if let Some(unknown) = map.keys().find(|k| !KNOWN.contains(&k.as_str())) {
        return fault(
            "unknown_field",
            format!(
                "has the unknown field `{unknown}`; known are {}",
                KNOWN.join(", ")
            ),
        );
    }
    let given = |name: &str| map.get(name).filter(|v| !v.is_null());
    let by = given("by").map_or(Ok(Attribution::Entry), |v| fields::one_of(v, &ATTRIBUTIONS))?;
    let by = match (by, given("step")) {
        (Attribution::Step(_), Some(n)) => {
            Attribution::Step(fields::integer(n, 1, MAX_STEPS as i64)? as usize)
        }
        (Attribution::Step(_), None) => {
            return fault("required", "must have the field `step` where `by` is step");
        }
        (_, Some(_)) => return fault("contradiction", "has a `step`, but `by` is not step"),
        (by, None) => by,
    };
    Ok(Breakdown {
        properties: properties(map.get("property").unwrap_or(&Value::Null))?,
        by,
        limit: given("limit").map_or(Ok(GROUPS), |v| {
            fields::integer(v, 1, 1_000).map(|n| n as usize)
        })?,
    })
}
