//! What is known of a user at a cut-off, from the days strictly before it (S7).

use super::bgnbd::{BgNbd, Visits};
use super::history::Day;
use super::reason::Trait;

/// How many features there are.
pub(super) const FEATURES: usize = 10;

/// The features of one user at one cut-off.
pub(super) type Row = [f64; FEATURES];

/// What each feature tells of.
pub(super) const TRAITS: [Trait; FEATURES] = [
    Trait::Recency,
    Trait::Tenure,
    Trait::Frequency,
    Trait::Frequency,
    Trait::Frequency,
    Trait::Frequency,
    Trait::Frequency,
    Trait::Frequency,
    Trait::Intensity,
    Trait::Value,
];

/// The figures of a user that features are made of and reasons speak of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Figures {
    /// Days of activity as the BG/NBD model sees them, in days.
    pub(super) visits: Visits,
    /// Days since the last activity.
    pub(super) recency: f64,
    /// Active days in the last horizon.
    pub(super) lately: f64,
    /// Active days expected in the next horizon; none where no model could be fitted.
    pub(super) expected: Option<f64>,
    /// Events of an active day.
    pub(super) events: f64,
    /// What an active day was worth.
    pub(super) amount: f64,
}

/// The visits that the BG/NBD model sees before the cut-off so many days back: days of activity.
pub(super) fn visits(days: &[Day], cut: u32) -> Visits {
    let (first, last) = match (days.first(), days.last()) {
        (Some(first), Some(last)) => (first.ago, last.ago),
        _ => (cut, cut),
    };
    Visits {
        repeats: days.len().saturating_sub(1) as f64,
        last: f64::from(first - last),
        known: f64::from(first - cut),
    }
}

fn active_within(days: &[Day], cut: u32, days_back: u32) -> f64 {
    let from = days.partition_point(|d| d.ago >= cut.saturating_add(days_back));
    (days.len() - from) as f64
}

impl Figures {
    /// Those of a user at the cut-off so many days back, from the days strictly before it.
    pub(super) fn of(days: &[Day], cut: u32, horizon: u32, model: Option<&BgNbd>) -> Self {
        let visits = visits(days, cut);
        let n = days.len().max(1) as f64;
        Self {
            visits,
            recency: visits.known - visits.last,
            lately: active_within(days, cut, horizon),
            expected: model.map(|m| m.expected(&visits, f64::from(horizon))),
            events: days.iter().map(|d| f64::from(d.events)).sum::<f64>() / n,
            amount: days.iter().map(|d| d.amount).sum::<f64>() / n,
        }
    }

    /// The features, most of them logarithms, since what counts is by which factor a figure differs.
    pub(super) fn row(&self, days: &[Day], cut: u32, horizon: u32) -> Row {
        let ln = libm::log1p;
        let h = f64::from(horizon);
        let repeats = self.visits.repeats;
        let once = repeats == 0.0;
        // How long ago the last activity is, in the user's own rhythm; who came once has none, and is measured by the horizon.
        let gap = if once { h } else { self.visits.last / repeats };
        [
            ln(self.recency) - ln(gap),
            ln(self.visits.known),
            ln(repeats),
            f64::from(u8::from(once)),
            ln(active_within(days, cut, horizon.div_ceil(3))),
            ln(self.lately),
            ln(active_within(days, cut, horizon.saturating_mul(3))),
            self.expected.map_or(0.0, |e| libm::log(e.max(1e-6))),
            ln(self.events),
            ln(self.amount.max(0.0)),
        ]
    }
}
