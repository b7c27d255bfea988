//! Whether a figure is as it usually is at its hour of the week, as a detector said that was kept up in the background.

use serde::Serialize;

use crate::query::Instant;

/// Whether a figure is as it usually is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Anomaly {
    /// Whether it is.
    pub status: AnomalyStatus,
    /// The start of the last bucket that was looked at, which was complete.
    pub at: Instant,
    /// How long a bucket is, in seconds: a minute for windows up to 5 minutes, 5 for those up to 15, and 15 for longer ones.
    pub step: u32,
    /// What was expected of that bucket; null while it is not known.
    pub expected: Option<f64>,
    /// The 95 % interval of that; null where the figure never varies.
    pub interval: Option<Expected>,
    /// How bad it is at its worst, where it is unusual: `minor`, `major`, `critical`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    /// Which way, where it is unusual: `up`, `down`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<&'static str>,
    /// The start of the first bucket that deviates, where it is unusual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Instant>,
}

/// Whether a figure is as it usually is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyStatus {
    /// Too little is known yet: it takes two weeks.
    Learning,
    /// Too little is expected to tell.
    TooFew,
    /// It is.
    Normal,
    /// It is not, now.
    Unusual,
}

/// What is expected of nineteen in twenty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}
