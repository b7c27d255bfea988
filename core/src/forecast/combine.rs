//! The forecast of one series before its intervals: the default, and what joins it by the evidence of rolling origins.

use super::model::base::{Base, LONGEST};
use super::model::decomposed::Decomposed;
use super::model::naive::{naive_variance, seasonal_naive};
use super::model::sparse::{croston, tsb};

/// How many past origins the candidates are compared from.
const ORIGINS: usize = 3;

/// How many past origins at most the interval's evidence comes from.
const WINDOWS: usize = 20;

/// How sharply weights follow the errors: a candidate's weight is its mean absolute error to the power −`SHARPNESS`.
const SHARPNESS: f64 = 4.0;

/// What is known of the next periods: the forecast and the parts that its uncertainty is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outlook {
    /// The forecasts.
    pub(crate) mean: Vec<f64>,
    /// The variances by the models' own formulas.
    pub(crate) analytic: Vec<f64>,
    /// The variance between the models.
    pub(crate) between: Vec<f64>,
    /// The mean squared errors from past origins with the parameters kept, and of how many origins.
    pub(crate) past: Vec<(f64, f64)>,
    /// What the forecast is made of, with the share of each.
    pub(crate) models: Vec<(String, f64)>,
}

impl Outlook {
    fn new(horizon: usize) -> Self {
        Self {
            mean: vec![0.0; horizon],
            analytic: vec![0.0; horizon],
            between: vec![0.0; horizon],
            past: vec![(0.0, 0.0); horizon],
            models: Vec::new(),
        }
    }

    /// Adds a share of another outlook.
    fn add(&mut self, share: f64, other: &Self) {
        let each = |to: &mut [f64], from: &[f64]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to += share * from;
            }
        };
        each(&mut self.mean, &other.mean);
        each(&mut self.analytic, &other.analytic);
        each(&mut self.between, &other.between);
        for (to, from) in self.past.iter_mut().zip(&other.past) {
            to.0 += share * from.0;
            to.1 = to.1.max(from.1);
        }
        for (name, part) in &other.models {
            self.models.push((name.clone(), share * part));
        }
    }
}

/// The forecast of a clean series of finite values with the seasons given, ascending.
pub(crate) fn outlook(y: &[f64], seasons: &[usize], horizon: usize) -> Outlook {
    let held = seasons
        .iter()
        .copied()
        .filter(|m| *m > 1 && y.len() > 2 * m);
    let held: Vec<usize> = held.collect();
    let short = seasons.iter().copied().find(|m| *m <= LONGEST).unwrap_or(1);
    if is_sparse(y) {
        return sparse(y, short, horizon);
    }
    let base = || based(&Base::fit(y, short), y.len(), horizon);
    let Some(&longest) = held.last().filter(|m| **m > LONGEST || held.len() > 1) else {
        return base();
    };
    let candidates = [
        Candidate::Base,
        Candidate::Decomposed { logarithmic: false },
        Candidate::Decomposed { logarithmic: true },
        Candidate::Naive,
    ];
    let mut scores = [0.0; 4];
    let step = horizon.min((y.len() - 2 * longest - 1) / ORIGINS);
    let mut forecast = vec![0.0; horizon];
    for i in 1..=ORIGINS {
        let Some((train, test)) = y.split_at_checked(y.len() - i * step) else {
            break;
        };
        let test = test.get(..horizon.min(test.len())).unwrap_or_default();
        for (candidate, score) in candidates.iter().zip(&mut scores) {
            *score += match candidate.quick(train, short, &held, &mut forecast) {
                Some(()) => test.iter().zip(&forecast).map(|(y, f)| (y - f).abs()).sum(),
                None => f64::INFINITY,
            };
        }
    }
    let best = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let weigh = |score: &f64| {
        if best > 0.0 {
            (best / score).powf(SHARPNESS)
        } else {
            f64::from(u8::from(*score == 0.0))
        }
    };
    let mut weights: Vec<f64> = if step == 0 {
        vec![0.5, 0.25, 0.25, 0.0]
    } else {
        scores.iter().map(weigh).collect()
    };
    if let Some(w) = weights.get_mut(2)
        && y.iter().any(|y| *y <= 0.0)
    {
        *w = 0.0;
    }
    let whole: f64 = weights.iter().sum();
    for w in &mut weights {
        if *w < 0.05 * whole || !w.is_finite() {
            *w = 0.0;
        }
    }
    let whole: f64 = weights.iter().sum();
    let mut out = Outlook::new(horizon);
    let mut squares = vec![0.0; horizon];
    for (candidate, weight) in candidates.iter().zip(weights) {
        if weight <= 0.0 {
            continue;
        }
        let share = weight / whole;
        if let Some(part) = candidate.full(y, short, &held, horizon) {
            for (s, f) in squares.iter_mut().zip(&part.mean) {
                *s += share * f * f;
            }
            out.add(share, &part);
        }
    }
    if out.models.is_empty() {
        return base();
    }
    for ((b, s), f) in out.between.iter_mut().zip(squares).zip(&out.mean) {
        *b += (s - f * f).max(0.0);
    }
    out
}

/// What may join.
#[derive(Debug, Clone, Copy)]
enum Candidate {
    Base,
    Decomposed { logarithmic: bool },
    Naive,
}

impl Candidate {
    /// A forecast good enough to compare.
    fn quick(self, y: &[f64], short: usize, seasons: &[usize], out: &mut [f64]) -> Option<()> {
        match self {
            Self::Base => {
                let (mut a, mut b) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                Base::fit(y, short).forecast(out, &mut a, &mut b);
            }
            Self::Decomposed { logarithmic } => {
                let parts = Decomposed::new(y, seasons, logarithmic)?;
                let (mut a, mut b) = (vec![0.0; out.len()], vec![0.0; out.len()]);
                Base::fit(&parts.plain, 1).forecast(out, &mut a, &mut b);
                parts.put_back(out);
            }
            Self::Naive => seasonal_naive(y, *seasons.last()?, out),
        }
        Some(())
    }

    fn full(self, y: &[f64], short: usize, seasons: &[usize], horizon: usize) -> Option<Outlook> {
        match self {
            Self::Base => Some(based(&Base::fit(y, short), y.len(), horizon)),
            Self::Decomposed { logarithmic } => {
                let parts = Decomposed::new(y, seasons, logarithmic)?;
                let mut out = based(&Base::fit(&parts.plain, 1), y.len(), horizon);
                parts.put_back(&mut out.mean);
                if logarithmic {
                    // A small error of a logarithm is a relative error of the value.
                    for (h, f) in out.mean.iter().enumerate() {
                        let scale = f * f;
                        for part in [&mut out.analytic, &mut out.between] {
                            part.get_mut(h).into_iter().for_each(|v| *v *= scale);
                        }
                        out.past.get_mut(h).into_iter().for_each(|v| v.0 *= scale);
                    }
                }
                for (name, _) in &mut out.models {
                    *name = format!("MSTL+{name}");
                }
                Some(out)
            }
            Self::Naive => {
                let m = *seasons.last()?;
                let mut out = Outlook::new(horizon);
                seasonal_naive(y, m, &mut out.mean);
                let one = naive_variance(y, m);
                for (h, v) in out.analytic.iter_mut().enumerate() {
                    *v = one * (h / m + 1) as f64;
                }
                out.past = out.analytic.iter().map(|v| (*v, 1.0)).collect();
                out.models.push(("SeasonalNaive".to_owned(), 1.0));
                Some(out)
            }
        }
    }
}

/// The outlook of the default alone.
fn based(base: &Base, n: usize, horizon: usize) -> Outlook {
    let mut out = Outlook::new(horizon);
    base.forecast(&mut out.mean, &mut out.analytic, &mut out.between);
    let first = (n / 2).max(3);
    let every = (n.saturating_sub(first) / WINDOWS).max(1);
    for row in base.origins(first, every, horizon).chunks(horizon.max(1)) {
        for (past, e) in out.past.iter_mut().zip(row) {
            if e.is_finite() {
                past.0 += e * e;
                past.1 += 1.0;
            }
        }
    }
    for past in &mut out.past {
        past.0 /= past.1.max(1.0);
    }
    for (name, share) in base.names() {
        out.models.push((name.to_owned(), share));
    }
    out
}

/// Whether a series is of sparse demand: never negative, and nothing in four periods of ten.
fn is_sparse(y: &[f64]) -> bool {
    let zeros = y.iter().filter(|y| **y == 0.0).count();
    y.len() >= 10 && zeros < y.len() && 10 * zeros >= 4 * y.len() && y.iter().all(|y| *y >= 0.0)
}

/// The forecast of sparse demand: the default, TSB and Croston, weighted by how well they foretold the sum of a horizon.
fn sparse(y: &[f64], short: usize, horizon: usize) -> Outlook {
    const GAINS: [f64; 4] = [0.05, 0.1, 0.2, 0.3];
    let squares = |size: f64, chance: f64| {
        let mut sum = 0.0;
        tsb(y, size, chance, |f, y| sum += (y - f) * (y - f));
        sum
    };
    let mut best = (f64::INFINITY, 0.1, 0.1);
    for size in GAINS {
        for chance in GAINS {
            let sum = squares(size, chance);
            if sum < best.0 {
                best = (sum, size, chance);
            }
        }
    }
    let (sum, size, chance) = best;
    let flats = |y: &[f64]| {
        [
            tsb(y, size, chance, |_, _| {}),
            croston(y, 0.1).unwrap_or(0.0),
        ]
    };
    let mut scores = [0.0; 3];
    let step = horizon.min(y.len() / (2 * ORIGINS)).max(1);
    for i in 1..=ORIGINS {
        let Some((train, test)) = y.split_at_checked(y.len() - i * step) else {
            break;
        };
        let test = test.get(..step).unwrap_or(test);
        let came: f64 = test.iter().sum();
        let first = based(&Base::fit(train, short), train.len(), test.len());
        let flat = flats(train).map(|f| f * test.len() as f64);
        let said = [first.mean.iter().sum(), flat[0], flat[1]];
        for (score, said) in scores.iter_mut().zip(said) {
            *score += (came - said) * (came - said);
        }
    }
    let mean_square = sum / y.len() as f64;
    let shares = scores.map(|score| 1.0 / (score + 0.1 * mean_square + f64::MIN_POSITIVE));
    let whole: f64 = shares.iter().sum();
    let [first, second, third] = shares.map(|share| share / whole);
    let mut out = Outlook::new(horizon);
    out.add(first, &based(&Base::fit(y, short), y.len(), horizon));
    for ((share, name), flat) in [(second, "TSB"), (third, "Croston")]
        .into_iter()
        .zip(flats(y))
    {
        let mut part = Outlook::new(horizon);
        part.mean.fill(flat);
        part.analytic.fill(mean_square);
        part.past.fill((mean_square, y.len() as f64));
        part.models.push((name.to_owned(), 1.0));
        out.add(share, &part);
    }
    out
}
