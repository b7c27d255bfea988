//! What was found: what was expected, what came, since when, and how much it is to be believed.

use serde::Serialize;

use crate::query::Instant;

/// Which way a series went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More than expected.
    Up,
    /// Less than expected.
    Down,
}

/// What sort of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One bucket beyond what is usual.
    Point,
    /// A stretch that deviates the same way.
    Burst,
    /// A stretch that went on for so long that it is the new normal: expectations follow it from then on. One that no bucket told
    /// is found by its days, and begins with the first of them.
    LevelShift,
    /// Growth that is not what it was, since the day from which it differs; where a step explains the days better, there is none.
    TrendChange,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Less than 30 % off.
    Minor,
    /// At least 30 % off.
    Major,
    /// At least 60 % off.
    Critical,
}

/// What is expected of nineteen in twenty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Something that is not as it usually is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What sort it is.
    pub shape: Shape,
    /// Which way.
    pub direction: Direction,
    /// How bad it is at its worst.
    pub severity: Severity,
    /// The start of the first bucket that deviates.
    pub since: Instant,
    /// The start of the bucket in which it was found.
    pub found_at: Instant,
    /// The start of the first bucket that is as usual again; nothing while it lasts.
    pub until: Option<Instant>,
    /// What was expected of an average bucket from `since` on until it was found.
    pub expected: f64,
    /// The 95 % interval of that average bucket.
    pub interval: Interval,
    /// What came instead.
    pub observed: f64,
    /// `observed` less `expected`, of `expected`; nothing where nothing was expected.
    pub change: Option<f64>,
    /// How many robust standard deviations the stretch is off; nothing where the series never varies (S4).
    pub score: Option<f64>,
    /// How likely chance alone does this at a given moment; nothing where there is no score.
    pub p_value: Option<f64>,
}

impl Direction {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// How bad a change by this share is.
    pub(super) fn of(change: Option<f64>) -> Self {
        match change.map(f64::abs) {
            None => Self::Major,
            Some(by) if by >= 0.6 => Self::Critical,
            Some(by) if by >= 0.3 => Self::Major,
            Some(_) => Self::Minor,
        }
    }
}
