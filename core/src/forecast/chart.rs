//! Forecasts and backtests as pictures: one series each.

use super::answer::{BacktestAnswer, ForecastAnswer};
use super::backtest::{Backtest, Row};
use super::form::Form;
use super::series::Forecast;
use crate::chart::{self, Across, Chart, Heading, LineChart, Point, State, percent};
use crate::query::{Instant, Zone};

/// So many horizons of the past stand before a forecast, but not less than [`LEAST`] periods.
const PAST: usize = 4;
const LEAST: usize = 60;

/// A line, and behind it bands without a line of their own.
fn line(name: &str, points: Vec<Point>) -> chart::Series {
    chart::Series {
        name: name.to_owned(),
        points,
        compared: false,
    }
}

fn point(time: i64, value: f64) -> Point {
    Point {
        at: Instant::saturating_from_micros(time),
        value: value.is_finite().then_some(value),
        ..Point::default()
    }
}

fn finite(bounds: (f64, f64)) -> Option<(f64, f64)> {
    (bounds.0.is_finite() && bounds.1.is_finite()).then_some(bounds)
}

/// The picture of lines over the times of a table.
fn picture(form: &Form, heading: Heading, series: Vec<chart::Series>) -> Chart {
    Chart::Line(LineChart {
        heading,
        zone: Zone::default(),
        across: if form.integers() {
            Across::Number
        } else {
            Across::Time
        },
        series,
        ..LineChart::default()
    })
}

impl ForecastAnswer {
    /// One series, by default the first, with the last of its history and a band for each level; nothing where there is no such series.
    #[must_use]
    pub fn chart(&self, id: Option<&str>) -> Option<Chart> {
        let wanted = |one: &&Forecast| id.is_none_or(|id| one.id == id);
        let one = self.forecasts.iter().find(wanted)?;
        let horizon = one.times.len();
        let shown = (PAST * horizon).max(LEAST);
        let from = one.history.len().saturating_sub(shown);
        let past = one.history.iter().skip(from).map(|(t, y)| point(*t, *y));
        let mut widest: Vec<f64> = self.levels.clone();
        widest.sort_by(|a, b| b.total_cmp(a));
        let ahead = |level: Option<f64>, valued: bool| {
            one.times.iter().enumerate().map(move |(h, time)| {
                let mean = one.mean.get(h).copied().unwrap_or(f64::NAN);
                Point {
                    value: (valued && mean.is_finite()).then_some(mean),
                    interval: level.and_then(|level| finite(one.interval(h, level))),
                    state: State::Forecast,
                    ..point(*time, mean)
                }
            })
        };
        let first = widest.first().copied();
        let mut series = vec![line(&one.id, past.chain(ahead(first, true)).collect())];
        // Bands of other levels lie on it, without a line of their own.
        for level in widest.iter().skip(1) {
            series.push(chart::Series {
                name: one.id.clone(),
                points: ahead(Some(*level), false).collect(),
                compared: true,
            });
        }
        Some(picture(&self.form, self.heading(one), series))
    }

    fn heading(&self, one: &Forecast) -> Heading {
        let name = if one.id.is_empty() { "y" } else { &one.id };
        let levels: Vec<String> = self.levels.iter().map(|l| format!("{l} %")).collect();
        let bands = match levels.as_slice() {
            [] => String::new(),
            levels => format!(", with the intervals of {}", levels.join(" and ")),
        };
        let models: Vec<String> = one
            .models
            .iter()
            .take(3)
            .map(|m| format!("{} {:.0} %", m.name, 100.0 * m.share))
            .collect();
        let mut notes = Vec::new();
        if one.notes.short {
            notes.push("The history is too short for more than a wide guess.".to_owned());
        }
        let others = self.forecasts.len().saturating_sub(1);
        if others > 0 {
            notes.push(format!("One of {} series.", others + 1));
        }
        Heading {
            title: format!("Forecast of {name}"),
            subtitle: models.join(", "),
            description: format!("{} periods ahead of {name}{bands}.", one.times.len()),
            notes,
        }
    }
}

impl BacktestAnswer {
    /// One series, by default the first: what came, what was forecast with its 95 % interval, and the seasonal naive forecast; nothing where
    /// there is no such series. Where several origins foretold a time, the latest of them counts.
    #[must_use]
    pub fn chart(&self, id: Option<&str>) -> Option<Chart> {
        let wanted = |one: &&Backtest| id.is_none_or(|id| one.id == id);
        let one = self.series.iter().find(wanted)?;
        let mut rows: Vec<&Row> = one.rows.iter().collect();
        rows.sort_by(|a, b| a.time.cmp(&b.time).then(b.origin.cmp(&a.origin)));
        rows.dedup_by_key(|row| row.time);
        let came = rows.iter().map(|row| point(row.time, row.value));
        let naive = rows.iter().map(|row| point(row.time, row.naive));
        let foretold = rows.iter().map(|row| {
            let [_, _, low, high] = row.bounds;
            Point {
                interval: finite((low, high)),
                ..point(row.time, row.mean)
            }
        });
        let series = vec![
            line("came", came.collect()),
            line("forecast", foretold.collect()),
            line("naive", naive.collect()),
        ];
        Some(picture(&self.form, self.heading(one), series))
    }

    fn heading(&self, one: &Backtest) -> Heading {
        let name = if one.id.is_empty() { "y" } else { &one.id };
        let mase = |m: Option<f64>| m.map_or_else(|| "–".to_owned(), |m| format!("{m:.2}"));
        let held = one
            .model
            .coverage95
            .map_or_else(|| "–".to_owned(), |c| format!("{} of values", percent(c)));
        let mut notes = Vec::new();
        if one.origins == 0 {
            notes.push("The history is too short for any past origin.".to_owned());
        }
        if self.series.len() > 1 {
            notes.push(format!("One of {} series.", self.series.len()));
        }
        let scores = format!(
            "MASE {}, of the seasonal naive forecast {}; the 95 % intervals hold {held}",
            mase(one.model.mase),
            mase(one.naive.mase),
        );
        Heading {
            title: format!("Backtest of {name}, {} origins", one.origins),
            description: format!("{scores}, over {} values.", one.points),
            subtitle: scores,
            notes,
        }
    }
}
