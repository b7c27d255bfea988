//! The configuration of a widget: what is known is checked by the widget's type, what is not known is kept.

use serde_json::{Map, Value};

use super::WidgetType;
use crate::query::fields::{self, Fields, Parsed, fault};
use crate::query::{Period, Window, Zone};

/// What is computed of the rows of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Measure {
    /// How many there are.
    #[default]
    Count,
    /// The sum of their amounts in the base currency, exact.
    Amount,
    /// The mean of their values: of ratings, of measurements.
    Average,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The value that half of them do not exceed.
    Median,
    /// The value that 95 of 100 do not exceed.
    P95,
}

pub(super) const MEASURES: [(&str, Measure); 7] = [
    ("count", Measure::Count),
    ("amount", Measure::Amount),
    ("average", Measure::Average),
    ("min", Measure::Min),
    ("max", Measure::Max),
    ("median", Measure::Median),
    ("p95", Measure::P95),
];

/// The length of a chart's buckets.
const INTERVALS: [(&str, Period); 6] = [
    ("day", Period::Daily),
    ("daily", Period::Daily),
    ("week", Period::Weekly),
    ("weekly", Period::Weekly),
    ("month", Period::Monthly),
    ("monthly", Period::Monthly),
];

const TIME_RANGES: [(&str, ()); 3] = [
    ("last_5_minutes", ()),
    ("last_15_minutes", ()),
    ("last_hour", ()),
];

/// What is known of a widget's configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Known {
    /// A real-time metric by name, in the place of a measure.
    pub(super) metric: Option<String>,
    /// The measure.
    pub(super) measure: Option<Measure>,
    /// The chart's buckets.
    pub(super) interval: Option<Period>,
    /// By what rows are grouped.
    pub(super) group_by: Option<String>,
    /// Only rows of this status.
    pub(super) status: Option<String>,
    /// Only events, or measurements, of this name.
    pub(super) event: Option<String>,
    /// At most so many groups.
    pub(super) limit: Option<usize>,
    /// So far back from now.
    pub(super) last: Option<Window>,
    /// The zone of days.
    pub(super) zone: Option<Zone>,
}

/// The configuration as it is given, once what is known of it has been checked.
pub(super) fn read(value: &Value, kind: Option<WidgetType>) -> Parsed<Map<String, Value>> {
    let Some(map) = value.as_object() else {
        return fault("invalid_type", "must be an object");
    };
    if let Some(kind) = kind {
        known(value, kind)?;
    }
    Ok(map.clone())
}

/// What is known of it.
pub(super) fn known(value: &Value, kind: WidgetType) -> Parsed<Known> {
    fields::object(value, |fields| {
        fields.keep_unknown();
        let mut known = Known {
            last: fields.optional("last", positive),
            zone: fields.optional("timezone", fields::zone),
            ..Known::default()
        };
        match kind {
            WidgetType::Metric => {
                known.metric = fields.optional("metric", fields::name);
                fields.optional("timeRange", |v| fields::one_of(v, &TIME_RANGES));
                rows(fields, &mut known);
            }
            WidgetType::Chart => {
                known.interval = fields.optional("interval", |v| fields::one_of(v, &INTERVALS));
                rows(fields, &mut known);
                groups(fields, &mut known);
            }
            WidgetType::Table | WidgetType::Map => {
                rows(fields, &mut known);
                groups(fields, &mut known);
            }
            WidgetType::Funnel => {
                fields.optional("steps", steps);
                fields.optional("window", fields::window);
            }
        }
        known
    })
}

fn rows(fields: &mut Fields<'_>, known: &mut Known) {
    known.measure = fields.optional("measure", |v| fields::one_of(v, &MEASURES));
    known.status = fields.optional("status", fields::name);
    known.event = fields.optional("event", fields::name);
}

fn groups(fields: &mut Fields<'_>, known: &mut Known) {
    known.group_by = fields.optional("groupBy", fields::name);
    known.limit = fields
        .optional("limit", |v| fields::integer(v, 1, 1_000))
        .map(|n| n as usize);
}

/// Steps are checked in full when they are asked for; here only that they are steps at all.
fn steps(value: &Value) -> Parsed<()> {
    match value.as_array() {
        None => fault("invalid_type", "must be an array"),
        Some(steps) if steps.is_empty() => fault("empty", "must have at least one step"),
        Some(_) => Ok(()),
    }
}

fn positive(value: &Value) -> Parsed<Window> {
    let window = fields::window(value)?;
    if window.micros() <= 0 {
        return fault("out_of_range", "must be longer than nothing");
    }
    Ok(window)
}
