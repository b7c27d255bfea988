//! Exponential smoothing in its state space form (Hyndman, Koehler, Ord and Snyder 2008), the reduced pool of eight models
//! (Petropoulos, Grushka-Cockayne, Siemsen and Spiliotis 2021, arXiv 2102.13209): ANN, MNN, AAdN, MAdN, ANA, AAdA, MNM, MAdM,
//! with the undamped lines AAN and MAN for years and quarters.
//!
//! With level l, growth b, season s, q = l + φb and the error r = y − s − q (additive season) or y/s − q (multiplicative):
//! l ← q + αr, b ← φb + βr, s ← s + γ(y − q − s) or s + γ(y/q − s). An additive and a multiplicative error have the same
//! recursion here and differ in their likelihood. First states are found by running the filter back to the start and on
//! again (backcasting), so that only α, β, γ and φ are searched.

use crate::forecast::optimise::{Bounds, Point, nelder_mead};

/// What a model does with the season.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Season {
    None,
    Additive,
    Multiplicative,
}

/// What a model does with growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    None,
    /// Growth that fades by φ each period.
    Damped,
    /// Growth for ever.
    Line,
}

/// One model of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) relative: bool,
    pub(crate) trend: Trend,
    pub(crate) season: Season,
}

impl Form {
    const fn new(relative: bool, trend: Trend, season: Season) -> Self {
        Self {
            relative,
            trend,
            season,
        }
    }

    /// Whether the form draws its growth on for ever.
    pub(crate) fn is_line(self) -> bool {
        self.trend == Trend::Line
    }

    /// The usual short name, such as `ETS(M,Ad,M)`.
    pub(crate) fn name(self) -> &'static str {
        match (self.relative, self.trend, self.season) {
            (false, Trend::None, Season::None) => "ETS(A,N,N)",
            (true, Trend::None, Season::None) => "ETS(M,N,N)",
            (false, Trend::Damped, Season::None) => "ETS(A,Ad,N)",
            (true, Trend::Damped, Season::None) => "ETS(M,Ad,N)",
            (false, Trend::Line, _) => "ETS(A,A,N)",
            (true, Trend::Line, _) => "ETS(M,A,N)",
            (false, Trend::None, _) => "ETS(A,N,A)",
            (false, Trend::Damped, _) => "ETS(A,Ad,A)",
            (true, Trend::None, _) => "ETS(M,N,M)",
            (true, Trend::Damped, _) => "ETS(M,Ad,M)",
        }
    }
}

/// The pool. A season goes with the error of its own kind.
pub(crate) const POOL: [Form; 10] = [
    Form::new(false, Trend::None, Season::None),
    Form::new(true, Trend::None, Season::None),
    Form::new(false, Trend::Damped, Season::None),
    Form::new(true, Trend::Damped, Season::None),
    Form::new(false, Trend::Line, Season::None),
    Form::new(true, Trend::Line, Season::None),
    Form::new(false, Trend::None, Season::Additive),
    Form::new(false, Trend::Damped, Season::Additive),
    Form::new(true, Trend::None, Season::Multiplicative),
    Form::new(true, Trend::Damped, Season::Multiplicative),
];

/// A fitted model: its parameters and the states after the last value.
#[derive(Debug, Clone)]
pub(crate) struct Ets {
    pub(crate) form: Form,
    pub(crate) alpha: f64,
    pub(crate) beta: f64,
    pub(crate) gamma: f64,
    pub(crate) phi: f64,
    pub(crate) level: f64,
    pub(crate) growth: f64,
    /// The season's values of the next `m` periods.
    pub(crate) season: Vec<f64>,
    /// The states before the first value.
    start: (f64, f64, Vec<f64>),
    /// The variance of an error, relative to the forecast where the form is relative.
    pub(crate) variance: f64,
    /// Akaike's criterion, corrected for short series.
    pub(crate) aicc: f64,
}

/// The parameters of a run.
#[derive(Clone, Copy)]
struct Gains {
    alpha: f64,
    beta: f64,
    gamma: f64,
    phi: f64,
}

/// The states of a run.
#[derive(Clone, Copy)]
struct Run {
    level: f64,
    growth: f64,
    squares: f64,
    logs: f64,
    product: f64,
}

const NONE: u8 = 0;
const ADD: u8 = 1;
const MUL: u8 = 2;

/// One step of the filter; gives the one-step forecast.
#[inline(always)]
fn step<const S: u8>(y: f64, g: Gains, run: &mut Run, s: &mut f64) -> f64 {
    let q = run.level + g.phi * run.growth;
    let (r, forecast) = match S {
        ADD => {
            let r = y - *s - q;
            let forecast = q + *s;
            *s += g.gamma * (y - q - *s);
            (r, forecast)
        }
        MUL => {
            let forecast = q * *s;
            let r = y / *s - q;
            *s += g.gamma * (y / q - *s);
            (r, forecast)
        }
        _ => (y - q, q),
    };
    run.level = q + g.alpha * r;
    run.growth = g.phi * run.growth + g.beta * r;
    forecast
}

/// Runs the filter over `y`; `season[0]` is the season of the first value, and after the run still is.
fn forward<const S: u8, const RELATIVE: bool>(
    y: &[f64],
    g: Gains,
    from: Run,
    season: &mut [f64],
) -> Run {
    let mut run = from;
    let mut at = |y: f64, s: &mut f64| {
        let forecast = step::<S>(y, g, &mut run, s);
        let e = y - forecast;
        if RELATIVE {
            let relative = e / forecast;
            run.squares += relative * relative;
            // The sum of logarithms is kept as a product, its logarithm taken before it leaves the range of a float.
            run.product *= forecast.abs().clamp(1e-30, 1e30);
            if !(1e-100..1e100).contains(&run.product) {
                run.logs += run.product.ln();
                run.product = 1.0;
            }
        } else {
            run.squares += e * e;
        }
    };
    if S == NONE {
        let mut none = 0.0;
        for &y in y {
            at(y, &mut none);
        }
    } else {
        for cycle in y.chunks(season.len().max(1)) {
            for (&y, s) in cycle.iter().zip(season.iter_mut()) {
                at(y, s);
            }
        }
    }
    run
}

/// Runs the filter from the last of `y` to the first, the growth turned round.
fn backward<const S: u8>(y: &[f64], g: Gains, from: Run, season: &mut [f64]) -> Run {
    let mut run = from;
    run.growth = -run.growth;
    if S == NONE {
        let mut none = 0.0;
        for &y in y.iter().rev() {
            step::<S>(y, g, &mut run, &mut none);
        }
    } else {
        let m = season.len().max(1);
        for cycle in y.chunks(m).rev() {
            for (&y, s) in cycle.iter().zip(season.iter_mut()).rev() {
                step::<S>(y, g, &mut run, s);
            }
        }
    }
    run.growth = -run.growth;
    run
}

/// What the fit starts from: the states of a classical decomposition.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    pub(crate) level: f64,
    pub(crate) growth: f64,
    pub(crate) season: Vec<f64>,
}

impl Ets {
    /// Fits one model of the pool; `None` where the series does not allow it.
    pub(crate) fn fit(y: &[f64], m: usize, form: Form, from: &Start) -> Option<Self> {
        let n = y.len();
        let seasonal = form.season != Season::None;
        let grows = form.trend != Trend::None;
        let damped = form.trend == Trend::Damped;
        let states = 1 + usize::from(grows) + if seasonal { m.max(1) - 1 } else { 0 };
        let searched = 1 + usize::from(grows) + usize::from(damped) + usize::from(seasonal);
        let k = states + searched + 1;
        if n < k + 2 || (seasonal && (m < 2 || n < 2 * m + 1)) {
            return None;
        }
        if form.relative && y.iter().any(|y| *y <= 0.0) {
            return None;
        }
        let mut season = from.season.clone();
        let bounds: Bounds = [
            (1e-4, 0.9999),
            (1e-4, 0.9999),
            if form.is_line() {
                (1.0, 1.0)
            } else {
                (0.8, 0.98)
            },
            (1e-4, 0.9999),
        ];
        let (dims, start): (usize, Point) = match (grows, seasonal) {
            (false, false) => (1, [0.3, 0.0, 0.0, 0.0]),
            (false, true) => (2, [0.3, 0.1, 0.0, 0.0]),
            (true, false) => (3, [0.3, 0.1, 0.95, 0.0]),
            (true, true) => (4, [0.3, 0.1, 0.95, 0.1]),
        };
        let gains = |p: &Point| {
            let [alpha, second, phi, last] = *p;
            match (grows, seasonal) {
                (false, false) => Gains {
                    alpha,
                    beta: 0.0,
                    gamma: 0.0,
                    phi: 0.0,
                },
                (false, true) => Gains {
                    alpha,
                    beta: 0.0,
                    gamma: second * (1.0 - alpha),
                    phi: 0.0,
                },
                (true, _) => Gains {
                    alpha,
                    beta: second * alpha,
                    gamma: last * (1.0 - alpha),
                    phi,
                },
            }
        };
        let mut loss = |p: &Point| {
            season.copy_from_slice(&from.season);
            let g = gains(p);
            let first = backcast(y, form, g, from, &mut season);
            likelihood(&filter(y, form, g, first, &mut season), n, form.relative)
        };
        let steps = 40 * dims + 20;
        let (found, twice) = nelder_mead(dims, start, &bounds, steps, &mut loss);
        if !twice.is_finite() {
            return None;
        }
        let g = gains(&found);
        season.copy_from_slice(&from.season);
        let first = backcast(y, form, g, from, &mut season);
        let before = season.clone();
        let run = filter(y, form, g, first, &mut season);
        let lead = n % season.len().max(1);
        let mut ended = season;
        ended.rotate_left(lead);
        let kf = k as f64;
        let aicc = twice + 2.0 * kf + 2.0 * kf * (kf + 1.0) / (n as f64 - kf - 1.0);
        let freedom = (n as f64 - searched as f64 - 1.0 - f64::from(u8::from(damped))).max(1.0);
        let fitted = Self {
            form,
            alpha: g.alpha,
            beta: g.beta,
            gamma: g.gamma,
            phi: g.phi,
            level: run.level,
            growth: run.growth,
            season: if seasonal { ended } else { Vec::new() },
            start: (first.level, first.growth, before),
            variance: run.squares / freedom,
            aicc,
        };
        (fitted.level.is_finite() && fitted.variance.is_finite()).then_some(fitted)
    }

    /// The forecasts of the next periods from given states.
    #[inline]
    fn path(&self, level: f64, growth: f64, season: impl Fn(usize) -> f64, out: &mut [f64]) {
        let (mut sum, mut weight) = (level, 1.0);
        for (h, out) in out.iter_mut().enumerate() {
            weight *= self.phi;
            sum += weight * growth;
            *out = match self.form.season {
                Season::None => sum,
                Season::Additive => sum + season(h),
                Season::Multiplicative => sum * season(h),
            };
        }
    }

    /// The forecasts of the next periods.
    pub(crate) fn forecast(&self, out: &mut [f64]) {
        let m = self.season.len().max(1);
        self.path(
            self.level,
            self.growth,
            |h| self.season.get(h % m).copied().unwrap_or(0.0),
            out,
        );
    }

    /// The variances of the forecasts of the next periods (Hyndman et al. 2008, chapter 6; class 3 by its approximation).
    pub(crate) fn variances(&self, mean: &[f64], out: &mut [f64]) {
        let m = self.season.len();
        // c_j = α + β(φ + … + φ^j) + γ at whole seasons.
        let weight = |j: usize, seasonal: bool| {
            let damping = match self.form.trend {
                Trend::None => 0.0,
                Trend::Line => j as f64,
                Trend::Damped => self.phi * (1.0 - self.phi.powi(j as i32)) / (1.0 - self.phi),
            };
            let whole = seasonal && m > 0 && j.is_multiple_of(m);
            self.alpha + self.beta * damping + if whole { self.gamma } else { 0.0 }
        };
        if !self.form.relative {
            let mut sum = 1.0;
            for (h, out) in out.iter_mut().enumerate() {
                if h > 0 {
                    let c = weight(h, true);
                    sum += c * c;
                }
                *out = self.variance * sum;
            }
            return;
        }
        // θ_h = μ_h² + σ² Σ c_j² θ_(h−j) on the level without season.
        let mut theta: Vec<f64> = Vec::with_capacity(out.len());
        let weights: Vec<f64> = (0..out.len()).map(|j| weight(j, false)).collect();
        for (h, out) in out.iter_mut().enumerate() {
            let season = match self.form.season {
                Season::Multiplicative => self.season.get(h % m.max(1)).copied().unwrap_or(1.0),
                _ => 1.0,
            };
            let level = mean.get(h).copied().unwrap_or(0.0) / season;
            let past: f64 = theta
                .iter()
                .rev()
                .zip(weights.iter().skip(1))
                .map(|(t, c)| c * c * t)
                .sum();
            let t = level * level + self.variance * past;
            theta.push(t);
            let cycles = h.checked_div(m).unwrap_or(0);
            let wider = (1.0 + self.gamma * self.gamma * self.variance).powi(cycles as i32);
            *out = season * season * (t * (1.0 + self.variance) * wider - level * level);
        }
    }

    /// The errors of forecasts from past origins with the parameters kept: calls `each(origin, errors)` where `errors[h]` is
    /// the value after `h + 1` periods less its forecast from the states after `origin` values.
    pub(crate) fn origins(
        &self,
        y: &[f64],
        m: usize,
        first: usize,
        every: usize,
        horizon: usize,
        mut each: impl FnMut(usize, &[f64]),
    ) {
        let g = Gains {
            alpha: self.alpha,
            beta: self.beta,
            gamma: self.gamma,
            phi: self.phi,
        };
        let mut run = Run {
            level: self.start.0,
            growth: self.start.1,
            squares: 0.0,
            logs: 0.0,
            product: 1.0,
        };
        let m = m.max(1);
        let mut season = self.start.2.clone();
        let mut errors = vec![0.0; horizon];
        let (mut none, every) = (0.0, every.max(1));
        for (t, &value) in y.iter().enumerate() {
            if t >= first && (t - first).is_multiple_of(every) {
                let rest = y.get(t..).unwrap_or_default();
                let told = horizon.min(rest.len());
                let Some(errors) = errors.get_mut(..told) else {
                    break;
                };
                let seasonal = |h: usize| season.get((t + h) % m).copied().unwrap_or(0.0);
                self.path(run.level, run.growth, seasonal, errors);
                for (e, y) in errors.iter_mut().zip(rest) {
                    *e = y - *e;
                }
                each(t, errors);
            }
            let s = season.get_mut(t % m).unwrap_or(&mut none);
            match self.form.season {
                Season::None => step::<NONE>(value, g, &mut run, &mut none),
                Season::Additive => step::<ADD>(value, g, &mut run, s),
                Season::Multiplicative => step::<MUL>(value, g, &mut run, s),
            };
        }
    }
}

/// −2 log likelihood, but for a constant.
fn likelihood(run: &Run, n: usize, relative: bool) -> f64 {
    let n = n as f64;
    let twice = n * (run.squares / n).max(f64::MIN_POSITIVE).ln();
    if relative {
        twice + 2.0 * (run.logs + run.product.ln())
    } else {
        twice
    }
}

/// How many values are run back and forth to find the first states.
const REACH: usize = 4;

/// Finds the states before the first value by backcasting.
fn backcast(y: &[f64], form: Form, g: Gains, from: &Start, season: &mut [f64]) -> Run {
    let begin = Run {
        level: from.level,
        growth: if form.trend != Trend::None {
            from.growth
        } else {
            0.0
        },
        squares: 0.0,
        logs: 0.0,
        product: 1.0,
    };
    let reach = (REACH * season.len()).max(40).min(y.len());
    let near = y.get(..reach).unwrap_or(y);
    let mut run = match form.season {
        Season::None => there_and_back::<NONE>(near, g, begin, season),
        Season::Additive => there_and_back::<ADD>(near, g, begin, season),
        Season::Multiplicative => there_and_back::<MUL>(near, g, begin, season),
    };
    run.squares = 0.0;
    run
}

fn there_and_back<const S: u8>(y: &[f64], g: Gains, from: Run, season: &mut [f64]) -> Run {
    let there = forward::<S, false>(y, g, from, season);
    backward::<S>(y, g, there, season)
}

/// Runs the filter of a form over the values.
fn filter(y: &[f64], form: Form, g: Gains, from: Run, season: &mut [f64]) -> Run {
    match (form.season, form.relative) {
        (Season::None, false) => forward::<NONE, false>(y, g, from, season),
        (Season::None, true) => forward::<NONE, true>(y, g, from, season),
        (Season::Additive, false) => forward::<ADD, false>(y, g, from, season),
        (Season::Additive, true) => forward::<ADD, true>(y, g, from, season),
        (Season::Multiplicative, false) => forward::<MUL, false>(y, g, from, season),
        (Season::Multiplicative, true) => forward::<MUL, true>(y, g, from, season),
    }
}
