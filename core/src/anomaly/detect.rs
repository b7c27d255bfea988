//! What was not as usual in series of one's own: a table of `unique_id`, `ds` and `y`, read as forecasts read it.

use serde_json::Value;

use super::question::between;
use super::scan::{Series, scan};
use super::settings::{DAY, Measure, Settings, WEEK};
use super::told::{self, Detected, DetectionAnswer, Judged};
use crate::error::Result;
use crate::forecast::{Form, Frame, Frequency, Kind, Past, Table, Watch};
use crate::query::fields::Fields;
use crate::query::{Instant, Zone};

/// Values that are no counts are sums of so small pieces, of the size of the series, that chance among those is nothing.
const FINE: f64 = 1e-6;

/// Series of one's own, and how they are judged.
///
/// Minutes and hours are compared with the same hour of the last four weeks, days with the same weekday of the last eight weeks; a series
/// of weeks or longer periods, and one over whole numbers, has no rhythm that is known, and each of its periods is compared with the
/// median of the 26 before.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    table: Table,
    tuning: Tuning,
}

/// How often it may be wrong, and what is worth telling.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Tuning {
    alarms_a_week: f64,
    least_change: f64,
    /// In the unit of the values; that of `Settings` for counts, and nothing for others, where not given.
    least_volume: Option<f64>,
}

impl Tuning {
    fn read(fields: &mut Fields<'_>) -> Self {
        let usual = Settings::new(Measure::Count, DAY);
        Self {
            alarms_a_week: fields
                .optional("alarmsPerWeek", between(0.001, 100.0))
                .unwrap_or(usual.alarms_a_week),
            least_change: fields
                .optional("minChange", between(0.01, 10.0))
                .unwrap_or(usual.least_change),
            least_volume: fields.optional("minVolume", between(0.0, 1e9)),
        }
    }
}

impl Detection {
    /// Reads a table in its JSON form: the columns `uniqueId` (one series where absent), `ds` (ISO 8601 dates or times, or integers)
    /// and `y` (numbers, null for missing), all of one length; and the options `freq`, `gaps`, `kind`, `asOf` of forecasts, and
    /// `alarmsPerWeek`, `minChange` and `minVolume`. `idCol` and `timeCol` are what the columns of the answer's table are called.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once, as [`Table::parse`].
    pub fn parse(question: &Value) -> Result<Self> {
        let (table, tuning) = Table::parse_past(question, Tuning::read)?;
        Ok(Self { table, tuning })
    }

    /// Reads a table of Arrow batches, as [`Table::read`].
    ///
    /// # Errors
    /// As there.
    pub fn read(frame: Frame, question: &Value) -> Result<Self> {
        let (table, tuning) = Table::read_past(frame, question, Tuning::read)?;
        Ok(Self { table, tuning })
    }

    /// Judges every complete period of all series.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn detect(&self) -> Result<DetectionAnswer> {
        self.detect_watched(&|_| true)
    }

    /// `detect`, telling how far it is: the share of the series that is done. `false` from `watch` gives it up.
    ///
    /// # Errors
    /// `cancelled` where it was given up.
    pub fn detect_watched(&self, watch: Watch<'_>) -> Result<DetectionAnswer> {
        let form = &self.table.form;
        let judge = |past| judge(past, form, self.tuning);
        let series = self.table.each_past(watch, judge)?;
        Ok(DetectionAnswer {
            series,
            form: form.clone(),
        })
    }
}

/// How a series is handed to a detector, and what it says is read back.
#[derive(Debug, Clone, Copy)]
struct Scale {
    measure: Measure,
    /// What is added to every value.
    lift: f64,
    /// What one hit is.
    piece: f64,
}

impl Scale {
    fn of(kind: Kind, values: impl Iterator<Item = f64>) -> Self {
        if kind == Kind::Count {
            return Self {
                measure: Measure::Count,
                lift: 0.0,
                piece: 1.0,
            };
        }
        let mut known: Vec<f64> = values.filter(|v| v.is_finite()).collect();
        known.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (share * known.len().saturating_sub(1) as f64).round() as usize;
            known.get(place).copied().unwrap_or_default()
        };
        let lift = match kind {
            // Its zero means nothing: it is as far above one as it spans, but for a few strays.
            Kind::Value => {
                let (low, span) = (at(0.01), at(0.99) - at(0.01));
                (if span > 0.0 { span } else { 1.0 }) - low
            }
            Kind::Count | Kind::Amount | Kind::Share => 0.0,
        };
        let size = known.iter().map(|v| (v + lift).abs()).sum::<f64>() / known.len().max(1) as f64;
        Self {
            measure: Measure::Amount,
            lift,
            piece: FINE * if size > 0.0 { size } else { 1.0 },
        }
    }

    /// A value as a detector takes it.
    fn given(&self, value: f64) -> Option<(f64, f64)> {
        let lifted = value + self.lift;
        let squares = match self.measure {
            Measure::Count | Measure::Share => 1.0,
            Measure::Amount => lifted.abs() * self.piece,
        };
        value.is_finite().then_some((lifted, squares))
    }

    /// A value as it was.
    fn told(&self, value: f64) -> f64 {
        value - self.lift
    }
}

/// Where the periods of a series are on the axis of a detector.
struct Axis {
    start: i64,
    step: i64,
    /// Whether that axis is the calendar's.
    rhythm: bool,
}

impl Axis {
    fn of(past: &Past, form: &Form) -> Self {
        let step = match past.frequency {
            Frequency::Steps(step) if !form.integers() => Some(step),
            Frequency::Days => Some(DAY),
            Frequency::Weeks => Some(WEEK),
            _ => None,
        };
        let first = past.points.first().map_or(0, |point| point.0);
        Self {
            start: step.map_or(0, |_| first),
            step: step.unwrap_or(WEEK).max(1),
            rhythm: step.is_some(),
        }
    }

    /// The bucket of a period.
    fn bucket(&self, number: usize, time: i64) -> usize {
        if !self.rhythm {
            return number;
        }
        let after = time
            .saturating_sub(self.start)
            .saturating_add(self.step / 2);
        usize::try_from(after / self.step).unwrap_or(0)
    }

    /// The time of what a detector calls an instant.
    fn time(&self, at: Instant, points: &[(i64, f64)]) -> i64 {
        if self.rhythm {
            return at.micros();
        }
        let number = usize::try_from((at.micros() - self.start) / self.step).unwrap_or(0);
        points
            .get(number)
            .or(points.last())
            .map_or(0, |point| point.0)
    }
}

/// Judges one series.
fn judge(past: Past, form: &Form, tuning: Tuning) -> Detected {
    let kind = past.laid.kind;
    let scale = Scale::of(kind, past.points.iter().map(|point| point.1));
    let axis = Axis::of(&past, form);
    let usual = Settings::new(scale.measure, axis.step);
    let settings = Settings {
        alarms_a_week: tuning.alarms_a_week,
        least_change: tuning.least_change,
        least_volume: match (kind, tuning.least_volume) {
            (Kind::Count, given) => given.unwrap_or(usual.least_volume),
            (Kind::Value, _) | (_, None) => 0.0,
            (_, Some(given)) => given / scale.piece,
        },
        ..usual
    };
    let buckets = || past.points.iter().enumerate();
    let buckets = || buckets().map(|(number, (time, _))| axis.bucket(number, *time));
    let mut values = vec![None; buckets().max().map_or(0, |last| last + 1)];
    for (at, (_, value)) in buckets().zip(&past.points) {
        if let Some(room) = values.get_mut(at) {
            *room = scale.given(*value);
        }
    }
    let series = Series {
        start: Instant::saturating_from_micros(axis.start),
        // Times are civil already.
        zone: Zone::default(),
        values,
    };
    let scanned = scan(settings, &series, Instant::MAX, 0);
    let points = buckets().zip(&past.points).map(|(at, (time, value))| {
        let judged = scanned.judged.get(at).and_then(Option::as_ref);
        Judged::of((*time, *value), judged, kind, |v| scale.told(v))
    });
    let findings = scanned.findings.iter().map(|finding| {
        let time = |at| form.written(axis.time(at, &past.points));
        told::told(&past.id, finding, kind, time, |v| scale.told(v))
    });
    Detected {
        points: points.collect(),
        findings: findings.collect(),
        id: past.id.clone(),
        laid: past.laid,
    }
}
