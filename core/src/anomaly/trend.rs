//! Growth that is not what it was: the last two weeks of days against the two before.

/// How many days each half has.
const HALF: usize = 14;

/// How much was there each day, of an average day of that weekday, newest last; not a number for a day without an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Days {
    pub(super) values: [f32; 2 * HALF],
}

/// A change of growth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bend {
    /// What the last day would have come to, had growth gone on as it was.
    pub(super) expected: f64,
    /// What it came to on the line through the last two weeks.
    pub(super) observed: f64,
    /// How many standard errors the two slopes differ by.
    pub(super) score: f64,
}

impl Days {
    pub(super) fn new() -> Self {
        Self {
            values: [f32::NAN; 2 * HALF],
        }
    }

    pub(super) fn push(&mut self, value: f64) {
        self.values.rotate_left(1);
        if let Some(last) = self.values.last_mut() {
            *last = value as f32;
        }
    }

    /// Whether growth in the second half differs from growth in the first, by the medians of the slopes of all pairs of days
    /// (P. K. Sen, 1968); nothing where a half misses days or nothing varies.
    pub(super) fn bend(&self) -> Option<Bend> {
        let (first, second) = self.values.split_at(HALF);
        let (before, rest) = (line(first)?, line(second)?);
        let residual = f64::midpoint(before.spread, rest.spread).max(1e-6);
        // The standard error of a slope over n days is σ √(12 / n³), and two are compared.
        let error = residual * (24.0 / (HALF * HALF * HALF) as f64).sqrt();
        let end = (2 * HALF - 1) as f64;
        Some(Bend {
            expected: before.at(end),
            observed: rest.at(end - HALF as f64),
            score: (rest.slope - before.slope) / error,
        })
    }
}

struct Line {
    slope: f64,
    start: f64,
    spread: f64,
}

impl Line {
    fn at(&self, day: f64) -> f64 {
        self.start + self.slope * day
    }
}

fn line(days: &[f32]) -> Option<Line> {
    let known: Vec<(f64, f64)> = days
        .iter()
        .enumerate()
        .filter(|(_, v)| !v.is_nan())
        .map(|(i, v)| (i as f64, f64::from(*v)))
        .collect();
    if known.len() < HALF - 2 {
        return None;
    }
    let mut slopes: Vec<f64> = Vec::with_capacity(known.len() * known.len() / 2);
    for (i, a) in known.iter().enumerate() {
        slopes.extend(known.iter().skip(i + 1).map(|b| (b.1 - a.1) / (b.0 - a.0)));
    }
    let slope = median(&mut slopes)?;
    let mut starts: Vec<f64> = known.iter().map(|(x, y)| y - slope * x).collect();
    let start = median(&mut starts)?;
    let mut away: Vec<f64> = known
        .iter()
        .map(|(x, y)| (y - slope * x - start).abs())
        .collect();
    Some(Line {
        slope,
        start,
        spread: 1.482_6 * median(&mut away)?,
    })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let (low, high) = (values.get(n.checked_sub(1)? / 2)?, values.get(n / 2)?);
    Some(f64::midpoint(*low, *high))
}
