//! How well forecasts would have done: from past origins, with nothing of what came later.

use super::batch::{Watch, each};
use super::grid::Frequency;
use super::lay::lay;
use super::model::naive::seasonal_naive;
use super::series::{Forecast, Options, Series, forecast};

/// What one forecaster scored.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// The mean absolute error over that of the seasonal naive forecast one season ahead in the history; null where the
    /// history repeats itself.
    pub mase: Option<f64>,
    /// The sum of absolute errors over the sum of absolute values; null where all values are 0.
    pub wape: Option<f64>,
    /// The sum of errors, forecast less value, over the sum of absolute values: above 0, too much was forecast.
    pub bias: Option<f64>,
    /// The share of values within the 80 % and the 95 % interval.
    pub coverage80: Option<f64>,
    /// See `coverage80`.
    pub coverage95: Option<f64>,
    /// The mean width of the 80 % and the 95 % interval over the mean absolute value.
    pub width80: Option<f64>,
    /// See `width80`.
    pub width95: Option<f64>,
}

/// The backtest of one series.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// The series.
    pub id: String,
    /// From how many past origins it was forecast.
    pub origins: usize,
    /// How many values were compared.
    pub points: usize,
    /// The forecasts.
    pub model: Score,
    /// The seasonal naive forecast from the same origins.
    pub naive: Score,
    /// Every compared value: when, how many periods ahead, what came, what was forecast, and the 80 % and 95 % intervals.
    #[serde(skip)]
    pub rows: Vec<Row>,
}

/// One compared value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The last time that the forecast knew.
    pub origin: i64,
    /// The time of the value.
    pub time: i64,
    /// What came.
    pub value: f64,
    /// What was forecast.
    pub mean: f64,
    /// What the seasonal naive forecast said.
    pub naive: f64,
    /// The ends of the 80 % and of the 95 % interval.
    pub bounds: [f64; 4],
    /// The naive forecast's.
    pub naive_bounds: [f64; 4],
    /// The mean absolute error of the seasonal naive forecast within the history, by which MASE divides.
    pub scale: f64,
}

/// Forecasts each series from `origins` past origins, `step` periods apart, the last one a horizon before its end, and scores
/// them. A series too short for an origin that leaves it two seasons and five values has none.
#[must_use]
pub fn backtests(
    series: &[Series],
    options: &Options,
    origins: usize,
    step: usize,
) -> Vec<Backtest> {
    watched_backtests(series, options, origins, step, &|_| true).unwrap_or_default()
}

/// `backtests`, telling how far it is; `None` where it was given up.
pub(super) fn watched_backtests(
    series: &[Series],
    options: &Options,
    origins: usize,
    step: usize,
    watch: Watch<'_>,
) -> Option<Vec<Backtest>> {
    each(series, watch, |s| {
        backtest(s, options, origins, step, &|_, _, _| true)
    })
}

/// What is made of each forecast of a backtest before it is held against what came, from the series that was known; `false` ends the
/// backtest before it.
pub(crate) type Amend<'a> = &'a dyn Fn(&mut Forecast, &Series, &Options) -> bool;

/// The scores of several backtests together, of the forecasts and of the naive ones.
pub(super) fn pooled(all: &[Backtest]) -> (Score, Score) {
    let mut sums = [Sums::default(), Sums::default()];
    let (mut points, mut total) = (0.0, 0.0);
    for one in all {
        for row in &one.rows {
            let [model, naive] = &mut sums;
            model.add(row.value, row.mean, &row.bounds, row.scale);
            naive.add(row.value, row.naive, &row.naive_bounds, row.scale);
            points += 1.0;
            total += row.value.abs();
        }
    }
    let [model, naive] = sums;
    (model.score(points, total), naive.score(points, total))
}

#[derive(Default)]
struct Sums {
    scaled: f64,
    scaled_points: f64,
    off: f64,
    bias: f64,
    within: [f64; 2],
    width: [f64; 2],
}

impl Sums {
    fn add(&mut self, value: f64, mean: f64, bounds: &[f64; 4], scale: f64) {
        let off = (mean - value).abs();
        if scale > 0.0 {
            self.scaled += off / scale;
            self.scaled_points += 1.0;
        }
        self.off += off;
        self.bias += mean - value;
        let [low80, high80, low95, high95] = *bounds;
        let pairs = [(low80, high80), (low95, high95)];
        for ((low, high), (within, width)) in pairs
            .iter()
            .zip(self.within.iter_mut().zip(&mut self.width))
        {
            *within += f64::from(u8::from(value >= *low && value <= *high));
            *width += high - low;
        }
    }

    fn score(&self, points: f64, total: f64) -> Score {
        let over = |sum: f64, by: f64| (by > 0.0).then(|| sum / by);
        let [within80, within95] = self.within;
        let [width80, width95] = self.width;
        Score {
            mase: over(self.scaled, self.scaled_points),
            wape: over(self.off, total),
            bias: over(self.bias, total),
            coverage80: over(within80, points),
            coverage95: over(within95, points),
            width80: over(width80, total),
            width95: over(width95, total),
        }
    }
}

/// The normal quantiles of the naive forecast's 80 % and 95 % intervals.
const NORMAL: [f64; 2] = [1.281_551_565_5, 1.959_963_984_5];

/// The backtest of one series, each of its forecasts amended.
pub(crate) fn backtest(
    series: &Series,
    options: &Options,
    origins: usize,
    step: usize,
    amend: Amend<'_>,
) -> Backtest {
    let laid = lay(series, options);
    let (frequency, history) = (laid.grid.frequency, laid.history());
    let horizon = options.horizon;
    let season = laid
        .seasons(options)
        .into_iter()
        .find(|m| *m > 1)
        .unwrap_or(1);
    let least = (2 * season).max(5);
    let (mut model, mut naive) = (Sums::default(), Sums::default());
    let (mut rows, mut told, mut total) = (Vec::new(), 0, 0.0);
    let asked = Options {
        as_of: None,
        ..options.clone()
    };
    for i in (0..origins).rev() {
        let left = horizon + i * step.max(1);
        if history.len() < left + least {
            continue;
        }
        let Some((past, test)) = known(series, (&history, frequency), horizon, left) else {
            continue;
        };
        let mut made: Forecast = forecast(&past, &asked);
        // Where its frequency could not be told yet, it foretold other periods.
        if made.frequency != frequency {
            continue;
        }
        if !amend(&mut made, &past, &asked) {
            break;
        }
        let mut simple = vec![0.0; horizon];
        let mut filled: Vec<f64> = made.history.iter().map(|h| h.1).collect();
        super::grid::interpolate(&mut filled, season);
        seasonal_naive(&filled, season, &mut simple);
        let square = super::model::naive::naive_variance(&filled, season);
        let scale = naive_distance(&filled, season);
        let origin = past.times.last().copied().unwrap_or(0);
        told += 1;
        for (time, value) in test.iter().take(horizon).filter(|(_, y)| y.is_finite()) {
            let Some(h) = made.at(*time) else {
                continue;
            };
            let (Some(mean), Some(simple)) = (made.mean.get(h).copied(), simple.get(h)) else {
                continue;
            };
            let ((a, b), (c, d)) = (made.interval(h, 80.0), made.interval(h, 95.0));
            let bounds = [a, b, c, d];
            let deviation = (square * (h / season + 1) as f64).sqrt();
            let [k80, k95] = NORMAL.map(|k| k * deviation);
            let naive_bounds = [simple - k80, simple + k80, simple - k95, simple + k95];
            model.add(*value, mean, &bounds, scale);
            naive.add(*value, *simple, &naive_bounds, scale);
            total += value.abs();
            rows.push(Row {
                origin,
                time: *time,
                value: *value,
                mean,
                naive: *simple,
                bounds,
                naive_bounds,
                scale,
            });
        }
    }
    Backtest {
        id: series.id.clone(),
        origins: told,
        points: rows.len(),
        model: model.score(rows.len() as f64, total),
        naive: naive.score(rows.len() as f64, total),
        rows,
    }
}

fn naive_distance(y: &[f64], m: usize) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (later, earlier) in y.iter().skip(m).zip(y) {
        sum += (later - earlier).abs();
        count += 1.0;
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

/// What was known of a series when so many periods were left, regressors for those of the horizon among it; what the periods held.
fn known<'a>(
    series: &Series,
    (history, frequency): (&'a [(i64, f64)], Frequency),
    horizon: usize,
    left: usize,
) -> Option<(Series, &'a [(i64, f64)])> {
    let at = history.len().checked_sub(left)?;
    let (train, test) = history.split_at_checked(at)?;
    let origin = train.last()?.0;
    let last = frequency.index(origin, origin);
    let rows = series.times.iter().zip(&series.values);
    let rows = rows.filter(|(t, _)| frequency.index(**t, origin) <= last);
    let (times, values) = rows.map(|(t, y)| (*t, *y)).unzip();
    let end = test.get(horizon - 1).map_or(i64::MAX, |t| t.0);
    let past = Series {
        id: series.id.clone(),
        times,
        values,
        regressors: until(&series.regressors, end),
    };
    (!past.times.is_empty()).then_some((past, test))
}

/// The regressors up to a time: of what lies beyond a forecast's last period nothing is seen.
fn until(all: &[(String, Vec<(i64, f64)>)], end: i64) -> Vec<(String, Vec<(i64, f64)>)> {
    let cut = |(name, rows): &(String, Vec<(i64, f64)>)| {
        let kept = rows.iter().copied().filter(|(t, _)| *t <= end);
        (name.clone(), kept.collect())
    };
    all.iter().map(cut).collect()
}
