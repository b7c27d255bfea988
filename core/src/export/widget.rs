//! A dashboard's widget as a section: whatever its data are, they become a table, and a chart where they are one.

mod picture;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use serde_json::{Value, json};

use self::picture::picture;
use super::report::{Form, Kind, Plot, Section, Table};
use super::request::ExportMetric;
use crate::chart::{self, Heading, Unit};
use crate::error::{Error, Result};
use crate::query::{Instant, Zone};

/// Whether a widget belongs to an export that is limited to some metrics; one that names no metric does.
pub(crate) fn has(widget: &Value, metrics: &[ExportMetric]) -> bool {
    let named = widget.pointer("/data/metricName").and_then(Value::as_str);
    metrics.is_empty() || named.is_none_or(|name| metrics.iter().any(|m| m.name() == name))
}

/// A widget with its data, as they are told, whose figures are parts of a whole where they add up; amounts are in the base currency.
pub(crate) fn section(
    widget: &Value,
    (zone, base): (&Zone, &str),
    adds: bool,
) -> Result<Section<'static>> {
    let text = |field: &str| {
        widget
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let place = widget
        .get("widget")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let none = Value::Null;
    let data = widget.get("data").unwrap_or(&none);
    let error = widget.pointer("/error/message").and_then(Value::as_str);
    let mut notes: Vec<String> = error
        .map(|e| format!("No data: {e}."))
        .into_iter()
        .collect();
    let mut rows = rows(data);
    // A cap is told in every format, in each row (D2).
    if data.get("truncated").is_some_and(|cut| *cut == json!(true)) {
        let total = data.get("total").cloned().unwrap_or_default();
        notes.push(format!("Truncated: there are {total} groups."));
        for row in &mut rows {
            row.push(("truncated".to_owned(), json!(true)));
            row.push(("total".to_owned(), total.clone()));
        }
    }
    let title = text("title").to_owned();
    let measures = measures(data);
    let money = measures.iter().filter(|name| is_money(&rows, name));
    let money: Vec<&str> = money.map(String::as_str).collect();
    if !money.is_empty() {
        notes.push(format!("Amounts are in {base}."));
    }
    let unit = match data.pointer("/metadata/unit").and_then(Value::as_str) {
        Some("share") => Unit::Share,
        Some("money/min") => Unit::Money(base.to_owned()),
        _ if !money.is_empty() => Unit::Money(base.to_owned()),
        _ => Unit::Number,
    };
    let at = |field: &str| widget.get(field).and_then(instant);
    let heading = Heading {
        subtitle: match (
            at("startDate"),
            at("endDate"),
            data.get("timestamp").and_then(instant),
        ) {
            (Some(from), Some(to), _) => {
                // To the minute, and in the zone that stands at the top of all.
                let minute = 60_000_000;
                let until = to.micros() - to.micros().rem_euclid(minute);
                let range = chart::range(from, Instant::saturating_from_micros(until), zone);
                let zoned = format!(", {}", zone.name());
                range.strip_suffix(&zoned).unwrap_or(&range).to_owned()
            }
            (_, _, Some(at)) => format!("At {}", chart::moment(at, zone)),
            _ => String::new(),
        },
        title: title.clone(),
        ..Heading::default()
    };
    let form = form(text("visualization"), data, adds);
    let kind = data.get("kind").and_then(Value::as_str).unwrap_or_default();
    let (shares, seconds): (&[&str], &[&str]) = match kind {
        "realtime" if unit == Unit::Share => (&["value", "previous", "change", "low", "high"], &[]),
        "realtime" => (&["change"], &[]),
        "funnel" => (&SHARES, &SECONDS),
        _ => (&[], &[]),
    };
    Ok(Section {
        name: format!("widget_{}", place + 1),
        notes,
        chart: form.and_then(|form| picture(data, heading, unit, (zone, form))),
        plot: form.and_then(|form| plot(data, &measures, form)),
        table: Table::of(table(&rows)?)
            .with(&money, Kind::Money)
            .with(shares, Kind::Share)
            .with(seconds, Kind::Seconds)
            .on_paper(|name| is_for_paper(kind, &rows, name)),
        title,
    })
}

/// The columns of a funnel that are shares, and those that are lengths of time.
const SHARES: [&str; 6] = [
    "rate",
    "rate_low",
    "rate_high",
    "rate_from_previous",
    "rate_from_previous_low",
    "rate_from_previous_high",
];
const SECONDS: [&str; 4] = [
    "median_seconds_from_previous",
    "p90_seconds_from_previous",
    "median_seconds_from_entry",
    "p90_seconds_from_entry",
];

/// Whether a column says on paper what nothing beside it says.
fn is_for_paper(kind: &str, rows: &[Row], name: &str) -> bool {
    let of = |row: &Row, name: &str| {
        let found = row.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    match kind {
        "realtime" => ["value", "previous", "change", "low", "high", "unit"].contains(&name),
        "funnel" => !name.ends_with("_entry") && !name.starts_with("rate_from_previous_"),
        // A bucket ends where the next begins.
        "series" => name != "end" && name != "truncated" && name != "total",
        "rows" | "figure" => match name {
            // A note tells of what was cut.
            "truncated" | "total" => false,
            "count" => rows.iter().any(|row| of(row, "count") != of(row, "value")),
            _ => true,
        },
        _ => true,
    }
}

/// Values by the names of their columns, in the order of the columns.
type Row = Vec<(String, Value)>;

/// The columns that people look for first.
const FIRST: [&str; 9] = [
    "start", "end", "group", "step", "event", "period", "name", "value", "count",
];

/// What a figure says of itself, and is no figure.
const OURS: [&str; 5] = ["_id", "createdAt", "dataVersion", "identityVersion", "kind"];

/// The columns of a real-time figure and where they stand; those that it does not have are left out.
const REALTIME: [(&str, &str); 13] = [
    ("value", "/value"),
    ("previous", "/metadata/previous"),
    ("change", "/metadata/change"),
    ("low", "/metadata/low"),
    ("high", "/metadata/high"),
    ("k", "/metadata/k"),
    ("n", "/metadata/n"),
    ("unit", "/metadata/unit"),
    ("exact", "/metadata/exact"),
    ("base_currency", "/metadata/baseCurrency"),
    ("metric_name", "/metricName"),
    ("window_seconds", "/metadata/windowSeconds"),
    ("timestamp", "/timestamp"),
];

/// The columns of a funnel's step and where they stand.
const STEP: [(&str, &str); 13] = [
    ("step", "/step"),
    ("count", "/count"),
    ("rate", "/rate/value"),
    ("rate_low", "/rate/low"),
    ("rate_high", "/rate/high"),
    ("rate_from_previous", "/rateFromPrevious/value"),
    ("rate_from_previous_low", "/rateFromPrevious/low"),
    ("rate_from_previous_high", "/rateFromPrevious/high"),
    ("dropped", "/dropped"),
    ("median_seconds_from_previous", "/timeFromPrevious/median"),
    ("p90_seconds_from_previous", "/timeFromPrevious/p90"),
    ("median_seconds_from_entry", "/timeFromEntry/median"),
    ("p90_seconds_from_entry", "/timeFromEntry/p90"),
];

/// The values of an object at these places.
fn picked(value: &Value, columns: &[(&str, &str)]) -> Row {
    let at = |(name, place): &(&str, &str)| {
        let value = value.pointer(place)?;
        Some(((*name).to_owned(), value.clone()))
    };
    columns.iter().filter_map(at).collect()
}

/// What a funnel's step is called.
fn step_name(step: &Value) -> String {
    match step.get("event") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter_map(Value::as_str);
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "any event".to_owned(),
    }
}

/// The rows of data: of a series its buckets, of a list its items, of one figure itself.
fn rows(data: &Value) -> Vec<Row> {
    let list = |name: &str| data.get(name).and_then(Value::as_array);
    if let (Some(buckets), Some(lines)) = (list("buckets"), list("series")) {
        let names = groups(lines);
        let rows = buckets.iter().enumerate().map(|(i, bucket)| {
            let mut row = flat(bucket);
            for (line, name) in lines.iter().zip(&names) {
                let value = line.get("values").and_then(|v| v.get(i));
                row.push((name.clone(), value.cloned().unwrap_or_default()));
            }
            row
        });
        return rows.collect();
    }
    match (data.get("kind").and_then(Value::as_str), list("steps")) {
        (Some("realtime"), _) => return vec![picked(data, &REALTIME)],
        (Some("funnel"), Some(steps)) => {
            let rows = steps.iter().map(|step| {
                let mut row = picked(step, &STEP);
                let second = row.len().min(1);
                row.insert(second, ("event".to_owned(), step_name(step).into()));
                row
            });
            return rows.collect();
        }
        _ => {}
    }
    for name in ["rows", "steps", "cohorts", "days", "features", "paths"] {
        if let Some(items) = list(name) {
            return items.iter().map(flat).collect();
        }
    }
    match data {
        Value::Array(items) => items.iter().map(flat).collect(),
        Value::Object(_) => {
            let mut row = flat(data);
            row.retain(|(name, _)| !OURS.contains(&name.as_str()));
            vec![row]
        }
        _ => Vec::new(),
    }
}

/// The columns that hold what a widget measures.
fn measures(data: &Value) -> Vec<String> {
    match data.get("series").and_then(Value::as_array) {
        Some(lines) if data.get("buckets").is_some() => groups(lines),
        _ => vec!["value".to_owned(), "previous".to_owned()],
    }
}

/// What the columns of lines are called: as their groups are, and numbered where another column is called so.
fn groups(lines: &[Value]) -> Vec<String> {
    let mut taken: Vec<String> = ["start", "end", "truncated", "total"]
        .map(str::to_owned)
        .into();
    let ours = taken.len();
    for line in lines {
        let group = line.get("group").and_then(Value::as_str);
        let name = group.unwrap_or("value");
        let mut free = name.to_owned();
        let mut n = 1;
        while taken.contains(&free) {
            n += 1;
            free = format!("{name} ({n})");
        }
        taken.push(free);
    }
    taken.split_off(ours)
}

/// Whether a measure is money, which is told as decimal text.
fn is_money(rows: &[Row], name: &str) -> bool {
    let values = || {
        let cells = rows.iter().flatten().filter(|(column, _)| column == name);
        cells.map(|(_, value)| value).filter(|v| !v.is_null())
    };
    let is_text = values().any(Value::is_string);
    is_text && values().all(|v| number(v).is_some_and(f64::is_finite))
}

/// What data look like that are to be shown in a way; the nearest to it where they cannot: what is lost has no part in a whole.
fn form(way: &str, data: &Value, adds: bool) -> Option<Form> {
    let way = way.trim_end_matches("_chart");
    match data.get("kind").and_then(Value::as_str)? {
        "series" => {
            let lines = data.get("series")?.as_array()?.iter();
            let mut values = lines.flat_map(|line| {
                let values = line.get("values").and_then(Value::as_array);
                values.into_iter().flatten().filter_map(number)
            });
            let lost = values.any(|value| value < 0.0);
            Some(match way {
                "area" => Form::Area,
                "stacked_area" if lost => Form::Area,
                "stacked_area" => Form::StackedArea,
                "bar" | "column" | "histogram" => Form::Columns,
                "stacked_bar" if lost => Form::Columns,
                "stacked_bar" => Form::StackedColumns,
                "pie" | "donut" if lost || !adds => Form::Bars,
                "pie" => Form::Pie,
                "donut" => Form::Donut,
                "heatmap" => Form::Heat,
                "scatter" => Form::Points,
                _ => Form::Line,
            })
        }
        "rows" if way == "heatmap" => Some(Form::Heat),
        _ => Some(Form::Bars),
    }
}

/// The chart that a workbook makes of a widget's table.
fn plot(data: &Value, measures: &[String], form: Form) -> Option<Plot> {
    let (names, figures) = match data.get("kind").and_then(Value::as_str)? {
        "series" => ("start", measures.to_vec()),
        "rows" => ("group", vec!["value".to_owned()]),
        "funnel" => ("event", vec!["count".to_owned()]),
        _ => return None,
    };
    Some(Plot {
        form,
        names: names.to_owned(),
        figures,
    })
}

/// An object whose objects are told by their paths, `rate_low`; a list within is JSON text.
fn flat(value: &Value) -> Row {
    fn fill(row: &mut Row, path: &str, value: &Value) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    let path = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}_{name}")
                    };
                    fill(row, &path, value);
                }
            }
            Value::Array(_) => row.push((path.to_owned(), json!(value.to_string()))),
            plain => row.push((path.to_owned(), plain.clone())),
        }
    }
    let mut row = Row::new();
    fill(&mut row, "", value);
    let rank = |name: &str| FIRST.iter().position(|first| *first == name);
    row.sort_by_key(|(name, _)| rank(name).unwrap_or(FIRST.len()));
    row
}

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Integer,
    Number,
    Boolean,
    Instant,
    Text,
}

fn instant(value: &Value) -> Option<Instant> {
    let text = value
        .as_str()
        .filter(|t| t.len() >= 20 && t.ends_with('Z'))?;
    text.parse().ok()
}

fn kind(value: &Value) -> Option<Type> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some(Type::Boolean),
        Value::Number(n) if n.is_i64() => Some(Type::Integer),
        Value::Number(_) => Some(Type::Number),
        text if instant(text).is_some() => Some(Type::Instant),
        _ => Some(Type::Text),
    }
}

/// Rows as columns of the types that their values have; numbers of both sorts are one sort, anything else mixed is text.
fn table(rows: &[Row]) -> Result<RecordBatch> {
    let mut columns: Vec<(String, Option<Type>)> = Vec::new();
    for (name, value) in rows.iter().flatten() {
        let found = columns.iter_mut().find(|(known, _)| known == name);
        let kind = kind(value);
        match found {
            None => columns.push((name.clone(), kind)),
            Some((_, known)) => {
                *known = match (*known, kind) {
                    (None, other) | (other, None) => other,
                    (Some(a), Some(b)) if a == b => Some(a),
                    (Some(Type::Integer | Type::Number), Some(Type::Integer | Type::Number)) => {
                        Some(Type::Number)
                    }
                    _ => Some(Type::Text),
                }
            }
        }
    }
    if columns.is_empty() {
        columns.push(("value".to_owned(), None));
    }
    let columns = columns.into_iter().map(|(name, kind)| {
        let values = || {
            rows.iter().map(|row| {
                let (_, value) = row.iter().find(|(known, _)| *known == name)?;
                (!value.is_null()).then_some(value)
            })
        };
        let column: ArrayRef = match kind.unwrap_or(Type::Text) {
            Type::Integer => Arc::new(values().map(|v| v?.as_i64()).collect::<Int64Array>()),
            Type::Number => Arc::new(values().map(|v| v?.as_f64()).collect::<Float64Array>()),
            Type::Boolean => Arc::new(values().map(|v| v?.as_bool()).collect::<BooleanArray>()),
            Type::Instant => {
                let instants = values().map(|v| Some(instant(v?)?.micros()));
                Arc::new(instants.collect::<TimestampMicrosecondArray>())
            }
            Type::Text => {
                let texts = values().map(|v| match v? {
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                });
                Arc::new(texts.collect::<StringArray>())
            }
        };
        (name.clone(), column, true)
    });
    let columns: Vec<(String, ArrayRef, bool)> = columns.collect();
    RecordBatch::try_from_iter_with_nullable(columns).map_err(Error::internal)
}

/// A number, or money as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}
