//! One series from its rows to its forecast.

use super::calendar::{self, Calendar, Causes, Effect, Event};
use super::clean::{self, Shift};
use super::combine::{Outlook, outlook};
use super::grid::{Frequency, Gaps, interpolate};
use super::interval::{self, Kind, Spread};
use super::lay::{Laid, lay};
use super::model::naive::seasonal_naive;
use super::model::theta::Theta;
use serde::Serialize;

/// Rows of one series: times and values in any order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// What the series is called.
    pub id: String,
    /// Microseconds since 1970 in local civil time, or whole numbers where the axis is of integers.
    pub times: Vec<i64>,
    /// The values; one that is not finite is missing.
    pub values: Vec<f64>,
    /// The user's regressors by name: a time and a value each, over the history and the horizon.
    pub regressors: Vec<(String, Vec<(i64, f64)>)>,
}

/// How series are forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How many periods ahead, 1 to 10,000.
    pub horizon: usize,
    /// The central intervals in per cent, each between 0 and 100.
    pub levels: Vec<f64>,
    /// The distance of two periods; inferred where not given.
    pub frequency: Option<Frequency>,
    /// The seasons in periods; those of the frequency where not given.
    pub seasons: Option<Vec<usize>>,
    /// What a period without a row means; inferred where not given.
    pub gaps: Option<Gaps>,
    /// What values may be; inferred where not given.
    pub kind: Option<Kind>,
    /// The two letters of a country whose holidays count in daily series.
    pub country: Option<String>,
    /// Events that count in daily series.
    pub events: Vec<Event>,
    /// Rows after this time are not seen, nor is a period that ends after it.
    pub as_of: Option<i64>,
    /// Whether times are whole numbers instead of microseconds.
    pub integers: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            horizon: 1,
            levels: vec![80.0, 95.0],
            frequency: None,
            seasons: None,
            gaps: None,
            kind: None,
            country: None,
            events: Vec::new(),
            as_of: None,
            integers: false,
        }
    }
}

/// What was done to a series before its forecast, and what was found in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notes {
    /// Periods of the history.
    pub periods: usize,
    /// The seasons in periods.
    pub seasons: Vec<usize>,
    /// Periods that had no row.
    pub filled: usize,
    /// What a period without a row was taken for.
    pub gaps: Option<Gaps>,
    /// Rows of a period that already had one.
    pub repeated: usize,
    /// Rows after the time as of which the forecast is made; they were not seen.
    pub future: usize,
    /// Whether the last period was not over and left out.
    pub partial: bool,
    /// The times of past outliers, which were drawn in for the fit.
    pub outliers: Vec<String>,
    /// Steps of the level.
    pub shifts: Vec<Step>,
    /// What the calendar explains.
    pub effects: Vec<Effect>,
    /// Whether the history is too short for more than a wide guess.
    pub short: bool,
    /// Whether the models ran away and the seasonal naive forecast stands in.
    pub fallback: bool,
}

/// A step of a series' level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The first time of the new level.
    pub since: String,
    /// The new level less the old.
    pub size: f64,
}

/// A model and its share in a forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelShare {
    /// The model's usual name.
    pub name: String,
    /// Its weight, the weights together 1.
    pub share: f64,
}

/// The forecast of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The series.
    pub id: String,
    /// The times of the periods ahead.
    pub times: Vec<i64>,
    /// The forecasts; not a number for a series without any value.
    pub mean: Vec<f64>,
    /// How far each may be off.
    pub(crate) spread: Vec<Spread>,
    /// What values may be.
    pub kind: Kind,
    /// The distance of two periods.
    pub frequency: Frequency,
    /// The models with their shares, the greatest first.
    pub models: Vec<ModelShare>,
    /// The history as it was laid out: times and values, not a number where missing.
    pub history: Vec<(i64, f64)>,
    /// What was done and found.
    pub notes: Notes,
}

impl Forecast {
    /// Which of the periods ahead a time lies in.
    pub(super) fn at(&self, time: i64) -> Option<usize> {
        let anchor = *self.times.first()?;
        let period = |t: i64| self.frequency.index(t, anchor);
        let sought = period(time);
        self.times
            .binary_search_by_key(&sought, |t| period(*t))
            .ok()
    }

    /// The quantile `p` of the forecast `h` periods after the next; not a number where there is no forecast.
    #[must_use]
    pub fn quantile(&self, h: usize, p: f64) -> f64 {
        let (Some(mean), Some(spread)) = (self.mean.get(h), self.spread.get(h)) else {
            return f64::NAN;
        };
        if mean.is_nan() {
            return f64::NAN;
        }
        if self.kind == Kind::Share {
            // The scale of a share is that of its logit.
            let edge = mean.clamp(1e-9, 1.0 - 1e-9);
            let logit = (edge / (1.0 - edge)).ln();
            return interval::unlogit(logit + spread.at(p));
        }
        let nothing = self.kind == Kind::Count && *mean == 0.0 && *spread == Spread::default();
        if nothing {
            // After n periods of nothing, something has a chance of about half an event in n.
            let chance = 0.5 / (self.notes.periods as f64 + 1.0);
            return interval::quantile(chance, *spread, self.kind, p);
        }
        interval::quantile(*mean, *spread, self.kind, p)
    }

    /// The central interval of a level in per cent.
    #[must_use]
    pub fn interval(&self, h: usize, level: f64) -> (f64, f64) {
        let tail = (1.0 - level / 100.0) / 2.0;
        let (low, high) = (self.quantile(h, tail), self.quantile(h, 1.0 - tail));
        // The mean of a skewed count may lie outside a narrow interval of its quantiles.
        let mean = self.mean.get(h).copied().unwrap_or(f64::NAN);
        if self.kind == Kind::Count {
            (low.min(mean.floor()), high.max(mean.ceil()))
        } else {
            (low.min(mean), high.max(mean))
        }
    }

    /// Makes every 95 % interval reach at least so far from its forecast to either side, which no factor does for one of no width.
    pub(crate) fn reach(&mut self, least: f64) {
        for (spread, mean) in self.spread.iter_mut().zip(&self.mean) {
            let least = match self.kind {
                // The scale of a share is that of its logit.
                Kind::Share => least / (mean * (1.0 - mean)).max(0.01),
                _ => least,
            };
            if least.is_finite() && spread.at(0.975) < least {
                *spread = Spread {
                    tailed: least / interval::t4(0.975),
                    normal: 0.0,
                };
            }
        }
    }

    pub(crate) fn widen(&mut self, factor: f64) {
        for spread in &mut self.spread {
            *spread = spread.times(factor);
        }
    }
}

/// How long a history is fitted at most, in periods; a longer one loses its beginning, as the models forget it anyway.
const FITTED: usize = 5_000;

/// The forecast of one series.
pub(crate) fn forecast(series: &Series, options: &Options) -> Forecast {
    let laid = lay(series, options);
    let (history, seasons) = (laid.history(), laid.seasons(options));
    let Laid {
        mut grid,
        kind,
        times,
        ahead,
        future,
        partial,
    } = laid;
    let mut notes = Notes {
        future,
        partial,
        ..Notes::default()
    };
    notes.periods = grid.y.len();
    notes.seasons.clone_from(&seasons);
    notes.filled = grid.filled;
    notes.gaps = (grid.filled > 0 || grid.gaps == Gaps::Closed).then_some(grid.gaps);
    notes.repeated = grid.repeated;
    let mut out = Forecast {
        id: series.id.clone(),
        times: ahead,
        mean: vec![f64::NAN; options.horizon],
        spread: vec![Spread::default(); options.horizon],
        kind,
        frequency: grid.frequency,
        models: Vec::new(),
        history,
        notes,
    };
    let season = seasons.iter().copied().find(|m| *m > 1).unwrap_or(1);
    let longest = seasons.iter().copied().max().unwrap_or(1);
    let from = grid.y.len().saturating_sub(FITTED.max(4 * longest));
    let mut y = grid.y.split_off(from.min(grid.y.len()));
    if kind == Kind::Share {
        let n = y.len() as f64;
        for y in &mut y {
            *y = interval::logit(*y, n);
        }
    }
    if !interpolate(&mut y, season) {
        out.notes.short = true;
        return out;
    }
    let mut span = times.get(from..).unwrap_or_default().to_vec();
    span.extend_from_slice(&out.times);
    let calendar = explain(&y, &span, series, options, (grid.frequency, season));
    if let Some(calendar) = &calendar {
        calendar.take_out(&mut y);
        out.notes.effects.clone_from(&calendar.effects);
    }
    let pace = grid.frequency.pace(options.integers, season);
    let scale = y.iter().fold(0.0, |most: f64, y| most.max(y.abs()));
    let scale = if scale > 0.0 { scale } else { 1.0 };
    for y in &mut y {
        *y /= scale;
    }
    let raw = y.clone();
    let damped = clean::damp(&mut y, season);
    let lost: f64 = raw
        .iter()
        .zip(&y)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f64>()
        / y.len() as f64;
    let name = |t: usize| span.get(t).map(|t| label(*t, options.integers));
    out.notes.outliers = damped.iter().filter_map(|t| name(*t)).collect();
    let told = |s: &Shift| {
        Some(Step {
            since: name(s.at)?,
            size: s.size * scale,
        })
    };
    out.notes.shifts = clean::shifts(&y, season).iter().filter_map(told).collect();
    let (mean, spreads) = if y.len() < 5 {
        out.notes.short = true;
        out.models.push(ModelShare {
            name: "Mean".to_owned(),
            share: 1.0,
        });
        brief(&y, options.horizon)
    } else {
        let mut found = outlook(&y, &seasons, options.horizon);
        if wild(&y, &found.mean) {
            out.notes.fallback = true;
            seasonal_naive(&y, season, &mut found.mean);
            found.models = vec![("SeasonalNaive".to_owned(), 1.0)];
            let one = super::model::naive::naive_variance(&y, season);
            found.between.fill(0.0);
            for (h, v) in found.analytic.iter_mut().enumerate() {
                *v = one * (h / season + 1) as f64;
            }
            found.past = found.analytic.iter().map(|v| (*v, 1.0)).collect();
        }
        out.models = ranked(&found);
        let spreads = interval::spreads(&y, &seasons, pace, &found, lost);
        (found.mean, spreads)
    };
    for h in 0..options.horizon {
        let value = mean.get(h).copied().unwrap_or(0.0) * scale;
        let spread = spreads.get(h).copied().unwrap_or_default();
        let (value, wider) = match &calendar {
            Some(calendar) => {
                let at = y.len() + h;
                let wider = if calendar.logarithmic {
                    calendar.put_back(at, scale)
                } else {
                    scale
                };
                (calendar.put_back(at, value), wider)
            }
            None => (value, scale),
        };
        let value = match kind {
            Kind::Value => value,
            Kind::Count | Kind::Amount => value.max(0.0),
            Kind::Share => interval::unlogit(value),
        };
        if let (Some(m), Some(d)) = (out.mean.get_mut(h), out.spread.get_mut(h)) {
            (*m, *d) = (value, spread.times(wider));
        }
    }
    out
}

/// The forecast of fewer than five values: their mean, as unsure as Student's t of so few says.
fn brief(y: &[f64], horizon: usize) -> (Vec<f64>, Vec<Spread>) {
    let n = y.len() as f64;
    let mean = y.iter().sum::<f64>() / n;
    let square: f64 = y.iter().map(|y| (y - mean) * (y - mean)).sum();
    let deviation = (square / (n - 1.0).max(1.0)).sqrt().max(0.25 * mean.abs());
    // How much wider t of n - 1 degrees of freedom is at 95 % than t of 4.
    let wider = match y.len() {
        0..=2 => 4.6,
        3 => 1.55,
        _ => 1.15,
    };
    let each = |h: usize| Spread {
        tailed: wider * deviation * (1.0 + 1.0 / n + h as f64 / n).sqrt(),
        normal: 0.0,
    };
    (vec![mean; horizon], (0..horizon).map(each).collect())
}

/// Whether a forecast leaves three ranges below or above the past.
fn wild(y: &[f64], mean: &[f64]) -> bool {
    let low = y.iter().copied().fold(f64::INFINITY, f64::min);
    let high = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = 3.0 * (high - low) + 1e-9;
    let inside = |f: &f64| *f >= low - room && *f <= high + room;
    !mean.iter().all(inside)
}

/// The models with their shares, each once, the greatest first.
fn ranked(found: &Outlook) -> Vec<ModelShare> {
    let mut out: Vec<ModelShare> = Vec::new();
    for (name, share) in &found.models {
        match out.iter_mut().find(|m| m.name == *name) {
            Some(known) => known.share += share,
            None => out.push(ModelShare {
                name: name.clone(),
                share: *share,
            }),
        }
    }
    out.sort_by(|a, b| {
        b.share
            .total_cmp(&a.share)
            .then_with(|| a.name.cmp(&b.name))
    });
    out
}

/// A time as it is written: a number, a date, or a date with a time.
pub(crate) fn label(time: i64, integers: bool) -> String {
    if integers {
        return time.to_string();
    }
    let at = super::grid::civil(time);
    if at.time() == jiff::civil::Time::midnight() {
        at.date().to_string()
    } else {
        at.to_string()
    }
}

/// What is explained of a series: what the user named always, and of a daily one the time of the year where rolling origins of at
/// least two years' history say that it helps. Holidays and events are of daily series, regressors of all.
fn explain(
    y: &[f64],
    span: &[i64],
    series: &Series,
    options: &Options,
    (frequency, season): (Frequency, usize),
) -> Option<Calendar> {
    let regressors = regressors(series, span, y.len(), frequency);
    if frequency != Frequency::Days || options.integers {
        let causes = Causes {
            holidays: &[],
            events: &[],
            regressors: &regressors,
            yearly: false,
            season: Some(season),
        };
        let named = !regressors.is_empty();
        return named.then(|| Calendar::fit(y, span, &causes)).flatten();
    }
    let holidays = options.country.as_deref().and_then(calendar::holidays);
    let mut causes = Causes {
        holidays: holidays.unwrap_or_default(),
        events: &options.events,
        regressors: &regressors,
        yearly: false,
        season: None,
    };
    let years = |n: usize| span.get(n.saturating_sub(1)).zip(span.first());
    let long = |n: usize| years(n).is_some_and(|(b, a)| b - a >= 730 * 86_400_000_000);
    let step = options.horizon.clamp(14, 60);
    if long(y.len().saturating_sub(3 * step)) {
        causes.yearly = true;
        let (mut with, mut without) = (0.0, 0.0);
        for i in 1..=3 {
            let (train, test) = y.split_at_checked(y.len() - i * step)?;
            let test = test.get(..step.min(test.len()))?;
            let mut forecast = vec![0.0; test.len()];
            quick(train, &mut forecast);
            without += distance(test, &forecast);
            // Only days of the train part and its horizon are laid out: nothing later is seen.
            let told = regressors_until(&regressors, train.len() + test.len());
            let part = Causes {
                regressors: &told,
                ..causes
            };
            let laid = span.get(..train.len() + test.len())?;
            match Calendar::fit(train, laid, &part) {
                Some(calendar) => {
                    let mut left = train.to_vec();
                    calendar.take_out(&mut left);
                    quick(&left, &mut forecast);
                    for (h, f) in forecast.iter_mut().enumerate() {
                        *f = calendar.put_back(train.len() + h, *f);
                    }
                    with += distance(test, &forecast);
                }
                None => with = f64::INFINITY,
            }
        }
        causes.yearly = with < 0.98 * without;
    }
    let named = !causes.holidays.is_empty() || !causes.events.is_empty() || !regressors.is_empty();
    (causes.yearly || named)
        .then(|| Calendar::fit(y, span, &causes))
        .flatten()
}

fn regressors_until(all: &[(String, Vec<f64>)], n: usize) -> Vec<(String, Vec<f64>)> {
    let cut = |(name, values): &(String, Vec<f64>)| {
        (name.clone(), values.iter().copied().take(n).collect())
    };
    all.iter().map(cut).collect()
}

/// A seasonal Theta forecast: enough to compare what was taken out before it.
fn quick(y: &[f64], out: &mut [f64]) {
    match super::model::seasonal::SeasonalTheta::fit(y, 7) {
        Some(theta) => theta.forecast(out),
        None => match Theta::fit(y) {
            Some(theta) => theta.forecast(out),
            None => seasonal_naive(y, 7, out),
        },
    }
}

fn distance(y: &[f64], forecast: &[f64]) -> f64 {
    y.iter().zip(forecast).map(|(y, f)| (y - f).abs()).sum()
}

/// The regressors of a series in the periods of a span: the mean of the values of a period, or of the history where it has none.
fn regressors(
    series: &Series,
    span: &[i64],
    history: usize,
    frequency: Frequency,
) -> Vec<(String, Vec<f64>)> {
    let anchor = span.first().copied().unwrap_or_default();
    let end = history.checked_sub(1).and_then(|at| span.get(at));
    let period = |time: i64| frequency.index(time, anchor);
    let on = |(name, rows): &(String, Vec<(i64, f64)>)| {
        let finite = rows.iter().filter(|(_, v)| v.is_finite());
        let mut known: Vec<(i64, f64)> = finite.map(|(t, v)| (period(*t), *v)).collect();
        known.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mean = |rows: &[(i64, f64)]| rows.iter().map(|k| k.1).sum::<f64>() / rows.len() as f64;
        let known: Vec<(i64, f64)> = known
            .chunk_by(|a, b| a.0 == b.0)
            .map(|of| (of.first().map_or(0, |k| k.0), mean(of)))
            .collect();
        let past = known.partition_point(|k| end.is_some_and(|end| k.0 <= period(*end)));
        let past = known.get(..past).filter(|past| !past.is_empty());
        let usual = past.map_or(0.0, mean);
        let value = |t: &i64| {
            let at = known.binary_search_by(|k| k.0.cmp(&period(*t))).ok();
            at.and_then(|at| known.get(at)).map_or(usual, |k| k.1)
        };
        (name.clone(), span.iter().map(value).collect())
    };
    series.regressors.iter().map(on).collect()
}
