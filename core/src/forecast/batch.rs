//! Many series at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::interval::Kind;
use super::series::{Forecast, Options, Series, forecast};
use crate::error::{Error, Result};

/// From so many series on, a batch shows whether intervals hold.
const POOLED: usize = 20;

/// How many series of a batch are forecast from a past origin to find out.
const SAMPLE: usize = 48;

/// Runs `work` on so many threads of its own, on all cores where no number is given. Threads do not outlive the call, so that
/// a process may fork between two.
///
/// # Errors
/// Where the system gives no threads.
pub fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .build()
        .map_err(Error::internal)?;
    pool.install(work)
}

/// Told from any thread which share of the series is done; `false` gives the rest up.
pub type Watch<'a> = &'a (dyn Fn(f64) -> bool + Sync);

/// What `make` makes of each series, in their order; `None` where `watch` gave it up.
pub(super) fn each<T: Send>(
    series: &[Series],
    watch: Watch<'_>,
    make: impl Fn(&Series) -> T + Sync,
) -> Option<Vec<T>> {
    let (done, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let one = |s: &Series| {
        if over.load(Ordering::Relaxed) {
            return None;
        }
        let made = make(s);
        let share = (done.fetch_add(1, Ordering::Relaxed) + 1) as f64 / series.len() as f64;
        if !watch(share) {
            over.store(true, Ordering::Relaxed);
            return None;
        }
        Some(made)
    };
    series.par_iter().map(one).collect()
}

/// The forecasts of all series, in their order.
///
/// Intervals of a batch of 20 or more are checked on up to 48 of its series, forecast from one horizon before their end: where
/// the 95 % intervals held less than they say, those of the whole batch are widened.
#[must_use]
pub fn forecasts(series: &[Series], options: &Options) -> Vec<Forecast> {
    watched(series, options, &|_| true).unwrap_or_default()
}

/// `forecasts`, telling how far it is; `None` where it was given up.
pub(super) fn watched(
    series: &[Series],
    options: &Options,
    watch: Watch<'_>,
) -> Option<Vec<Forecast>> {
    let mut out = each(series, watch, |s| forecast(s, options))?;
    let factor = pooled(&out, options);
    if factor > 1.0 {
        for forecast in &mut out {
            forecast.widen(factor);
        }
    }
    Some(out)
}

/// A series that ends earlier, how it is forecast, and the times and values that it lacks.
pub(crate) type Cut<'a> = (Series, Options, &'a [(i64, f64)]);

/// The history of a forecast without its last periods, as a series again; what those periods held. Of what the whole history says, what
/// values and gaps are is not handed on: a period without a row is none again, and the earlier part says for itself.
pub(crate) fn cut<'a>(made: &'a Forecast, options: &Options, periods: usize) -> Option<Cut<'a>> {
    let at = made.history.len().checked_sub(periods)?;
    let (train, test) = made.history.split_at_checked(at)?;
    let rows = train.iter().zip(&made.told).filter(|(_, told)| **told);
    let series = Series {
        id: made.id.clone(),
        times: rows.clone().map(|((t, _), _)| *t).collect(),
        values: rows.map(|((_, y), _)| *y).collect(),
        regressors: Vec::new(),
    };
    // A forecast goes on from the last row.
    let late = made.told.get(..at)?.iter().rev().take_while(|told| !**told);
    let options = Options {
        horizon: periods.min(options.horizon) + late.count(),
        frequency: options.frequency.or(Some(made.frequency)),
        as_of: None,
        ..options.clone()
    };
    (!series.times.is_empty()).then_some((series, options, test))
}

/// Where each of the later periods stands in a forecast; none for what the earlier part did not see as a period.
pub(crate) fn placed(made: &Forecast, test: &[(i64, f64)]) -> Vec<Option<usize>> {
    let places = test
        .iter()
        .map(|(time, _)| made.times.binary_search(time).ok());
    places.collect()
}

fn pooled(made: &[Forecast], options: &Options) -> f64 {
    if made.len() < POOLED {
        return 1.0;
    }
    let every = made.len().div_ceil(SAMPLE);
    let ratios = |one: &Forecast| {
        if one.notes.periods < 3 * options.horizon.max(4) {
            return Vec::new();
        }
        let Some((series, options, test)) = cut(one, options, options.horizon) else {
            return Vec::new();
        };
        let past = forecast(&series, &options);
        let places = placed(&past, test).into_iter().zip(test);
        let ratio = places.filter_map(|(h, (_, y))| {
            let (f, spread) = (past.mean.get(h?)?, past.spread.get(h?)?);
            let scale = match one.kind {
                // The spread of a share is that of its logit.
                Kind::Share => (f * (1.0 - f)).max(0.01),
                _ => 1.0,
            };
            Some((y - f).abs() / (scale * spread.at(0.975)))
        });
        ratio.filter(|r| r.is_finite()).collect()
    };
    let sample: Vec<&Forecast> = made.iter().step_by(every).collect();
    let found: Vec<Vec<f64>> = sample.par_iter().map(|one| ratios(one)).collect();
    let told = found.iter().filter(|r| !r.is_empty()).count() as f64;
    let mut all: Vec<f64> = found.into_iter().flatten().collect();
    if told < 10.0 {
        return 1.0;
    }
    all.sort_by(f64::total_cmp);
    let at = (0.95 * all.len() as f64).ceil() as usize;
    let reached = all.get(at.saturating_sub(1)).copied().unwrap_or(1.0);
    let factor = reached.clamp(1.0, 2.0);
    factor.powf(told / (told + 20.0))
}
