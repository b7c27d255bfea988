//! The chart of a widget's data.

use serde_json::Value;

use super::{instant, number, step_name};
use crate::chart::{
    Bar, BarChart, Bucket, Chart, FunnelChart, FunnelStep, Heading, Layer, LineChart, Point,
    Series, StackedBars, Tile, Unit,
};
use crate::query::{Instant, Rate, Zone};

/// The chart of data that are one, whose figures are of a unit; of figures over time bars where they are wanted and can be.
pub(super) fn picture(
    data: &Value,
    mut heading: Heading,
    unit: Unit,
    (zone, bars): (&Zone, bool),
) -> Option<Chart> {
    let title = heading.title.clone();
    let list = |name: &str| data.get(name).and_then(Value::as_array);
    let kind = data.get("kind").and_then(Value::as_str)?;
    if !["figure", "realtime"].contains(&kind) {
        // What the range is stands at the top of all charts; a figure's title may name another.
        heading.subtitle.clear();
    }
    match kind {
        "figure" | "realtime" => {
            let part = |name: &str| data.pointer(name).and_then(number);
            let parts = data.pointer("/metadata/series").and_then(Value::as_array);
            let parts = parts.map(Vec::as_slice).unwrap_or_default().iter();
            Some(Chart::Tile(Tile {
                heading,
                unit,
                value: part("/value"),
                interval: part("/metadata/low").zip(part("/metadata/high")),
                change: change(data),
                series: parts.map(|part| number(part.get("value")?)).collect(),
                ..Tile::default()
            }))
        }
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
                        .unwrap_or(&title)
                        .to_owned(),
                    points: points.collect(),
                    compared: false,
                }
            });
            let series: Vec<Series> = lines.collect();
            let points = series.iter().flat_map(|line| &line.points);
            if bars && points.filter_map(|p| p.value).all(|value| value >= 0.0) {
                return Some(Chart::Stacked(stacked(
                    &series, &starts, heading, unit, zone,
                )));
            }
            Some(Chart::Line(LineChart {
                heading,
                unit,
                zone: zone.clone(),
                from_zero: true,
                series,
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
                unit,
                bars: bars.collect(),
            }))
        }
        "funnel" => {
            let steps = list("steps")?.iter().enumerate().map(|(i, step)| {
                let rate = |name: &str| {
                    let part = |p: &str| step.get(name)?.get(p)?.as_u64();
                    Some(Rate::of(part("k")?, part("n")?))
                };
                Some(FunnelStep {
                    label: step_name(step),
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

/// Lines as layers of columns.
fn stacked(
    series: &[Series],
    starts: &[Instant],
    heading: Heading,
    unit: Unit,
    zone: &Zone,
) -> StackedBars {
    let layers = series.iter().map(|line| Layer {
        name: line.name.clone(),
        below: false,
    });
    let buckets = starts.iter().enumerate().map(|(i, start)| {
        let value = |line: &Series| line.points.get(i)?.value;
        Bucket {
            start: *start,
            values: series.iter().map(|s| value(s).unwrap_or(0.0)).collect(),
            open: false,
        }
    });
    StackedBars {
        heading,
        unit,
        zone: zone.clone(),
        layers: layers.collect(),
        buckets: buckets.collect(),
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
