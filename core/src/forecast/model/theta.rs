//! The dynamic optimised Theta model (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler 2016).
//!
//! μ_t = l_(t−1) + (1 − 1/θ) d_t with d_t = (1−α)^(t−1) A_(t−1) + (1 − (1−α)^t)/α · B_(t−1), l_t = αy_t + (1−α) l_(t−1), and
//! A, B the running intercept and slope of the values so far. For a given α the sum of squares is quadratic in l_0 and in
//! w = 1 − 1/θ, so both have a closed form, and α alone is searched: the exact optimum for a fraction of the cost.

use crate::forecast::optimise::golden;

/// A fitted model: its parameters and the states after the last value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theta {
    pub(crate) alpha: f64,
    /// 1 − 1/θ, from 0 (simple exponential smoothing) to 1.
    pub(crate) weight: f64,
    first: f64,
    state: State,
    pub(crate) variance: f64,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// The values so far.
    t: f64,
    /// (1 − α)^t
    decay: f64,
    level: f64,
    mean: f64,
    intercept: f64,
    slope: f64,
}

const SKIP: f64 = 3.0;
impl State {
    fn begin(level: f64) -> Self {
        Self {
            t: 0.0,
            decay: 1.0,
            level,
            mean: 0.0,
            intercept: 0.0,
            slope: 0.0,
        }
    }

    /// What the line adds to the level in the next period, before it is weighted.
    #[inline(always)]
    fn drift(&self, alpha: f64) -> f64 {
        self.decay * self.intercept + (1.0 - self.decay * (1.0 - alpha)) / alpha * self.slope
    }

    #[inline(always)]
    fn take(&mut self, y: f64, alpha: f64) {
        self.level += alpha * (y - self.level);
        let t = self.t + 1.0;
        let slope = if self.t > 0.0 {
            ((t - 2.0) * self.slope + 6.0 * (y - self.mean) / t) / (t + 1.0)
        } else {
            0.0
        };
        self.mean += (y - self.mean) / t;
        self.slope = slope;
        self.intercept = self.mean - slope * (t + 1.0) / 2.0;
        self.t = t;
        self.decay *= 1.0 - alpha;
    }
}

/// The sum of squares of a run, and the l_0 and w that make it least.
fn solve(y: &[f64], alpha: f64) -> (f64, f64, f64) {
    // e_t = (y_t − l⁰_(t−1)) − l_0 (1−α)^(t−1) − w d_t, with l⁰ the level that starts at 0.

    let mut state = State::begin(0.0);
    let (mut aa, mut ab, mut bb, mut ya, mut yb, mut yy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for &value in y {
        let (a, b) = (state.decay, state.drift(alpha));
        let e = value - state.level;
        let k = if state.t < SKIP { 0.0 } else { 1.0 };
        aa += k * a * a;
        ab += k * a * b;
        bb += k * b * b;
        ya += k * e * a;
        yb += k * e * b;
        yy += k * e * e;
        state.take(value, alpha);
    }
    let determinant = aa * bb - ab * ab;
    let free = if determinant > 1e-12 * aa * bb {
        (aa * yb - ab * ya) / determinant
    } else {
        0.0
    };
    let weight = if free.is_finite() {
        free.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let first = (ya - weight * ab) / aa.max(f64::MIN_POSITIVE);
    let squares = yy - 2.0 * (first * ya + weight * yb)
        + first * first * aa
        + 2.0 * first * weight * ab
        + weight * weight * bb;
    (squares.max(0.0), first, weight)
}

impl Theta {
    /// Fits the model to a series without season; `None` for fewer than 3 values.
    pub(crate) fn fit(y: &[f64]) -> Option<Self> {
        if y.len() < 3 {
            return None;
        }
        let (alpha, _) = golden(0.1, 0.99, |alpha| solve(y, alpha).0);
        let (_, first, weight) = solve(y, alpha);
        let mut state = State::begin(first);
        let mut squares = 0.0;
        for (t, &value) in y.iter().enumerate() {
            let e = value - state.level - weight * state.drift(alpha);
            // The first errors are what l_0 was made for.
            if t > 2 {
                squares += e * e;
            }
            state.take(value, alpha);
        }
        let freedom = (y.len() as f64 - 3.0).max(1.0);
        let fitted = Self {
            alpha,
            weight,
            first,
            state,
            variance: squares / freedom,
        };
        (state.level.is_finite() && fitted.variance.is_finite()).then_some(fitted)
    }

    fn path(&self, mut state: State, out: &mut [f64]) {
        for out in out {
            let next = state.level + self.weight * state.drift(self.alpha);
            *out = next;
            state.take(next, self.alpha);
        }
    }

    /// The forecasts of the next periods.
    pub(crate) fn forecast(&self, out: &mut [f64]) {
        self.path(self.state, out);
    }

    /// The variances of the forecasts of the next periods: σ² (1 + (h − 1) α²).
    pub(crate) fn variances(&self, out: &mut [f64]) {
        for (h, out) in out.iter_mut().enumerate() {
            *out = self.variance * (1.0 + h as f64 * self.alpha * self.alpha);
        }
    }

    /// The errors of forecasts from past origins with the parameters kept; see `Ets::origins`.
    pub(crate) fn origins(
        &self,
        y: &[f64],
        first: usize,
        every: usize,
        horizon: usize,
        mut each: impl FnMut(usize, &[f64]),
    ) {
        let mut state = State::begin(self.first);
        let mut errors = vec![0.0; horizon];
        let every = every.max(1);
        for (t, &value) in y.iter().enumerate() {
            if t >= first && (t - first).is_multiple_of(every) {
                let rest = y.get(t..).unwrap_or_default();
                let Some(errors) = errors.get_mut(..horizon.min(rest.len())) else {
                    break;
                };
                self.path(state, errors);
                for (e, y) in errors.iter_mut().zip(rest) {
                    *e = y - *e;
                }
                each(t, errors);
            }
            state.take(value, self.alpha);
        }
    }
}
