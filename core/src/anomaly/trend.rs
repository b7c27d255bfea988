//! Four weeks of days: whether their level made a step, or their growth is not what it was.

/// How many days each half has.
const HALF: usize = 14;

/// A change has to be off by so many standard errors to be told.
const SURE: f64 = 5.0;

/// And growth by so much in a week.
const WEEKLY: f64 = 0.05;

/// A bend has to explain the days so many times as well as a step, as a logarithm: few days after a step look like either.
const CLEAR: f64 = 3.0;

/// So many days have to be known before a change, and after a step and a bend.
const BEFORE: usize = 7;
const AFTER: (usize, usize) = (3, 6);

/// What no residual is below: that of rounding.
const ROUND: f64 = 1e-5;

/// How much an average bucket of each day had, had it been an average day of its week, as a logarithm: growth is a straight line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Days {
    /// The newest last; not a number for a day without an answer.
    pub(super) values: [f32; 2 * HALF],
    /// The number of the newest since 1970.
    pub(super) last: i64,
}

/// What sort of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// The level is another.
    Step,
    /// Growth is another.
    Bend,
}

/// A change within the days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) sort: Sort,
    /// The number of its first day since 1970.
    pub(super) day: i64,
    /// What an average bucket since then would have had without it.
    pub(super) expected: f64,
    /// What it had.
    pub(super) observed: f64,
    /// One standard error of `expected`, as a logarithm.
    pub(super) error: f64,
    /// By how much the last day is off, as a logarithm.
    pub(super) size: f64,
    /// How many standard errors it is.
    pub(super) score: f64,
}

impl Days {
    pub(super) fn new() -> Self {
        Self {
            values: [f32::NAN; 2 * HALF],
            last: i64::MIN,
        }
    }

    /// Remembers what a day came to; days between that and the last have no answer.
    pub(super) fn push(&mut self, day: i64, level: f64) {
        let missed = day.saturating_sub(self.last).clamp(1, 2 * HALF as i64);
        for _ in 0..missed {
            self.values.rotate_left(1);
            if let Some(last) = self.values.last_mut() {
                *last = f32::NAN;
            }
        }
        if let Some(last) = self.values.last_mut().filter(|_| level > 0.0) {
            *last = level.ln() as f32;
        }
        self.last = day;
    }

    pub(super) fn forget(&mut self) {
        self.values = [f32::NAN; 2 * HALF];
    }

    /// Forgets what was before a day.
    pub(super) fn forget_before(&mut self, day: i64) {
        let first = self.last - (2 * HALF as i64 - 1);
        for (value, number) in self.values.iter_mut().zip(first..) {
            if number < day {
                *value = f32::NAN;
            }
        }
    }

    /// A step of at least this share, or growth that is not what it was, whichever says more about the days; nothing where too few
    /// are known, or nothing changed by enough.
    pub(super) fn change(&self, least: f64) -> Option<Change> {
        let known: Vec<(f64, f64)> = (self.values.iter().enumerate())
            .filter(|(_, value)| !value.is_nan())
            .map(|(day, value)| (day as f64, f64::from(*value)))
            .collect();
        let line = Straight::of(&known)?;
        let step = line.best(AFTER.0, |_| 1.0)?;
        // Half of what a day of changed growth brings is there on average on the first.
        let bend = line.best(AFTER.1, |days| days + 0.5)?;
        if step.residue <= bend.residue {
            let score = step.size / step.error;
            let enough = step.size.exp_m1().abs() >= least && score.abs() >= SURE;
            return enough.then(|| self.told(Sort::Step, &step, &known, score));
        }
        let better = 0.5 * known.len() as f64 * (step.residue / bend.residue).ln();
        if better < CLEAR {
            return None;
        }
        let score = self.bend()?;
        let enough =
            score.abs() >= SURE && 7.0 * bend.size.abs() >= WEEKLY && score * bend.size > 0.0;
        enough.then(|| self.told(Sort::Bend, &bend, &known, score))
    }

    /// By how many standard errors growth in the second half differs from growth in the first, by the medians of the slopes of all
    /// pairs of days (P. K. Sen, 1968); nothing where a half misses days.
    fn bend(&self) -> Option<f64> {
        let (first, second) = self.values.split_at(HALF);
        let (before, rest) = (line(first)?, line(second)?);
        let residual = f64::midpoint(before.spread, rest.spread).max(ROUND);
        // The standard error of a slope over n days is σ √(12 / n³), and two are compared.
        let error = residual * (24.0 / (HALF * HALF * HALF) as f64).sqrt();
        Some((rest.slope - before.slope) / error)
    }

    fn told(&self, sort: Sort, fit: &Fit, known: &[(f64, f64)], score: f64) -> Change {
        let by = |day: f64| match sort {
            Sort::Step => 1.0,
            Sort::Bend => day - fit.from + 0.5,
        };
        let since = || known.iter().filter(|(day, _)| *day >= fit.from);
        let count = since().count().max(1) as f64;
        let mean =
            |of: &dyn Fn(f64, f64) -> f64| since().map(|(x, y)| of(*x, *y)).sum::<f64>() / count;
        let end = (2 * HALF - 1) as f64;
        Change {
            sort,
            day: self.last - (end - fit.from) as i64,
            expected: mean(&|day, _| fit.without(day).exp()),
            observed: mean(&|_, value| value.exp()),
            error: fit.error * mean(&|day, _| by(day)),
            size: fit.size * by(end),
            score,
        }
    }
}

/// A straight line through days by least squares.
struct Straight<'a> {
    known: &'a [(f64, f64)],
    /// The middle of the days, and the line's value there.
    middle: (f64, f64),
    slope: f64,
    /// How far the days lie from their middle, as squares added up.
    width: f64,
    /// What the line leaves of each day.
    left: Vec<f64>,
}

/// What is added to a straight line from a day on.
struct Fit {
    from: f64,
    /// How much.
    size: f64,
    /// The standard error of that.
    error: f64,
    /// The squares of what remains, added up.
    residue: f64,
    /// The line without the addition: its value on day 0, and its slope.
    line: (f64, f64),
}

impl<'a> Straight<'a> {
    fn of(known: &'a [(f64, f64)]) -> Option<Self> {
        let count = (known.len() > BEFORE).then_some(known.len() as f64)?;
        let sums = known.iter().fold((0.0, 0.0), |a, p| (a.0 + p.0, a.1 + p.1));
        let middle = (sums.0 / count, sums.1 / count);
        let width: f64 = known.iter().map(|p| (p.0 - middle.0).powi(2)).sum();
        let both: f64 = known.iter().map(|p| (p.0 - middle.0) * p.1).sum();
        let slope = both / width;
        let left = known
            .iter()
            .map(|p| p.1 - middle.1 - slope * (p.0 - middle.0));
        Some(Self {
            left: left.collect(),
            known,
            middle,
            slope,
            width,
        })
    }

    /// The addition from whichever day leaves the least; `shape` is what it is so many days after its first.
    fn best(&self, after: usize, shape: impl Fn(f64) -> f64) -> Option<Fit> {
        let last = self.known.len().checked_sub(after)?;
        let fits = (BEFORE..=last).filter_map(|at| self.with(at, &shape));
        fits.min_by(|a, b| a.residue.total_cmp(&b.residue))
    }

    /// The addition from the day at a place on. Both the days and the shape are taken as they are off their straight lines.
    fn with(&self, at: usize, shape: &impl Fn(f64) -> f64) -> Option<Fit> {
        let from = self.known.get(at)?.0;
        let (mut sum, mut squares, mut tilt, mut both) = (0.0, 0.0, 0.0, 0.0);
        for ((day, _), left) in self.known.iter().zip(&self.left).skip(at) {
            let added = shape(day - from);
            sum += added;
            squares += added * added;
            tilt += added * (day - self.middle.0);
            both += added * left;
        }
        let (mean, tilt) = (sum / self.known.len() as f64, tilt / self.width);
        let own = squares - sum * mean - tilt * tilt * self.width;
        let size = both / own;
        let all: f64 = self.left.iter().map(|left| left * left).sum();
        let residue = (all - size * both).max(0.0);
        let free = self.known.len().saturating_sub(4).max(1) as f64;
        let slope = self.slope - size * tilt;
        Some(Fit {
            from,
            size,
            error: (residue / free).sqrt().max(ROUND) / own.sqrt(),
            residue: residue.max(free * ROUND * ROUND),
            line: (self.middle.1 - size * mean - slope * self.middle.0, slope),
        })
    }
}

impl Fit {
    /// What a day would have had without the addition.
    fn without(&self, day: f64) -> f64 {
        self.line.0 + self.line.1 * day
    }
}

struct Line {
    slope: f64,
    spread: f64,
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
        spread: 1.482_6 * median(&mut away)?,
    })
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let (low, high) = (values.get(n.checked_sub(1)? / 2)?, values.get(n / 2)?);
    Some(f64::midpoint(*low, *high))
}
