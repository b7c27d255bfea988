//! Many series at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::prelude::*;

use super::interval::{Kind, logit};
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
type Cut<'a> = (Series, Options, &'a [(i64, f64)]);

/// A forecast's history without its last horizon, as a series again; what that held.
fn cut<'a>(made: &'a Forecast, options: &Options) -> Option<Cut<'a>> {
    let at = made.history.len().checked_sub(options.horizon)?;
    let (train, test) = made.history.split_at_checked(at)?;
    let series = Series {
        id: made.id.clone(),
        times: train.iter().map(|(t, _)| *t).collect(),
        values: train.iter().map(|(_, y)| *y).collect(),
        regressors: Vec::new(),
    };
    let options = Options {
        kind: Some(made.kind),
        frequency: options.frequency.or(Some(made.frequency)),
        gaps: made.notes.gaps.or(options.gaps),
        as_of: None,
        ..options.clone()
    };
    (!train.is_empty()).then_some((series, options, test))
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
        let Some((series, options, test)) = cut(one, options) else {
            return Vec::new();
        };
        let past = forecast(&series, &options);
        let each = test.iter().filter_map(|(time, y)| {
            let h = past.at(*time)?;
            let (f, spread) = (past.mean.get(h)?, past.spread.get(h)?);
            // The scale of a share is that of its logit.
            let off = if past.kind == Kind::Share {
                let n = past.notes.periods as f64;
                logit(*y, n) - logit(*f, n)
            } else {
                y - f
            };
            Some(off.abs() / spread.at(0.975))
        });
        each.filter(|r| r.is_finite()).collect()
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
