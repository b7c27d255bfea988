//! A dashboard's widget as a section: whatever its data are, they become a table, and a chart where they are one.

mod picture;

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use serde_json::{Value, json};

use self::picture::picture;
use super::report::{Kind, Plot, Section, Table};
use super::request::ExportMetric;
use crate::chart::{self, Heading, Unit};
use crate::error::{Error, Result};
use crate::query::{Instant, Zone};

/// Whether a widget belongs to an export that is limited to some metrics; one that names no metric does.
pub(crate) fn has(widget: &Value, metrics: &[ExportMetric]) -> bool {
    let named = widget.pointer("/data/metricName").and_then(Value::as_str);
    metrics.is_empty() || named.is_none_or(|name| metrics.iter().any(|m| m.name() == name))
}

/// A widget with its data, as they are told; amounts are in the base currency.
pub(crate) fn section(widget: &Value, zone: &Zone, base: &str) -> Result<Section<'static>> {
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
            (Some(from), Some(to), _) => chart::range(from, to, zone),
            (_, _, Some(at)) => format!("At {}, {}", chart::moment(at, zone), zone.name()),
            _ => String::new(),
        },
        title: title.clone(),
        ..Heading::default()
    };
    let bars = ["bar", "stacked_bar", "column", "histogram"].contains(&text("visualization"));
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
        chart: picture(data, heading, unit, (zone, bars)),
        plot: plot(data, &measures, bars),
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
        let rows = buckets.iter().enumerate().map(|(i, bucket)| {
            let mut row = flat(bucket);
            for line in lines {
                let value = line.get("values").and_then(|v| v.get(i));
                row.push((group(line), value.cloned().unwrap_or_default()));
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
        Some(lines) if data.get("buckets").is_some() => lines.iter().map(group).collect(),
        _ => vec!["value".to_owned(), "previous".to_owned()],
    }
}

/// What the column of a line is called.
fn group(line: &Value) -> String {
    let named = line.get("group").and_then(Value::as_str);
    named.unwrap_or("value").to_owned()
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

/// The chart that a workbook makes of a widget's table.
fn plot(data: &Value, measures: &[String], bars: bool) -> Option<Plot> {
    let (joined, names, figures) = match data.get("kind").and_then(Value::as_str)? {
        "series" => (!bars, "start", measures.to_vec()),
        "rows" => (false, "group", vec!["value".to_owned()]),
        "funnel" => (false, "event", vec!["count".to_owned()]),
        _ => return None,
    };
    Some(Plot {
        joined,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Chart;

    fn columns(data: &Value) -> Vec<(String, String)> {
        let batch = table(&rows(data)).unwrap();
        let schema = batch.schema();
        let fields = schema.fields().iter();
        fields
            .map(|f| (f.name().clone(), f.data_type().to_string()))
            .collect()
    }

    #[test]
    fn a_series_is_a_row_a_bucket_and_a_column_a_group() {
        let data = json!({ "kind": "series", "buckets": [
                { "start": "2026-01-01T00:00:00.000Z", "end": "2026-01-02T00:00:00.000Z" },
                { "start": "2026-01-02T00:00:00.000Z", "end": "2026-01-03T00:00:00.000Z" }],
            "series": [{ "group": "a", "values": [1, 2] }, { "group": "b", "values": [0.5, null] }] });
        let found = columns(&data);
        assert_eq!(found.len(), 4);
        assert!(found[0].1.starts_with("Timestamp"));
        assert_eq!(found[2], ("a".to_owned(), "Int64".to_owned()));
        assert_eq!(found[3], ("b".to_owned(), "Float64".to_owned()));
        let drawn = |data: &Value, bars: bool| {
            let zone = Zone::default();
            picture(data, Heading::default(), Unit::Number, (&zone, bars))
        };
        assert!(matches!(drawn(&data, false), Some(Chart::Line(_))));
        assert!(matches!(drawn(&data, true), Some(Chart::Stacked(_))));
        // What is lost has no column above the line.
        let mut lost = data;
        lost["series"][0]["values"][0] = json!(-1);
        assert!(matches!(drawn(&lost, true), Some(Chart::Line(_))));
    }

    #[test]
    fn objects_within_are_told_by_their_paths_and_mixed_values_are_text() {
        let data = json!({ "kind": "rows", "rows": [
            { "group": "x", "value": 1, "rate": { "low": 0.5 } }, { "group": null, "value": "2.50" }] });
        let expected = [
            ("group", "Utf8"),
            ("value", "Utf8"),
            ("rate_low", "Float64"),
        ];
        assert_eq!(
            columns(&data),
            expected.map(|(n, t)| (n.to_owned(), t.to_owned()))
        );
        assert_eq!(columns(&Value::Null).len(), 1);
    }

    #[test]
    fn money_is_a_number_to_those_who_count_and_is_plotted() {
        let data = json!({ "kind": "series", "buckets": [
                { "start": "2026-01-01T00:00:00.000Z", "end": "2026-01-02T00:00:00.000Z" },
                { "start": "2026-01-02T00:00:00.000Z", "end": "2026-01-03T00:00:00.000Z" }],
            "series": [{ "group": "EU", "values": ["-1234.567", "0.00"] }, { "group": "007", "values": [1, null] }] });
        let kinds = |data: &Value| {
            let widget = json!({ "widget": 0, "title": "Sales", "data": data });
            let section = section(&widget, &Zone::default(), "EUR").unwrap();
            (section.table.columns(), section.plot)
        };
        let (columns, plot) = kinds(&data);
        assert_eq!(columns[2], ("EU".to_owned(), Kind::Money));
        assert_eq!(columns[3], ("007".to_owned(), Kind::Integer));
        let plot = plot.unwrap();
        assert_eq!((plot.joined, plot.names.as_str()), (true, "start"));
        assert_eq!(plot.figures, ["EU", "007"]);
        // What looks like a number and names a group stays what it is.
        let data = json!({ "kind": "rows", "rows": [{ "group": "007", "value": "2.50" }] });
        let (columns, plot) = kinds(&data);
        assert_eq!(columns[0], ("group".to_owned(), Kind::Text));
        assert_eq!(columns[1], ("value".to_owned(), Kind::Money));
        assert_eq!(plot.unwrap().names, "group");
        let data = json!({ "kind": "figure", "value": "1.00", "previous": null, "count": 3 });
        let (columns, plot) = kinds(&data);
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((names, plot), (vec!["value", "count", "previous"], None));
    }

    #[test]
    fn a_real_time_figure_and_a_funnel_are_told_as_their_words_tell_them() {
        let data = json!({ "kind": "realtime", "_id": "1", "metricName": "error_rate", "resultHash": "f9", "tzdb": "2026f",
            "timestamp": "2026-01-01T10:00:00.000Z", "value": 0.25, "metadata": {
                "unit": "share", "previous": 0.5, "change": -0.5, "k": 1, "n": 4, "low": 0.1, "high": 0.4, "refreshInterval": 30,
                "timeRange": "last_hour", "windowSeconds": 3600, "series": [{ "value": 0.25 }, { "value": null }] } });
        let widget = json!({ "widget": 0, "title": "Errors", "data": data });
        let told = section(&widget, &Zone::default(), "EUR").unwrap();
        let kinds = told.table.columns();
        let paper = told.table.paper();
        let paper: Vec<&str> = paper.iter().map(|i| kinds[*i].0.as_str()).collect();
        assert_eq!(
            paper,
            ["value", "previous", "change", "low", "high", "unit"]
        );
        for name in ["value", "previous", "change", "low", "high"] {
            assert!(kinds.contains(&(name.to_owned(), Kind::Share)), "{name}");
        }
        assert!(
            !kinds
                .iter()
                .any(|(name, _)| ["resultHash", "tzdb"].contains(&name.as_str()))
        );
        let Some(Chart::Tile(tile)) = told.chart else {
            panic!("no tile")
        };
        assert_eq!((tile.unit, tile.interval), (Unit::Share, Some((0.1, 0.4))));
        assert_eq!(tile.series, [Some(0.25), None]);
        assert_eq!(tile.heading.subtitle, "At 1 Jan 2026, 10:00, UTC");

        let rate = json!({ "k": 1, "n": 2, "value": 0.5, "low": 0.1, "high": 0.9, "small": true });
        let time = json!({ "count": 1, "median": 90.0, "p90": null });
        let data = json!({ "kind": "funnel", "steps": [{ "step": 1, "event": ["a", "b"], "count": 1, "dropped": 0,
            "rate": rate, "rateFromPrevious": rate, "timeFromPrevious": time, "timeFromEntry": time }] });
        let widget = json!({ "widget": 0, "title": "Way", "data": data });
        let told = section(&widget, &Zone::default(), "EUR").unwrap();
        let kinds = told.table.columns();
        assert_eq!(kinds.len(), 14);
        assert_eq!(kinds[1], ("event".to_owned(), Kind::Text));
        assert_eq!(kinds[3], ("rate".to_owned(), Kind::Share));
        assert!(kinds.contains(&("median_seconds_from_entry".to_owned(), Kind::Seconds)));
    }

    #[test]
    fn a_widget_without_data_says_why() {
        let widget = json!({ "widget": 2, "title": "Sales", "error": { "message": "no rate" } });
        let section = section(&widget, &Zone::default(), "EUR").unwrap();
        assert_eq!(
            (section.name.as_str(), section.title.as_str()),
            ("widget_3", "Sales")
        );
        assert_eq!(section.notes, ["No data: no rate."]);
        assert_eq!(section.chart, None);
    }
}
