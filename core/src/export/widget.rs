//! A dashboard's widget as a section: whatever its data are, they become a table, and a chart where they are one.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use serde_json::{Value, json};

use super::report::{Kind, Plot, Section, Table};
use super::request::ExportMetric;
use crate::chart::{
    Bar, BarChart, Chart, FunnelChart, FunnelStep, Heading, LineChart, Point, Series, Tile,
};
use crate::error::{Error, Result};
use crate::query::{Instant, Rate, Zone};

/// Whether a widget belongs to an export that is limited to some metrics; one that names no metric does.
pub(crate) fn has(widget: &Value, metrics: &[ExportMetric]) -> bool {
    let named = widget.pointer("/data/metricName").and_then(Value::as_str);
    metrics.is_empty() || named.is_none_or(|name| metrics.iter().any(|m| m.name() == name))
}

/// A widget with its data, as they are told.
pub(crate) fn section(widget: &Value, zone: &Zone) -> Result<Section<'static>> {
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
    let batch = table(&rows)?;
    let money = measures.iter().filter(|name| is_money(&rows, name));
    let money: Vec<&str> = money.map(String::as_str).collect();
    Ok(Section {
        name: format!("widget_{}", place + 1),
        notes,
        chart: chart(data, &title, zone),
        plot: plot(data, &measures),
        table: Table::of(batch).with(&money, Kind::Money),
        title,
    })
}

/// Values by the names of their columns, in the order of the columns.
type Row = Vec<(String, Value)>;

/// The columns that people look for first.
const FIRST: [&str; 9] = [
    "start", "end", "group", "step", "event", "period", "name", "value", "count",
];

/// What a figure says of itself, and is no figure.
const OURS: [&str; 5] = ["_id", "createdAt", "dataVersion", "identityVersion", "kind"];

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
fn plot(data: &Value, measures: &[String]) -> Option<Plot> {
    let (joined, names, figures) = match data.get("kind").and_then(Value::as_str)? {
        "series" => (true, "start", measures.to_vec()),
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

fn chart(data: &Value, title: &str, zone: &Zone) -> Option<Chart> {
    let heading = Heading {
        title: title.to_owned(),
        ..Heading::default()
    };
    let list = |name: &str| data.get(name).and_then(Value::as_array);
    match data.get("kind").and_then(Value::as_str)? {
        "figure" | "realtime" => Some(Chart::Tile(Tile {
            heading,
            value: number(data.get("value")?),
            change: change(data),
            ..Tile::default()
        })),
        "series" => {
            let starts: Vec<Instant> = list("buckets")?
                .iter()
                .filter_map(|b| instant(b.get("start")?))
                .collect();
            let lines = list("series")?.iter().map(|line| {
                let values = line.get("values").and_then(Value::as_array);
                let values = values.map(Vec::as_slice).unwrap_or_default();
                let points = starts.iter().zip(values).map(|(at, value)| Point {
                    at: *at,
                    value: number(value),
                    ..Point::default()
                });
                Series {
                    name: line
                        .get("group")
                        .and_then(Value::as_str)
                        .unwrap_or(title)
                        .to_owned(),
                    points: points.collect(),
                    compared: false,
                }
            });
            Some(Chart::Line(LineChart {
                heading,
                zone: zone.clone(),
                from_zero: true,
                series: lines.collect(),
                ..LineChart::default()
            }))
        }
        "rows" => {
            let bars = list("rows")?.iter().take(20).map(|row| Bar {
                label: row
                    .get("group")
                    .and_then(Value::as_str)
                    .unwrap_or("(not set)")
                    .to_owned(),
                value: row.get("value").and_then(number),
                ..Bar::default()
            });
            Some(Chart::Bars(BarChart {
                heading,
                bars: bars.collect(),
                ..BarChart::default()
            }))
        }
        "funnel" => {
            let steps = list("steps")?.iter().enumerate().map(|(i, step)| {
                let rate = |name: &str| {
                    let part = |p: &str| step.get(name)?.get(p)?.as_u64();
                    Some(Rate::of(part("k")?, part("n")?))
                };
                Some(FunnelStep {
                    label: match step.get("event") {
                        Some(Value::String(name)) => name.clone(),
                        Some(Value::Array(names)) => {
                            let names = names.iter().filter_map(Value::as_str);
                            names.collect::<Vec<_>>().join(" or ")
                        }
                        _ => "any event".to_owned(),
                    },
                    count: step.get("count")?.as_u64()?,
                    rate: rate("rate")?,
                    from_previous: (i > 0).then(|| rate("rateFromPrevious")).flatten(),
                    median: step
                        .pointer("/timeFromPrevious/median")
                        .and_then(Value::as_f64),
                })
            });
            Some(Chart::Funnel(FunnelChart {
                heading,
                counted: "users".to_owned(),
                steps: steps.collect::<Option<_>>()?,
                groups: Vec::new(),
            }))
        }
        _ => None,
    }
}

/// By how much of the figure before a figure differs from it.
fn change(data: &Value) -> Option<f64> {
    if let Some(change) = data.pointer("/metadata/change").and_then(Value::as_f64) {
        return Some(change);
    }
    let (value, before) = (number(data.get("value")?)?, number(data.get("previous")?)?);
    (before != 0.0).then(|| (value - before) / before.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(matches!(
            chart(&data, "t", &Zone::default()),
            Some(Chart::Line(_))
        ));
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
            let section = section(&widget, &Zone::default()).unwrap();
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
    fn a_widget_without_data_says_why() {
        let widget = json!({ "widget": 2, "title": "Sales", "error": { "message": "no rate" } });
        let section = section(&widget, &Zone::default()).unwrap();
        assert_eq!(
            (section.name.as_str(), section.title.as_str()),
            ("widget_3", "Sales")
        );
        assert_eq!(section.notes, ["No data: no rate."]);
        assert_eq!(section.chart, None);
    }
}
