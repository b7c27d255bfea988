//! The answer to a question of prediction: the specification's Predictive Analytics Result, and what it rests on.

use serde::Serialize;

use super::history::{History, history};
use super::question::{Prediction, Predictive};
use crate::access::Scoped;
use crate::error::{Error, ErrorKind, Result};
use crate::events::Catalogue;
use crate::forecast::{
    Backtest, Forecast, Frequency, Gaps, Kind, ModelShare, Notes, Options, Score, Series,
    backtests, day, forecasts, micros,
};
use crate::query::answer::{self, Stamp};
use crate::query::{Instant, Period, Segment, Zone};
use crate::timeline::View;

/// A forecast with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// The first instant of the bucket.
    pub date: Instant,
    /// What is expected; null where nothing is known at all.
    pub value: Option<f64>,
    /// The lower end of the central interval.
    pub lower_bound: Option<f64>,
    /// The upper end; null where there is none, as at a level of 100.
    pub upper_bound: Option<f64>,
    /// The level of the interval, in per cent.
    pub confidence: f64,
}

/// A value of the history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Past {
    /// The first instant of the bucket.
    pub date: Instant,
    /// The value; null for a share of nobody.
    pub value: Option<f64>,
}

/// How the same forecast would have done from past origins of the history, beside the seasonal naive forecast (S6).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtested {
    /// From how many past origins.
    pub origins: usize,
    /// How many values were compared.
    pub points: usize,
    /// The forecasts.
    pub model: Score,
    /// The seasonal naive forecast.
    pub naive: Score,
    /// By what the intervals were multiplied because they held less than they say, or more; 1 for not at all.
    pub widened: f64,
}

/// The prediction of one segment beside that of the question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentPrediction {
    /// The segment.
    pub segment: Segment,
    /// What comes after the history.
    pub predictions: Vec<Interval>,
    /// The history.
    pub historical_data: Vec<Past>,
}

/// What comes after the history of a range.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictiveAnswer {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What is predicted.
    pub prediction_type: Prediction,
    /// The buckets after the history, with central intervals.
    pub predictions: Vec<Interval>,
    /// The buckets of the range that have wholly passed; those that the range cuts are left out.
    pub historical_data: Vec<Past>,
    /// The version of the method and the models that it came to.
    pub model_version: String,
    /// The level of the intervals, in per cent.
    pub confidence_level: f64,
    /// The first instant of the range.
    pub start_date: Instant,
    /// The first instant after the range.
    pub end_date: Instant,
    /// As `asOf`: a prediction is computed, not stored.
    pub created_at: Instant,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
    /// How many buckets ahead.
    pub horizon: usize,
    /// The length of a bucket.
    pub period: Period,
    /// The zone of the calendar.
    pub timezone: Zone,
    /// The users counted.
    pub segment: Segment,
    /// The models with their shares.
    pub models: Vec<ModelShare>,
    /// How the same forecast would have done; null where the history is too short to tell.
    pub backtest: Option<Backtested>,
    /// What was done to the history, and what was found in it.
    pub notes: Notes,
    /// The other segments asked for, each by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentPrediction>,
    /// Events without a user, of which no prediction knows (I4).
    pub unattributed_events: u64,
    /// The level at which the intervals were computed so that they hold what `confidenceLevel` says, as what is kept for feedback has
    /// taught; absent where nothing is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed_level: Option<f64>,
    /// The run under which it is kept for feedback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// What is kept of it for feedback: the segment and its fan.
    #[serde(skip)]
    pub(crate) fans: Vec<(Segment, Fan)>,
}

impl PredictiveAnswer {
    /// Says that intervals of a level were computed at another, which has been learned.
    pub(crate) fn learned(&mut self, level: f64, used: f64) -> Result<()> {
        self.computed_level = Some(used);
        self.confidence_level = level;
        let others = self.segments.iter_mut().flat_map(|s| &mut s.predictions);
        for interval in self.predictions.iter_mut().chain(others) {
            interval.confidence = level;
        }
        if let Some(versions) = std::mem::take(&mut self.stamp).versions {
            self.stamp = answer::stamp(self, versions)?;
        }
        Ok(())
    }
}

/// A prediction as it is kept: local dates, what is expected, and quantiles of the probabilities asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fan {
    /// The first day of each bucket.
    pub(crate) ds: Vec<String>,
    pub(crate) mean: Vec<f64>,
    pub(crate) quantiles: Vec<Vec<f64>>,
    /// The first day of each bucket of the history, with its value.
    pub(crate) history: Vec<(String, f64)>,
}

/// The version of the method.
const METHOD: &str = "forecast-1";

/// More buckets ahead are not looked at where none are asked for.
const MOST: usize = 90;

/// A history of fewer compared values says nothing of the intervals.
const ENOUGH: usize = 20;

/// So many compared values make half of the way to wider intervals.
const WIDENING: f64 = 40.0;

/// And so many times to narrower ones: within a short history errors have had less occasion than they will have.
const NARROWING: f64 = 150.0;

struct Made {
    predictions: Vec<Interval>,
    past: Vec<Past>,
    forecast: Forecast,
    backtest: Option<Backtested>,
    horizon: usize,
    fan: Fan,
}

/// Answers a valid question of prediction over timelines; `grid` are the probabilities whose quantiles are to be kept.
///
/// # Errors
/// `too_little_history` where no bucket of the range has wholly passed; `missing_rate` for revenue in a currency without a
/// rate; `too_many_periods`; what the view raises.
pub fn answer(
    asked: &Scoped<&Predictive>,
    catalogue: &Catalogue,
    view: &View<'_>,
    grid: &[f64],
) -> Result<PredictiveAnswer> {
    let question = *asked.inner();
    let made = predict(question, question.segment, catalogue, view, grid)?;
    let mut segments = Vec::with_capacity(question.segments.len());
    let mut fans = vec![(question.segment, made.fan)];
    for segment in &question.segments {
        let one = predict(question, *segment, catalogue, view, grid)?;
        fans.push((*segment, one.fan));
        segments.push(SegmentPrediction {
            segment: *segment,
            predictions: one.predictions,
            historical_data: one.past,
        });
    }
    let span = question.range.span();
    let models = made.forecast.models;
    let first = models.first().map_or("none", |m| m.name.as_str());
    let mut answer = PredictiveAnswer {
        stamp: Stamp::default(),
        prediction_type: question.prediction,
        predictions: made.predictions,
        historical_data: made.past,
        model_version: format!("{METHOD} {first}"),
        confidence_level: question.confidence_level,
        start_date: span.from,
        end_date: span.to,
        created_at: view.as_of,
        as_of: view.as_of,
        horizon: made.horizon,
        period: question.prediction.period(),
        timezone: question.range.zone.clone(),
        segment: question.segment,
        models,
        backtest: made.backtest,
        notes: made.forecast.notes,
        segments,
        unattributed_events: view.timelines.unattributed(view.as_of),
        computed_level: None,
        run: None,
        fans,
    };
    answer.stamp = answer::stamp(&answer, view.versions())?;
    Ok(answer)
}

fn predict(
    question: &Predictive,
    segment: Segment,
    catalogue: &Catalogue,
    view: &View<'_>,
    grid: &[f64],
) -> Result<Made> {
    let zone = &question.range.zone;
    let history = history(question, segment, catalogue, view)?;
    let (options, kind) = options(question, &history);
    let horizon = options.horizon;
    let series = series(&history, zone);
    if kind != Kind::Share && series.times.is_empty() {
        return Err(Error::new(
            ErrorKind::Invalid,
            "too_little_history",
            "no whole day of the range has passed; a prediction needs one at least, and two weeks to see weekdays",
        ));
    }
    let span = question.range.span();
    let mut forecast = match forecasts(std::slice::from_ref(&series), &options).pop() {
        Some(forecast) => forecast,
        None => return Err(Error::internal("a series without a forecast")),
    };
    if series.times.is_empty() {
        // Nothing is known: the weeks after the range, and any share as likely as any other.
        let first = micros(
            zone.date(span.to)
                .to_datetime(jiff::civil::Time::midnight()),
        );
        let week = |h: usize| first.saturating_add(h as i64 * 7 * 86_400_000_000);
        forecast.times = (0..horizon).map(week).collect();
        forecast.notes.short = true;
    }
    let backtest = widen(&mut forecast, &series, &options);
    let level = question.confidence_level;
    let each = |h: usize| {
        let at = forecast.times.get(h).copied().unwrap_or_default();
        let date = zone.start_of(day(at));
        let mean = forecast.mean.get(h).copied().filter(|m| m.is_finite());
        let (low, high) = match (mean, level >= 100.0) {
            (None, _) => (Some(0.5 - level / 200.0), Some(0.5 + level / 200.0)),
            (Some(_), true) => match kind {
                Kind::Share => (Some(0.0), Some(1.0)),
                Kind::Value => (None, None),
                Kind::Count | Kind::Amount => (Some(0.0), None),
            },
            (Some(_), false) => {
                let (low, high) = forecast.interval(h, level);
                (Some(low), Some(high))
            }
        };
        Interval {
            date,
            value: mean.or((kind == Kind::Share).then_some(0.5)),
            lower_bound: low,
            upper_bound: high,
            confidence: level,
        }
    };
    let fan = Fan {
        ds: forecast
            .times
            .iter()
            .map(|at| day(*at).to_string())
            .collect(),
        mean: forecast.mean.clone(),
        quantiles: (0..horizon)
            .map(|h| grid.iter().map(|p| forecast.quantile(h, *p)).collect())
            .collect(),
        history: history
            .iter()
            .filter_map(|(bucket, y)| Some((zone.date(bucket.start).to_string(), (*y)?)))
            .collect(),
    };
    Ok(Made {
        fan,
        predictions: (0..horizon).map(each).collect(),
        past: history
            .iter()
            .map(|(bucket, value)| Past {
                date: bucket.start,
                value: *value,
            })
            .collect(),
        forecast,
        backtest,
        horizon,
    })
}

/// How a history is forecast, and what its values are.
pub(super) fn options(question: &Predictive, history: &History) -> (Options, Kind) {
    let kind = match question.prediction {
        Prediction::ChurnRate => Kind::Share,
        Prediction::Revenue if history.iter().any(|(_, y)| y.is_some_and(|y| y < 0.0)) => {
            Kind::Value
        }
        Prediction::Revenue => Kind::Amount,
        _ => Kind::Count,
    };
    let quarter = history.len().div_ceil(4).clamp(1, MOST);
    let options = Options {
        horizon: question.horizon.unwrap_or(quarter),
        frequency: Some(match question.prediction.period() {
            Period::Weekly => Frequency::Weeks,
            _ => Frequency::Days,
        }),
        gaps: Some(Gaps::Missing),
        kind: Some(kind),
        country: question.country.clone(),
        ..Options::default()
    };
    (options, kind)
}

/// The history as a series of local days; a share of nobody is missing.
pub(super) fn series(history: &History, zone: &Zone) -> Series {
    let midnight = |at: Instant| micros(zone.date(at).to_datetime(jiff::civil::Time::midnight()));
    Series {
        times: history.iter().map(|(b, _)| midnight(b.start)).collect(),
        values: history.iter().map(|(_, y)| y.unwrap_or(f64::NAN)).collect(),
        ..Series::default()
    }
}

/// Backtests a forecast on its own history, and makes its intervals as wide as they had to be where they held less than they say,
/// or more (S6).
pub(super) fn widen(
    forecast: &mut Forecast,
    series: &Series,
    options: &Options,
) -> Option<Backtested> {
    let periods = forecast.notes.periods;
    let origins = if periods > 1_000 { 5 } else { 10 };
    let horizon = options.horizon.min((periods / 4).max(1));
    let step = (periods / 2)
        .saturating_sub(horizon)
        .div_ceil(origins)
        .max(1);
    let asked = Options {
        horizon,
        ..options.clone()
    };
    let made: Backtest = backtests(std::slice::from_ref(series), &asked, origins, step).pop()?;
    if made.points == 0 {
        return None;
    }
    let mut widened = 1.0;
    if made.points >= ENOUGH {
        let reach = |row: &crate::forecast::backtest::Row| {
            let [_, _, low, high] = row.bounds;
            let room = if row.value < row.mean {
                row.mean - low
            } else {
                high - row.mean
            };
            let off = (row.value - row.mean).abs();
            // Whatever comes is beyond an interval of no width, but for what it says.
            if off > 0.0 { off / room.max(0.0) } else { 0.0 }
        };
        let off = |row: &crate::forecast::backtest::Row| (row.value - row.mean).abs();
        let factor = conformal(made.rows.iter().map(reach));
        // The fewer values, the less they count against the method; the same value foretold twice counts once for it.
        let mut times: Vec<i64> = made.rows.iter().map(|row| row.time).collect();
        times.sort_unstable();
        times.dedup();
        let (told, doubt) = if factor < 1.0 {
            (times.len(), NARROWING)
        } else {
            (made.points, WIDENING)
        };
        let points = told as f64;
        widened = factor.clamp(0.6, 3.0).powf(points / (points + doubt));
        forecast.widen(widened);
        if factor.is_infinite() {
            forecast.reach(conformal(made.rows.iter().map(off)));
        }
    }
    Some(Backtested {
        origins: made.origins,
        points: made.points,
        model: made.model,
        naive: made.naive,
        widened,
    })
}

/// What nineteen in twenty of these do not exceed, and one that is to come (V. Vovk and others, 2005).
fn conformal(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let at = (0.95 * (sorted.len() + 1) as f64).ceil() as usize;
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last.min(at.saturating_sub(1)))
        .copied()
        .unwrap_or(1.0)
}
