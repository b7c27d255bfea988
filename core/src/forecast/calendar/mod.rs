//! What the calendar explains of a daily series, taken out before a model sees it: the time of the year, holidays with the
//! days around them, the ends of months and quarters, and the events and regressors that the user names; of a series of other
//! periods the regressors alone.
//!
//! A Huber ridge regression of the series less its centred 91-day median on the columns (Prophet's idea of Taylor and Letham
//! 2018, fitted robustly), on logarithms where every value is positive. Weekdays are columns too, so that a holiday's effect
//! is not that of its weekday, but they are left to the models. With u the share of
//! the year that has passed, its time is Σ_k a_k sin(2πku) + b_k cos(2πku).

mod countries;
mod holiday;
mod regression;

use jiff::ToSpan;
use jiff::civil::Date;

use super::clean::median;
use super::grid::{civil, day, new_year};
use holiday::Holiday;

pub(crate) use countries::holidays;

/// The codes of the countries whose holidays are known.
#[must_use]
pub fn countries() -> Vec<&'static str> {
    countries::COUNTRIES.iter().map(|(code, _)| *code).collect()
}

/// An event of the user's: its name and its days, past and future.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is called in the effects.
    pub name: String,
    /// The days it lies on.
    pub days: Vec<Date>,
}

/// What the calendar adds on the days of one kind.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Effect {
    /// The holiday, event or regressor, with the distance in days where it is not the day itself.
    pub name: String,
    /// The share by which the value is higher, or the difference where the series is not positive.
    pub size: f64,
    /// Whether `size` is a share.
    pub relative: bool,
    /// On how many days of the history.
    pub days: usize,
}

/// What is explained: the effect of every day of history and future, on the scale of the logarithm where `logarithmic`.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(crate) effect: Vec<f64>,
    pub(crate) logarithmic: bool,
    pub(crate) effects: Vec<Effect>,
}

/// What the columns are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Causes<'a> {
    /// The holidays of a country.
    pub(crate) holidays: &'a [Holiday],
    /// The user's events.
    pub(crate) events: &'a [Event],
    /// The user's regressors: a name, and a value for every day of history and future.
    pub(crate) regressors: &'a [(String, Vec<f64>)],
    /// Whether the time of the year counts.
    pub(crate) yearly: bool,
    /// The periods of a season where they are no days.
    pub(crate) season: Option<usize>,
}

/// The waves of the year.
const WAVES: u32 = 8;

/// Seasons of more periods than this are no columns.
const MOST_PHASES: usize = 24;

/// What a ridge adds for a column that stands on few days: as much as so many days of none.
const DOUBT: f64 = 0.5;

struct Columns {
    all: Vec<Vec<f64>>,
    penalties: Vec<f64>,
    /// The names of the columns whose effects are told.
    told: Vec<(usize, String)>,
    /// The columns that are left to the models.
    left: usize,
}

fn columns(times: &[i64], history: usize, causes: &Causes) -> Columns {
    let days: Vec<Date> = times.iter().map(|t| day(*t)).collect();
    let mut all = Vec::new();
    let mut penalties = Vec::new();
    // Weekdays, or the periods of another season: left to the models.
    let phases = causes
        .season
        .map_or(7, |m| if m > MOST_PHASES { 1 } else { m });
    for phase in 0..phases {
        let of = |(t, d): (usize, &Date)| match causes.season {
            Some(_) => t % phases,
            None => usize::from(d.weekday().to_monday_zero_offset().unsigned_abs()),
        };
        let on = |at| f64::from(u8::from(of(at) == phase));
        all.push(days.iter().enumerate().map(on).collect());
        penalties.push(1.0);
    }
    let left = all.len();
    if causes.yearly {
        for k in 1..=WAVES {
            for phase in [0.0, 0.25] {
                let wave = |t: &i64| {
                    let at = civil(*t);
                    let length = f64::from(at.date().days_in_year());
                    let of_year = f64::from(at.date().day_of_year() - 1) / length;
                    (std::f64::consts::TAU * (f64::from(k) * of_year + phase)).sin()
                };
                all.push(times.iter().map(wave).collect());
                penalties.push(2.0);
            }
        }
    }
    let mut told = Vec::new();
    let mut add = |name: String, column: Vec<f64>| {
        // An effect needs two days of the past to be told from chance.
        let past = column.iter().take(history).filter(|x| **x != 0.0).count();
        if past >= 2 {
            told.push((all.len(), name));
            all.push(column);
            penalties.push(DOUBT);
        }
    };
    let mut on_days = |name: &str, dates: &[Date], around: std::ops::RangeInclusive<i32>| {
        for off in around {
            let moved: Vec<Date> = dates
                .iter()
                .filter_map(|d| d.checked_add(off.days()).ok())
                .collect();
            let on = |d: &Date| f64::from(u8::from(moved.binary_search(d).is_ok()));
            let name = if off == 0 {
                name.to_owned()
            } else {
                format!("{name} {off:+} d")
            };
            add(name, days.iter().map(on).collect());
        }
    };
    let year = |day: Option<&Date>| day.map_or(1970, |d| d.year());
    let years = (year(days.first()) - 1).max(-9998)..=(year(days.last()) + 1).min(9998);
    for one in causes.holidays.chunk_by(|a, b| a.0 == b.0) {
        let Some((name, _)) = one.first() else {
            continue;
        };
        let of = |y| one.iter().filter_map(move |(_, rule)| rule.of(y));
        let mut dates: Vec<Date> = years.clone().flat_map(of).collect();
        dates.sort_unstable();
        on_days(name, &dates, -1..=1);
    }
    for event in causes.events {
        let mut dates = event.days.clone();
        dates.sort_unstable();
        on_days(&event.name, &dates, 0..=0);
    }
    if causes.yearly {
        let mut ends: Vec<Date> = Vec::new();
        let mut quarters: Vec<Date> = Vec::new();
        for year in years {
            for month in 0..12_i32 {
                let first = new_year(year).checked_add(month.months());
                let Ok(end) = first.map(Date::last_of_month) else {
                    continue;
                };
                ends.push(end);
                if end.month() % 3 == 0 {
                    quarters.push(end);
                }
            }
        }
        on_days("Month end", &ends, 0..=1);
        on_days("Quarter end", &quarters, 0..=0);
    }
    for (name, values) in causes.regressors {
        // What it is ahead says nothing of what it usually is, and one that was always the same has no effect to be told.
        let past = values.get(..history).unwrap_or(values);
        let n = past.len().max(1) as f64;
        let mean = past.iter().sum::<f64>() / n;
        let square: f64 = past.iter().map(|v| (v - mean) * (v - mean)).sum();
        let scale = (square / n).sqrt();
        if scale > 1e-9 * mean.abs() && scale.is_finite() {
            add(
                name.clone(),
                values.iter().map(|v| (v - mean) / scale).collect(),
            );
        }
    }
    Columns {
        all,
        penalties,
        told,
        left,
    }
}

impl Calendar {
    /// Fits the columns to the history `y`; `times` go on over the future. `None` where nothing can be explained.
    pub(crate) fn fit(y: &[f64], times: &[i64], causes: &Causes) -> Option<Self> {
        let n = y.len();
        let columns = columns(times, n, causes);
        if columns.all.len() <= columns.left || n < 2 * columns.all.len().min(60) {
            return None;
        }
        let logarithmic = y.iter().all(|y| *y > 0.0);
        let x: Vec<f64> = if logarithmic {
            y.iter().map(|y| y.ln()).collect()
        } else {
            y.to_vec()
        };
        let reach = causes.season.map_or(45, |m| (3 * m / 2).clamp(4, 45));
        let mut window = Vec::with_capacity(2 * reach + 1);
        let mut off = Vec::with_capacity(n);
        for (t, x_t) in x.iter().enumerate() {
            // Where the year is explained the surroundings are the whole series' line, or they would hide its waves.
            window.clear();
            window.extend_from_slice(x.get(t.saturating_sub(reach)..(t + reach + 1).min(n))?);
            off.push(x_t - median(&mut window));
        }
        let target = if causes.yearly { detrended(&x) } else { off };
        let past: Vec<Vec<f64>> = columns
            .all
            .iter()
            .map(|c| c.iter().copied().take(n).collect())
            .collect();
        let found = regression::ridge(&past, &target, &columns.penalties)?;
        let mut effect = vec![0.0; times.len()];
        for (column, b) in columns.all.iter().zip(&found).skip(columns.left) {
            for (e, x) in effect.iter_mut().zip(column) {
                *e += b * x;
            }
        }
        let effects = columns.told.into_iter().filter_map(|(at, name)| {
            let b = *found.get(at)?;
            let days = past.get(at)?.iter().filter(|x| **x != 0.0).count();
            let size = if logarithmic { b.exp() - 1.0 } else { b };
            Some(Effect {
                name,
                size,
                relative: logarithmic,
                days,
            })
        });
        let effects = effects.collect();
        effect.iter().all(|e| e.is_finite()).then_some(Self {
            effect,
            logarithmic,
            effects,
        })
    }

    /// Takes the effects of the history out.
    pub(crate) fn take_out(&self, y: &mut [f64]) {
        for (y, e) in y.iter_mut().zip(&self.effect) {
            *y = if self.logarithmic {
                *y / e.exp()
            } else {
                *y - e
            };
        }
    }

    /// Puts an effect back on a forecast made `t` periods after the start of the history.
    pub(crate) fn put_back(&self, t: usize, value: f64) -> f64 {
        let e = self.effect.get(t).copied().unwrap_or(0.0);
        if self.logarithmic {
            value * e.exp()
        } else {
            value + e
        }
    }
}

/// A series less a line whose slope is the median yearly growth.
fn detrended(x: &[f64]) -> Vec<f64> {
    let year = 365.min(x.len() / 2).max(1);
    let mut growth: Vec<f64> = x.iter().skip(year).zip(x).map(|(b, a)| b - a).collect();
    let slope = median(&mut growth) / year as f64;
    let mut flat: Vec<f64> = x
        .iter()
        .enumerate()
        .map(|(t, x)| x - slope * t as f64)
        .collect();
    let middle = median(&mut flat.clone());
    for x in &mut flat {
        *x -= middle;
    }
    flat
}
