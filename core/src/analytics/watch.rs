//! Whether the real-time figures are as usual, kept up in the background so that whoever asks for them waits for nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::Analytics;
use super::anomaly::{LATENESS, MINUTE, buckets_of};
use crate::anomaly::{self, Metered, Metric, Settings, Standing, Status, Watch};
use crate::error::Result;
use crate::events::Catalogue;
use crate::query::{Instant, Zone};
use crate::realtime::{Anomaly, AnomalyStatus, Expected};

/// The lengths of buckets of the windows that there are.
const STEPS: [i64; 3] = [MINUTE, 5 * MINUTE, 15 * MINUTE];

const DAY: i64 = 24 * 60 * MINUTE;

/// What was said of each metric last, by its name and the length of the bucket.
type Said = HashMap<(&'static str, i64), Anomaly>;

/// The detectors of a store, and what they said last.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// Held by whoever brings them up to date.
    kept: Mutex<Option<Kept>>,
    said: RwLock<Arc<Said>>,
}

impl Watched {
    /// What was said of each metric last.
    pub(super) fn said(&self) -> Arc<Said> {
        Arc::clone(&self.said.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The detectors of all metrics, and what they learned from.
#[derive(Debug)]
struct Kept {
    from: Learned,
    rows: Vec<Row>,
}

/// Where it is another, what is usual is learned anew: where events were imported from before all others or mean something else,
/// and once a day, so that what came late, was erased, or belongs to somebody else now is counted as it is.
#[derive(Debug, PartialEq)]
struct Learned {
    catalogue: Arc<Catalogue>,
    first: i64,
    day: i64,
}

/// All metrics in buckets of one length, up to the same instant.
#[derive(Debug)]
struct Row {
    step: i64,
    next: i64,
    watches: Vec<(Metric, Watch)>,
}

impl Kept {
    fn new(from: Learned, now: Instant) -> Self {
        let rows = STEPS.map(|step| {
            // Where those begin that judge history, so that both say the same.
            let begin = from.first.max(anomaly::begins(now, step));
            Row {
                step,
                next: begin.div_euclid(step) * step,
                watches: Metric::ALL
                    .map(|(_, metric)| {
                        let settings = Settings::new(metric.measure(), step);
                        (metric, Watch::new(settings))
                    })
                    .into(),
            }
        });
        Self {
            from,
            rows: rows.into(),
        }
    }

    fn said(&self) -> Said {
        let each = self.rows.iter().flat_map(|row| {
            let said = row.watches.iter().filter_map(|(metric, watch)| {
                let said = told(watch.last()?, row.step);
                Some(((metric.name(), row.step), said))
            });
            said.collect::<Vec<_>>()
        });
        each.collect()
    }
}

impl Analytics {
    /// Judges whether the real-time figures are as they usually are at this hour of the week, up to the last bucket that is complete,
    /// for `realtime` to tell: whoever serves many can do so once a minute, and nobody has to wait for it. The first time the six weeks
    /// before this one are learned from, and so once a day.
    ///
    /// # Errors
    /// Whatever reading the store raises. A figure that has no value, as revenue without a rate, is not judged.
    pub fn judge_realtime(&self) -> Result<()> {
        let mut kept = (self.watched.kept.lock()).unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        let Some(first) = self.warehouse.head()?.first else {
            return Ok(());
        };
        let learned = Learned {
            catalogue: self.known_catalogue()?,
            first,
            day: now.micros().div_euclid(DAY),
        };
        let mut standing = match kept.take() {
            Some(known) if known.from == learned => known,
            _ => Kept::new(learned, now),
        };
        let catalogue = &standing.from.catalogue;
        let judged = standing.rows.iter_mut().try_for_each(|row| {
            self.stop().check()?;
            self.judge(catalogue, row, now)
        });
        let said = Arc::new(standing.said());
        *(self.watched.said.write()).unwrap_or_else(PoisonError::into_inner) = said;
        // Where one failed, the others are not learned anew.
        *kept = Some(standing);
        judged
    }

    /// Takes the buckets in that have been completed since.
    fn judge(&self, catalogue: &Catalogue, row: &mut Row, now: Instant) -> Result<()> {
        let late = LATENESS.micros();
        let complete = (now.micros() - late - row.next).div_euclid(row.step);
        let Some(count) = usize::try_from(complete).ok().filter(|count| *count > 0) else {
            return Ok(());
        };
        let from = Instant::saturating_from_micros(row.next);
        let buckets = buckets_of(catalogue, (from, row.step, count), now);
        let (counted, _) = self.bucketed(&buckets, true)?;
        for (metric, watch) in &mut row.watches {
            let base = &catalogue.base_currency;
            match Metered::of(*metric, &buckets, &counted, base, Zone::default()) {
                Ok(metered) => watch.take(&metered, now, late),
                Err(error) if error.code() == "missing_rate" => {}
                Err(error) => return Err(error),
            }
        }
        row.next = row.next.saturating_add(complete * row.step);
        Ok(())
    }
}

fn told(standing: &Standing, step: i64) -> Anomaly {
    let judged = &standing.judgement;
    let finding = standing.finding.as_ref();
    Anomaly {
        status: match judged.status {
            _ if finding.is_some() => AnomalyStatus::Unusual,
            Status::Learning => AnomalyStatus::Learning,
            Status::TooFew => AnomalyStatus::TooFew,
            Status::Judged | Status::Seen => AnomalyStatus::Normal,
        },
        at: standing.at,
        step: u32::try_from(step / 1_000_000).unwrap_or(u32::MAX),
        expected: judged.expected,
        interval: judged.interval.map(|i| Expected {
            low: i.low,
            high: i.high,
        }),
        severity: finding.map(|f| f.severity.name()),
        direction: finding.map(|f| f.direction.name()),
        since: finding.map(|f| f.since),
    }
}
