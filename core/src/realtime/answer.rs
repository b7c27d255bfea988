//! The answer of the real-time figures: one resource a metric, as the specification has them.

use serde::{Serialize, Serializer};

use super::anomaly::Anomaly;
use super::money::Money;
use super::question::{List, Measure, Metric, Of, Realtime, TimeRange};
use super::stream::Windows;
use super::users;
use crate::access::Scoped;
use crate::error::Result;
use crate::query::answer::{self, Stamp, Versions};
use crate::query::{Instant, Rate};
use crate::timeline::Timelines;
use crate::warehouse::{Count, Counted, Live, Recent, Tally, Warehouse};

/// One figure over the window.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RealtimeMetric {
    /// What it is and what it was computed from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// Which figure it is.
    pub metric_name: Measure,
    /// The figure; null where its denominator is 0.
    pub value: Option<Figure>,
    /// The end of the window.
    pub timestamp: Instant,
    /// What the figure rests on.
    pub metadata: Metadata,
    /// The same as `timestamp`: an answer that is computed is not stored.
    pub created_at: Instant,
}

/// A number as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// A count.
    Count(u64),
    /// A rate, a share, or the double nearest to an amount.
    Number(f64),
}

impl Figure {
    /// It as a double.
    pub fn number(self) -> f64 {
        match self {
            Self::Count(count) => count as f64,
            Self::Number(number) => number,
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Number(number) => serializer.serialize_f64(*number),
        }
    }
}

/// What a real-time figure rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The window asked for.
    pub time_range: TimeRange,
    /// Its length in seconds; it ends at `timestamp`, which is inside it, and begins after `timestamp` less this.
    pub window_seconds: u32,
    /// What the value counts.
    pub unit: &'static str,
    /// How often whoever asks means to ask again, in seconds.
    pub refresh_interval: u32,
    /// For a share: of how many, and how sure.
    #[serde(flatten)]
    pub sample: Option<Sample>,
    /// For revenue: the value as exact decimal text, rounded half to even to six digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// For revenue: the currency of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_currency: Option<String>,
    /// The figure of the window before this one.
    pub previous: Option<Figure>,
    /// By how much of `previous` the value differs from it, both to all their digits; null where there is none or it is 0.
    pub change: Option<f64>,
    /// For revenue: the value to all its digits.
    #[serde(skip)]
    pub(crate) whole: Option<f64>,
    /// The same figure for each equal part of the window, in order.
    pub series: Vec<Point>,
    /// Whether the figure is as it usually is; absent for an instant of the past, and where the handle does not keep it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
    /// Events in the window without a user: in counts of events, never in counts of users (I4).
    pub unattributed_events: u64,
}

/// What a share rests on (S1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// How many.
    pub k: u64,
    /// Of how many.
    pub n: u64,
    /// The lower end of the Wilson 95 % interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// Whether `n` is below 30, too few to lean on.
    pub small: bool,
}

/// The figure of one part of the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// The part is `(start, start + length]`, as the window is: together the parts are the window.
    pub start: Instant,
    /// The figure; null where its denominator is 0.
    pub value: Option<Figure>,
}

/// Which events mean what, from the catalogue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meanings<'a> {
    /// Events that are page views.
    pub(crate) page_views: &'a [String],
    /// Events that are conversions.
    pub(crate) conversions: &'a [String],
    /// Events that are errors.
    pub(crate) errors: &'a [String],
    /// Events that are uses of features.
    pub(crate) features: &'a [String],
    /// Events that carry money.
    pub(crate) revenue: &'a [String],
    /// The currency of revenue.
    pub(crate) base_currency: &'a str,
}

impl Meanings<'_> {
    /// The names of some events.
    fn names(&self, of: &Of) -> Vec<String> {
        match of {
            Of::Name(name) => vec![name.clone()],
            Of::List(List::PageViews) => self.page_views.to_vec(),
            Of::List(List::Conversions) => self.conversions.to_vec(),
            Of::List(List::Errors) => self.errors.to_vec(),
            Of::List(List::Features) => self.features.to_vec(),
            Of::List(List::Revenue) => self.revenue.to_vec(),
        }
    }
}

/// Answers the real-time figures as of an instant; timelines count users where several ids are one of them (I5), and `usual` tells
/// whether a metric is as it usually is.
pub(crate) fn answer(
    question: &Scoped<&Realtime>,
    warehouse: &dyn Warehouse,
    meanings: &Meanings<'_>,
    (as_of, now): (Instant, Instant),
    windows: &Windows,
    timelines: Option<&Timelines>,
    usual: &dyn Fn(Metric) -> Option<Anomaly>,
) -> Result<Vec<RealtimeMetric>> {
    let question = *question.inner();
    let range = question.time_range;
    let lists = question.lists();
    let counted: Vec<Vec<String>> = lists.iter().map(|of| meanings.names(of)).collect();
    let asked = Recent {
        as_of,
        window: range.seconds(),
        step: range.step(),
        page_views: meanings.page_views,
        conversions: meanings.conversions,
        errors: meanings.errors,
        counted: &counted,
    };
    // Read first, so that the answer holds at least as much as its version says.
    let head = warehouse.head()?;
    let mut live = windows.recent(warehouse, &asked, now)?;
    if let Some(timelines) = timelines {
        users::recount(&mut live, timelines, &asked)?;
    }
    let window = Window {
        live: &live,
        lists: &lists,
        range,
        as_of,
        base: meanings.base_currency,
        usual,
        versions: head.versions(timelines.map_or(0, |t| t.identity().hash)),
    };
    question
        .distinct()
        .into_iter()
        .map(|metric| window.metric(metric, question.refresh_interval))
        .collect()
}

/// A window and what happened in it.
struct Window<'a> {
    live: &'a Live,
    /// The lists that `live` has counted by themselves.
    lists: &'a [&'a Of],
    range: TimeRange,
    as_of: Instant,
    base: &'a str,
    usual: &'a dyn Fn(Metric) -> Option<Anomaly>,
    versions: Versions,
}

/// A stretch of the window whose figure is wanted.
struct Stretch<'a> {
    tally: &'a Tally,
    /// Of a list of events, what was counted of it.
    counted: Counted,
    /// The parts it has, counted from the beginning of the window before.
    slots: std::ops::Range<u32>,
    seconds: u32,
}

impl Window<'_> {
    fn metric(&self, metric: &Measure, refresh_interval: u32) -> Result<RealtimeMetric> {
        let (window, step) = (self.range.seconds(), self.range.step());
        let parts = window / step;
        let list = metric
            .of()
            .and_then(|of| self.lists.iter().position(|l| *l == of));
        let count = list.and_then(|list| self.live.counted.get(list));
        let counted =
            |of: &dyn Fn(&Count) -> Option<Counted>| count.and_then(of).unwrap_or_default();
        let whole = Stretch {
            counted: counted(&|count| Some(count.now)),
            tally: &self.live.now,
            slots: parts..2 * parts,
            seconds: window,
        };
        let before = Stretch {
            counted: counted(&|count| Some(count.before)),
            tally: &self.live.before,
            slots: 0..parts,
            seconds: window,
        };
        let (value, money) = self.figure(metric, &whole)?;
        let (previous, money_before) = self.figure(metric, &before)?;
        let series = (0..parts).zip(&self.live.series).map(|(part, tally)| {
            let ago = i64::from(window - part * step) * 1_000_000;
            let slot = parts + part;
            let (value, _) = self.figure(
                metric,
                &Stretch {
                    tally,
                    counted: counted(&|count| count.series.get(part as usize).copied()),
                    slots: slot..slot + 1,
                    seconds: step,
                },
            )?;
            Ok(Point {
                start: Instant::saturating_from_micros(self.as_of.micros() - ago),
                value,
            })
        });
        let change = match (money, money_before) {
            (Some(money), Some(before)) => money.change_from(before),
            _ => match (value.map(Figure::number), previous.map(Figure::number)) {
                (Some(value), Some(previous)) if previous != 0.0 => {
                    Some((value - previous) / previous.abs())
                }
                _ => None,
            },
        };
        let exact = money.map(|money| money.per_minute(window)).transpose()?;
        let revenue = *metric == Measure::Metric(Metric::RevenuePerMinute);
        let mut answer = RealtimeMetric {
            stamp: Stamp::default(),
            metric_name: metric.clone(),
            value,
            timestamp: self.as_of,
            metadata: Metadata {
                time_range: self.range,
                window_seconds: window,
                unit: metric.unit(),
                refresh_interval,
                sample: match metric {
                    Measure::Metric(metric) => share(*metric, &self.live.now).map(Sample::of),
                    _ => None,
                },
                exact: exact.map(|exact| exact.to_string()),
                base_currency: revenue.then(|| self.base.to_owned()),
                previous,
                change,
                whole: money.map(|money| money.whole_per_minute(window)),
                series: series.collect::<Result<_>>()?,
                anomaly: match metric {
                    Measure::Metric(metric) => (self.usual)(*metric),
                    _ => None,
                },
                unattributed_events: self.live.now.unattributed,
            },
            created_at: self.as_of,
        };
        answer.stamp = answer::stamp(&answer, self.versions.clone())?;
        Ok(answer)
    }

    /// The figure of a stretch, and for revenue the money that came in it.
    fn figure(
        &self,
        metric: &Measure,
        stretch: &Stretch<'_>,
    ) -> Result<(Option<Figure>, Option<Money>)> {
        let tally = stretch.tally;
        let metric = match metric {
            Measure::Metric(metric) => *metric,
            Measure::Events(_) => return Ok((Some(Figure::Count(stretch.counted.events)), None)),
            Measure::Users(_) => return Ok((Some(Figure::Count(stretch.counted.users)), None)),
        };
        let value = match metric {
            Metric::ActiveUsers => Some(Figure::Count(tally.users)),
            Metric::PageViews => Some(Figure::Count(tally.page_views)),
            Metric::EventsPerSecond => Some(Figure::Number(
                tally.events as f64 / f64::from(stretch.seconds),
            )),
            Metric::ConversionRate | Metric::ErrorRate => share(metric, tally)
                .and_then(|rate| rate.value)
                .map(Figure::Number),
            Metric::RevenuePerMinute => {
                let amounts = self
                    .live
                    .amounts
                    .iter()
                    .filter(|a| stretch.slots.contains(&a.slot));
                let money = Money::sum(amounts, self.base)?;
                let revenue = money.per_minute(stretch.seconds)?;
                return Ok((Some(Figure::Number(revenue.nearest())), Some(money)));
            }
        };
        Ok((value, None))
    }
}

/// The share that a metric is, if it is one.
pub(super) fn share(metric: Metric, tally: &Tally) -> Option<Rate> {
    match metric {
        Metric::ConversionRate => Some(Rate::of(tally.converters, tally.users)),
        Metric::ErrorRate => Some(Rate::of(tally.errors, tally.events)),
        _ => None,
    }
}

impl Sample {
    fn of(rate: Rate) -> Self {
        let Rate {
            k,
            n,
            low,
            high,
            small,
            ..
        } = rate;
        Self {
            k,
            n,
            low,
            high,
            small,
        }
    }
}
