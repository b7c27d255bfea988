//! One metric judged as its buckets come in, from where it stood before.

use super::detector::{Detector, Judgement};
use super::finding::Finding;
use super::scan;
use super::series::Metered;
use super::settings::Settings;
use crate::query::Instant;

/// A detector of a metric, and what it said last.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    detector: Option<Detector>,
    last: Option<Standing>,
}

/// Where a metric stands: what became of the last bucket that was looked at, in the metric's unit.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    /// The start of that bucket.
    pub(crate) at: Instant,
    pub(crate) judgement: Judgement,
    /// What is not as usual now.
    pub(crate) finding: Option<Finding>,
}

impl Watch {
    /// Knows nothing yet.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            detector: Some(Detector::new(settings)),
            last: None,
        }
    }

    /// Where it stands; nothing before the first bucket with a value.
    pub(crate) fn last(&self) -> Option<&Standing> {
        self.last.as_ref()
    }

    /// Takes the buckets in that follow on those before and are complete at `as_of`, `lateness` microseconds after their end.
    pub(crate) fn take(&mut self, metered: &Metered, as_of: Instant, lateness: i64) {
        let Some(detector) = self.detector.take() else {
            return;
        };
        let step = detector.settings().step;
        let scanned = scan::go_on(detector, &metered.series, as_of, lateness);
        let judged = scanned.judged.iter().enumerate();
        let last = judged.rev().find_map(|(at, j)| Some((at, j.as_ref()?)));
        if let Some((at, judgement)) = last {
            let (_, of) = (metered.series.values.get(at).copied().flatten()).unwrap_or((0.0, 1.0));
            let after = step.saturating_mul(at as i64);
            self.last = Some(Standing {
                at: Instant::saturating_from_micros(metered.series.start.micros() + after),
                judgement: metered.told(judgement.clone(), of),
                finding: (scanned.detector.finding().cloned()).map(|f| metered.scaled(f)),
            });
        }
        self.detector = Some(scanned.detector);
    }
}
