//! The chart of a widget's data.

use serde_json::Value;

use super::{instant, number, step_name};
use crate::chart::{
    Bar, BarChart, Bucket, Chart, FunnelChart, FunnelStep, Heading, HeatCell, HeatMap, HeatRow,
    Layer, LineChart, Marks, PieChart, Point, Series, Slice, Stack, StackedBars, State, Tile, Unit,
    moment,
};
use crate::export::report::Form;
use crate::query::{Instant, Rate, Zone};

/// The chart of data that are one, whose figures are of a unit.
pub(super) fn picture(
    data: &Value,
    mut heading: Heading,
    unit: Unit,
    (zone, form): (&Zone, Form),
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
            let open = cut(list("buckets")?);
            let whole = data.get("truncated").is_none_or(|cut| cut == false);
            let over = Over {
                heading,
                unit,
                zone,
                starts: &starts,
                open,
            };
            Some(over.drawn(series, form, whole))
        }
        "rows" if form == Form::Heat => {
            let rows = list("rows")?.iter().take(40);
            let rows = rows.map(|row| (named(row), vec![row.get("value").and_then(number)]));
            Some(heat(
                heading,
                &unit,
                (vec![String::new()], rows.collect()),
                |_| String::new(),
            ))
        }
        "rows" => {
            let bars = list("rows")?.iter().take(20).map(|row| Bar {
                label: named(row),
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

/// What a row is called.
fn named(row: &Value) -> String {
    let group = row.get("group").and_then(Value::as_str);
    group.unwrap_or("(not set)").to_owned()
}

/// Whether the first and the last of some buckets are shorter than all others, as no month is by its nature.
fn cut(buckets: &[Value]) -> (bool, bool) {
    let length = |bucket: &Value| {
        let end = |name: &str| bucket.get(name).and_then(instant).map(Instant::micros);
        Some(end("end")? - end("start")?)
    };
    let lengths: Vec<i64> = buckets.iter().filter_map(length).collect();
    let most = lengths.iter().copied().max().unwrap_or_default();
    let short = |length: Option<&i64>| length.is_some_and(|l| *l as f64 <= most as f64 * 0.87);
    (short(lengths.first()), short(lengths.last()))
}

/// What lines over time have in common.
struct Over<'a> {
    heading: Heading,
    unit: Unit,
    zone: &'a Zone,
    starts: &'a [Instant],
    /// Whether the first and the last bucket are not whole: the range cuts them, or they are not over.
    open: (bool, bool),
}

impl Over<'_> {
    /// Lines as what they are to look like.
    fn drawn(self, mut series: Vec<Series>, form: Form, whole: bool) -> Chart {
        if self.open.1 {
            let ends = series.iter_mut().filter_map(|line| line.points.last_mut());
            ends.for_each(|point| point.state = State::Open);
        }
        match form {
            Form::StackedArea => self.stacked(&series, Stack::Areas),
            Form::StackedColumns => self.stacked(&series, Stack::Columns),
            Form::Columns => self.stacked(&series, Stack::Beside),
            Form::Pie | Form::Donut => Chart::Pie(PieChart {
                heading: self.heading,
                unit: self.unit,
                ring: form == Form::Donut,
                whole,
                slices: series
                    .into_iter()
                    .map(|line| Slice {
                        value: line.points.iter().filter_map(|p| p.value).sum(),
                        label: line.name,
                    })
                    .collect(),
            }),
            // Where there is one figure a group; there are more only of what is older than the ways that are of a whole range.
            Form::Bars => Chart::Bars(BarChart {
                heading: self.heading,
                unit: self.unit,
                bars: series
                    .into_iter()
                    .map(|line| Bar {
                        value: line.points.iter().rev().find_map(|p| p.value),
                        label: line.name,
                        ..Bar::default()
                    })
                    .collect(),
            }),
            Form::Heat => self.heat(&series),
            Form::Line | Form::Area | Form::Points => Chart::Line(LineChart {
                heading: self.heading,
                unit: self.unit,
                zone: self.zone.clone(),
                from_zero: true,
                marks: match form {
                    Form::Area => Marks::Areas,
                    Form::Points => Marks::Points,
                    _ => Marks::Lines,
                },
                series,
                ..LineChart::default()
            }),
        }
    }

    /// Lines as layers of columns or areas.
    fn stacked(self, series: &[Series], stack: Stack) -> Chart {
        let layers = series.iter().map(|line| Layer {
            name: line.name.clone(),
            below: false,
        });
        let buckets = self.starts.iter().enumerate().map(|(i, start)| {
            let value = |line: &Series| line.points.get(i)?.value;
            Bucket {
                start: *start,
                values: series.iter().map(|s| value(s).unwrap_or(0.0)).collect(),
                open: i == 0 && self.open.0 || i + 1 == self.starts.len() && self.open.1,
            }
        });
        Chart::Stacked(StackedBars {
            layers: layers.collect(),
            buckets: buckets.collect(),
            heading: self.heading,
            unit: self.unit,
            zone: self.zone.clone(),
            stack,
        })
    }

    /// Lines as rows of cells. The days of one line are a calendar, whose rows are weekdays and whose columns are weeks.
    fn heat(self, series: &[Series]) -> Chart {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const DAY: i64 = 86_400_000_000;
        let dates: Vec<_> = self.starts.iter().map(|at| self.zone.date(*at)).collect();
        let short = |at: usize| dates.get(at).map(|d| d.strftime("%-d %b").to_string());
        let mut gaps = self.starts.iter().zip(self.starts.iter().skip(1));
        let daily = dates.len() > 7 && gaps.all(|(a, b)| b.micros() - a.micros() < 2 * DAY);
        let ([line], Some(first), true) = (series, dates.first(), daily) else {
            let columns = (0..dates.len()).filter_map(short).collect();
            let rows = series.iter().map(|line| {
                let values = line.points.iter().map(|p| p.value);
                (line.name.clone(), values.collect())
            });
            let says = |column: usize| {
                self.starts
                    .get(column)
                    .map_or_else(String::new, |at| moment(*at, self.zone))
            };
            return heat(self.heading, &self.unit, (columns, rows.collect()), says);
        };
        let before = first.weekday().to_monday_zero_offset() as usize;
        let weeks = (before + dates.len()).div_ceil(7);
        let columns = (0..weeks).filter_map(|week| short((week * 7).saturating_sub(before)));
        let rows = DAYS.iter().enumerate().map(|(day, name)| {
            let value = |week: usize| {
                let place = (week * 7 + day).checked_sub(before)?;
                Some(line.points.get(place)?.value)
            };
            let last = (0..weeks).rev().find(|week| value(*week).is_some());
            let values = (0..last.map_or(0, |w| w + 1)).map(|week| value(week).flatten());
            ((*name).to_owned(), values.collect())
        });
        let columns: Vec<String> = columns.collect();
        let named = columns.clone();
        let says = move |week: usize| {
            let week = named.get(week).cloned().unwrap_or_default();
            format!("week of {week}")
        };
        heat(self.heading, &self.unit, (columns, rows.collect()), says)
    }
}

/// A name and its figures, some of which may be absent.
type Figures = (String, Vec<Option<f64>>);

/// Rows of values as tinted cells, which say their figures where there are few.
fn heat(
    mut heading: Heading,
    unit: &Unit,
    (columns, rows): (Vec<String>, Vec<Figures>),
    says: impl Fn(usize) -> String,
) -> Chart {
    let values = rows.iter().flat_map(|row| row.1.iter().flatten());
    let most = values.fold(0.0, |most: f64, value| most.max(*value));
    let few = columns.len() <= 8;
    if !few && most > 0.0 {
        heading
            .notes
            .push(format!("The darkest is {}.", unit.exact(most)));
    }
    let row = |(label, values): &Figures| HeatRow {
        label: label.clone(),
        size: String::new(),
        cells: values
            .iter()
            .enumerate()
            .map(|(i, value)| {
                let text = value.map_or_else(|| "–".to_owned(), |v| unit.exact(v));
                let at = says(i);
                HeatCell {
                    value: *value,
                    title: [label.as_str(), at.as_str(), text.as_str()]
                        .map(str::trim)
                        .into_iter()
                        .filter(|part| !part.is_empty())
                        .collect::<Vec<_>>()
                        .join(", "),
                    text: if few { text } else { String::new() },
                    ..HeatCell::default()
                }
            })
            .collect(),
    };
    Chart::HeatMap(HeatMap {
        rows: rows.iter().map(row).collect(),
        columns,
        most,
        heading,
        ..HeatMap::default()
    })
}

/// By how much of the figure before a figure differs from it.
fn change(data: &Value) -> Option<f64> {
    if let Some(change) = data.pointer("/metadata/change").and_then(Value::as_f64) {
        return Some(change);
    }
    let (value, before) = (number(data.get("value")?)?, number(data.get("previous")?)?);
    (before != 0.0).then(|| (value - before) / before.abs())
}
