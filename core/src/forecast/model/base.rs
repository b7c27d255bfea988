//! The default: the mean of exponential smoothing, its pool weighted by Akaike's criterion (Kolassa 2011), and of the dynamic
//! optimised Theta model: ŷ = ½ Σ w_i ŷ_i + ½ ŷ_DOT with w_i proportional to exp(−½(AICc_i − least AICc)).

use super::ets::{Ets, POOL, Season, Start};
use super::naive::{drift, naive_variance, seasonal_naive};
use super::season::indices;
use super::seasonal::SeasonalTheta;

/// A season longer than this is no season of exponential smoothing, which would have as many states.
pub(crate) const LONGEST: usize = 24;

/// Models of a smaller share of the pool's weight are left out.
const SHARE: f64 = 0.05;

/// The fitted default of one series.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    y: Vec<f64>,
    m: usize,
    pub(crate) pool: Vec<(f64, Ets)>,
    pub(crate) theta: Option<SeasonalTheta>,
}

/// What a fit of the pool starts from.
fn start(y: &[f64], m: usize, season: Season) -> Option<Start> {
    let indices = match season {
        Season::None => Vec::new(),
        Season::Additive => indices(y, m, false)?,
        Season::Multiplicative => indices(y, m, true)?,
    };
    let near = (3 * m).max(8).min(y.len());
    let mut plain = y.get(..near).unwrap_or(y).to_vec();
    for (y, s) in plain.iter_mut().zip(indices.iter().cycle()) {
        *y = match season {
            Season::Multiplicative => *y / s,
            _ => *y - s,
        };
    }
    let n = plain.len() as f64;
    let mean = plain.iter().sum::<f64>() / n;
    let middle = (n - 1.0) / 2.0;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (t, y) in plain.iter().enumerate() {
        let x = t as f64 - middle;
        xy += x * (y - mean);
        xx += x * x;
    }
    let growth = if xx > 0.0 { xy / xx } else { 0.0 };
    Some(Start {
        level: mean - growth * (middle + 1.0),
        growth,
        season: indices,
    })
}

/// The fitted models of the pool with their weights, the heaviest first.
fn pool(y: &[f64], m: usize) -> Vec<(f64, Ets)> {
    let mut found: Vec<Ets> = Vec::with_capacity(POOL.len());
    for season in [Season::None, Season::Additive, Season::Multiplicative] {
        if season != Season::None && !(2..=LONGEST).contains(&m) {
            continue;
        }
        let Some(from) = start(y, m, season) else {
            continue;
        };
        for form in POOL.into_iter().filter(|f| f.season == season) {
            // A line that never bends suits years and quarters; of shorter periods it runs away.
            if !form.is_line() || m <= 4 {
                found.extend(Ets::fit(y, m, form, &from));
            }
        }
    }
    let least = found.iter().map(|e| e.aicc).fold(f64::INFINITY, f64::min);
    let weigh = |e: Ets| ((-0.5 * (e.aicc - least)).exp(), e);
    let mut weighed: Vec<(f64, Ets)> = found.into_iter().map(weigh).collect();
    let whole: f64 = weighed.iter().map(|(w, _)| w).sum();
    weighed.retain(|(w, _)| *w >= SHARE * whole);
    let whole: f64 = weighed.iter().map(|(w, _)| w).sum();
    for (w, _) in &mut weighed {
        *w /= whole;
    }
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    weighed
}

impl Base {
    /// Fits the default to a series with a season of `m` periods (1 for none).
    pub(crate) fn fit(y: &[f64], m: usize) -> Self {
        Self {
            y: y.to_vec(),
            m,
            pool: pool(y, m),
            theta: (y.len() > 5).then(|| SeasonalTheta::fit(y, m)).flatten(),
        }
    }

    /// The shares of the pool and of the Theta model in the forecast.
    fn shares(&self) -> (f64, f64) {
        match (self.pool.is_empty(), self.theta.is_some()) {
            (false, true) => (0.5, 0.5),
            (false, false) => (1.0, 0.0),
            (true, true) => (0.0, 1.0),
            (true, false) => (0.0, 0.0),
        }
    }

    /// The forecasts of the next periods, their variances by the models' own formulas, and the variance between the models.
    pub(crate) fn forecast(&self, mean: &mut [f64], variance: &mut [f64], between: &mut [f64]) {
        let (smooth, line) = self.shares();
        mean.fill(0.0);
        variance.fill(0.0);
        between.fill(0.0);
        if smooth + line == 0.0 {
            // Too few for a fit: between standing still and going on.
            let mut line = vec![0.0; mean.len()];
            seasonal_naive(&self.y, self.m, mean);
            drift(&self.y, &mut line);
            for (m, l) in mean.iter_mut().zip(line) {
                *m = f64::midpoint(*m, l);
            }
            let one = naive_variance(&self.y, self.m);
            for (h, v) in variance.iter_mut().enumerate() {
                *v = one * (h / self.m.max(1) + 1) as f64;
            }
            return;
        }
        let (mut one, mut spread) = (vec![0.0; mean.len()], vec![0.0; mean.len()]);
        let mut add = |weight: f64, one: &[f64], spread: &[f64]| {
            let outs = mean
                .iter_mut()
                .zip(variance.iter_mut())
                .zip(between.iter_mut());
            for (((m, v), b), (f, s)) in outs.zip(one.iter().zip(spread)) {
                *m += weight * f;
                *v += weight * s;
                *b += weight * f * f;
            }
        };
        for (weight, ets) in &self.pool {
            ets.forecast(&mut one);
            ets.variances(&one, &mut spread);
            add(weight * smooth, &one, &spread);
        }
        if let Some(theta) = &self.theta {
            theta.forecast(&mut one);
            theta.variances(&mut spread);
            add(line, &one, &spread);
        }
        for (b, m) in between.iter_mut().zip(mean.iter()) {
            *b = (*b - m * m).max(0.0);
        }
    }

    /// The errors of forecasts from past origins with the parameters kept, one row of `horizon` an origin; errors beyond the
    /// end of the series are not numbers.
    pub(crate) fn origins(&self, first: usize, every: usize, horizon: usize) -> Vec<f64> {
        let every = every.max(1);
        let rows = (self.y.len().saturating_sub(first)).div_ceil(every);
        let mut out = vec![f64::NAN; rows * horizon];
        for (t, row) in (first..).step_by(every).zip(out.chunks_mut(horizon.max(1))) {
            let told = self.y.len().saturating_sub(t).min(horizon);
            row.iter_mut().take(told).for_each(|e| *e = 0.0);
        }
        let (smooth, line) = self.shares();
        let mut add = |weight: f64, t: usize, errors: &[f64]| {
            let at = (t - first) / every * horizon;
            let row = out.get_mut(at..).unwrap_or_default();
            for (o, e) in row.iter_mut().zip(errors) {
                *o += weight * e;
            }
        };
        for (weight, ets) in &self.pool {
            ets.origins(&self.y, self.m, first, every, horizon, |t, errors| {
                add(weight * smooth, t, errors);
            });
        }
        if let Some(theta) = &self.theta {
            theta.origins(first, every, horizon, |t, errors| add(line, t, errors));
        }
        out
    }

    /// What the forecast is made of.
    pub(crate) fn names(&self) -> Vec<(&'static str, f64)> {
        let (smooth, line) = self.shares();
        let mut out: Vec<(&'static str, f64)> = Vec::new();
        for (weight, ets) in &self.pool {
            out.push((ets.form.name(), weight * smooth));
        }
        if line > 0.0 {
            out.push(("DynamicOptimizedTheta", line));
        }
        if out.is_empty() {
            out.push(("SeasonalNaive", 0.5));
            out.push(("Drift", 0.5));
        }
        out
    }
}
