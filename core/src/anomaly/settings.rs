//! What a detector is told: what it measures, in buckets how long, and how often it may be wrong.

/// What the values of a series are, which says how much chance alone moves them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// How many: never below 0, and moved by chance at least as independent arrivals are.
    #[default]
    Count,
    /// How many of how many.
    Share,
    /// A sum of amounts, such as money: moved by chance at least as independent amounts are.
    Amount,
}

/// What a detector is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// What the values are.
    pub measure: Measure,
    /// The length of a bucket in microseconds.
    pub step: i64,
    /// How many false alarms a week are put up with, on average; 0.25 by default, so that what chance does beyond the model
    /// stays below one.
    pub alarms_a_week: f64,
    /// The least change, as a share of what was expected, that is worth telling; 0.15 by default.
    pub least_change: f64,
    /// The least that must be expected, or come, of a stretch before it is judged: events for counts, both hits and misses for
    /// shares, amounts of the size that most money comes in; 20 by default.
    pub least_volume: f64,
}

pub(super) const MINUTE: i64 = 60_000_000;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
pub(super) const WEEK: i64 = 7 * DAY;

impl Settings {
    /// The defaults for buckets of so many microseconds, at least one.
    pub fn new(measure: Measure, step: i64) -> Self {
        Self {
            measure,
            step: step.max(1),
            alarms_a_week: 0.25,
            least_change: 0.15,
            least_volume: 20.0,
        }
    }

    /// How many buckets an average run of chance takes until it raises an alarm of one direction.
    pub(super) fn patience(&self) -> f64 {
        let buckets = WEEK as f64 / self.step as f64;
        (2.0 * buckets / self.alarms_a_week.max(1e-6)).max(20.0)
    }

    /// How many buckets a place of the week has.
    pub(super) fn places(&self) -> f64 {
        (HOUR as f64 / self.step as f64).max(1.0)
    }

    /// Whether a bucket is so long that one alone has to be judged.
    pub(super) fn coarse(&self) -> bool {
        self.step >= 10 * MINUTE
    }
}
