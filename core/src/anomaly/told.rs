//! What was found in series of one's own, as columns: JSON for people and small tables, Arrow for everything else.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::detector::{Judgement, Status};
use super::finding::{Direction, Finding, Interval, Severity, Shape};
use super::table::name;
use crate::chart::{self, Across, Chart, Heading, LineChart, Point};
use crate::error::{Error, Result};
use crate::forecast::{Form, Kind, Layout};
use crate::query::{Instant, Zone};

/// What was not as usual in the series of a table.
#[derive(Debug, Clone)]
pub struct DetectionAnswer {
    /// Series by series, in the order of their first rows.
    pub series: Vec<Detected>,
    pub(super) form: Form,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    /// What it is called.
    pub id: String,
    /// Its periods.
    pub points: Vec<Judged>,
    /// What was found, in the order in which it was found.
    pub findings: Vec<Told>,
    /// What was done to lay it out.
    pub laid: Layout,
}

/// One period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Microseconds since 1970 in local civil time, or a whole number where the axis is of integers.
    pub time: i64,
    /// Its value; nothing where it is missing.
    pub value: Option<f64>,
    /// What was expected; nothing where that is not known.
    pub expected: Option<f64>,
    /// The 95 % interval of what was expected; nothing where the series never varies.
    pub interval: Option<Interval>,
    /// How many robust standard deviations it is off; nothing where the series never varies.
    pub score: Option<f64>,
    /// Why it was judged or not; nothing for a period without a value.
    pub status: Option<Status>,
    /// Whether it is part of a finding.
    pub unusual: bool,
}

/// Something in a series that is not as it usually is; see [`Finding`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The series.
    pub unique_id: String,
    /// What sort it is.
    pub shape: Shape,
    /// Which way.
    pub direction: Direction,
    /// How bad it is at its worst.
    pub severity: Severity,
    /// The time of the first period that deviates.
    pub since: Value,
    /// The time of the period in which it was found.
    pub found_at: Value,
    /// The time of the first period that is as usual again; nothing while it lasts.
    pub until: Option<Value>,
    /// What was expected of an average period from `since` on until it was found.
    pub expected: f64,
    /// The 95 % interval of that.
    pub interval: Interval,
    /// What came instead.
    pub observed: f64,
    /// `observed` less `expected`, of `expected`; of values whose zero means nothing, of how far what was expected lies above the
    /// least of the series, and what it spans. Nothing where nothing was expected.
    pub change: Option<f64>,
    /// How many robust standard deviations the stretch is off; nothing where the series never varies.
    pub score: Option<f64>,
    /// How likely chance alone does this at a given moment; nothing where there is no score.
    pub p_value: Option<f64>,
}

/// The bounds that values of a kind cannot be beyond.
fn within(interval: Interval, kind: Kind) -> Interval {
    let least = if kind == Kind::Value {
        f64::NEG_INFINITY
    } else {
        0.0
    };
    let most = if kind == Kind::Share {
        1.0
    } else {
        f64::INFINITY
    };
    Interval {
        low: interval.low.clamp(least, most),
        high: interval.high.clamp(least, most),
    }
}

impl Judged {
    /// A period and what a detector said of it; `told` brings its values back.
    pub(super) fn of(
        (time, value): (i64, f64),
        judged: Option<&Judgement>,
        kind: Kind,
        told: impl Fn(f64) -> f64,
    ) -> Self {
        let interval = judged.and_then(|j| j.interval).map(|i| Interval {
            low: told(i.low),
            high: told(i.high),
        });
        Self {
            time,
            value: value.is_finite().then_some(value),
            expected: judged.and_then(|j| j.expected).map(&told),
            interval: interval.map(|i| within(i, kind)),
            score: judged.and_then(|j| j.score),
            status: judged.map(|j| j.status),
            unusual: judged.is_some_and(|j| j.unusual),
        }
    }
}

/// A finding in a series; `time` writes its instants, and `value` brings its values back.
pub(super) fn told(
    id: &str,
    finding: &Finding,
    kind: Kind,
    time: impl Fn(Instant) -> Value,
    value: impl Fn(f64) -> f64,
) -> Told {
    let interval = Interval {
        low: value(finding.interval.low),
        high: value(finding.interval.high),
    };
    Told {
        unique_id: id.to_owned(),
        shape: finding.shape,
        direction: finding.direction,
        severity: finding.severity,
        since: time(finding.since),
        found_at: time(finding.found_at),
        until: finding.until.map(&time),
        expected: value(finding.expected),
        interval: within(interval, kind),
        observed: value(finding.observed),
        change: finding.change,
        score: finding.score,
        p_value: finding.p_value,
    }
}

/// The periods as columns.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Rows<'a> {
    unique_id: Vec<&'a str>,
    ds: Vec<Value>,
    y: Vec<Option<f64>>,
    expected: Vec<Option<f64>>,
    low: Vec<Option<f64>>,
    high: Vec<Option<f64>>,
    score: Vec<Option<f64>>,
    status: Vec<Option<Status>>,
    unusual: Vec<bool>,
}

/// What was done to one series.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Of<'a> {
    unique_id: &'a str,
    #[serde(flatten)]
    laid: &'a Layout,
}

impl Serialize for DetectionAnswer {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Form<'a> {
            rows: Rows<'a>,
            findings: Vec<&'a Told>,
            series: Vec<Of<'a>>,
        }
        let mut rows = Rows::default();
        for (one, point) in self.each() {
            rows.unique_id.push(&one.id);
            rows.ds.push(self.form.written(point.time));
            rows.y.push(point.value);
            rows.expected.push(point.expected);
            rows.low.push(point.interval.map(|i| i.low));
            rows.high.push(point.interval.map(|i| i.high));
            rows.score.push(point.score);
            rows.status.push(point.status);
            rows.unusual.push(point.unusual);
        }
        let series = self.series.iter().map(|one| Of {
            unique_id: &one.id,
            laid: &one.laid,
        });
        let form = Form {
            rows,
            findings: self.findings().collect(),
            series: series.collect(),
        };
        form.serialize(to)
    }
}

impl DetectionAnswer {
    /// What was found in all series, one after the other.
    pub fn findings(&self) -> impl Iterator<Item = &Told> {
        self.series.iter().flat_map(|one| &one.findings)
    }

    /// The periods as one Arrow batch, series by series: `unique_id` and `ds` of the types they came in, `y`, `expected`, `low`,
    /// `high`, `score`, `status`, `unusual`.
    ///
    /// # Errors
    /// Only a fault of our own.
    pub fn table(&self) -> Result<RecordBatch> {
        let figures = |of: fn(&Judged) -> Option<f64>| -> ArrayRef {
            Arc::new(self.each().map(|(_, p)| of(p)).collect::<Float64Array>())
        };
        let times: Vec<i64> = self.each().map(|(_, p)| p.time).collect();
        let ids = self.each().map(|(one, _)| one.id.as_str());
        let status = self.each().map(|(_, p)| p.status.map(name));
        let unusual = self.each().map(|(_, p)| Some(p.unusual));
        let columns: [(String, ArrayRef); 9] = [
            (self.form.id_name(), self.form.ids(ids)?),
            (self.form.time_name(), self.form.times(&times)?),
            ("y".to_owned(), figures(|p| p.value)),
            ("expected".to_owned(), figures(|p| p.expected)),
            ("low".to_owned(), figures(|p| p.interval.map(|i| i.low))),
            ("high".to_owned(), figures(|p| p.interval.map(|i| i.high))),
            ("score".to_owned(), figures(|p| p.score)),
            (
                "status".to_owned(),
                Arc::new(status.collect::<StringArray>()),
            ),
            (
                "unusual".to_owned(),
                Arc::new(unusual.collect::<BooleanArray>()),
            ),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
            .map_err(Error::internal)
    }

    /// One series, by default the first: what came over what was expected with its interval; nothing where there is no such series.
    #[must_use]
    pub fn chart(&self, id: Option<&str>) -> Option<Chart> {
        let wanted = |one: &&Detected| id.is_none_or(|id| one.id == id);
        let one = self.series.iter().find(wanted)?;
        let at = |p: &Judged| Instant::saturating_from_micros(p.time);
        let came = one.points.iter().map(|p| Point {
            at: at(p),
            value: p.value,
            ..Point::default()
        });
        let expected = one.points.iter().map(|p| Point {
            at: at(p),
            value: p.expected,
            interval: p.interval.map(|i| (i.low, i.high)),
            ..Point::default()
        });
        let line = |name: &str, points, compared| chart::Series {
            name: name.to_owned(),
            points,
            compared,
        };
        let name = if one.id.is_empty() { "y" } else { &one.id };
        let found = match one.findings.len() {
            0 => "Nothing was unusual".to_owned(),
            1 => "One thing was unusual".to_owned(),
            n => format!("{n} things were unusual"),
        };
        let others = self.series.len().saturating_sub(1);
        let note = (others > 0).then(|| format!("One of {} series.", others + 1));
        Some(Chart::Line(LineChart {
            heading: Heading {
                description: format!("{found} of {name}."),
                subtitle: format!("{found}."),
                title: format!("What was unusual of {name}"),
                notes: note.into_iter().collect(),
            },
            zone: Zone::default(),
            across: if self.form.integers() {
                Across::Number
            } else {
                Across::Time
            },
            series: vec![
                line("came", came.collect(), false),
                line("expected", expected.collect(), true),
            ],
            ..LineChart::default()
        }))
    }

    fn each(&self) -> impl Iterator<Item = (&Detected, &Judged)> {
        self.series
            .iter()
            .flat_map(|one| one.points.iter().map(move |point| (one, point)))
    }
}
