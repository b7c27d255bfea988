//! The series of a metric: what a warehouse counted, and users as timelines know them.

use super::detector::Judgement;
use super::finding::{Finding, Interval};
use super::question::Metric;
use super::scan::Series;
use super::settings::Measure;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Condition, Selector, Zone};
use crate::timeline::{Timelines, View};
use crate::warehouse::{Amount, Bucketed, Buckets};

/// A series, and what one of its values is as the metric is told.
#[derive(Clone, Debug)]
pub(crate) struct Metered {
    pub(crate) series: Series,
    measure: Measure,
    factor: f64,
}

impl Metered {
    /// The series of a metric over buckets in the time of a zone.
    pub(crate) fn of(
        metric: Metric,
        buckets: &Buckets<'_>,
        counted: &Bucketed,
        base: &str,
        zone: Zone,
    ) -> Result<Self> {
        let money = if metric == Metric::RevenuePerMinute {
            worth(&counted.amounts, base, buckets.count)?
        } else {
            Vec::new()
        };
        let tallies = counted.tallies.iter().enumerate();
        let values = tallies
            .map(|(i, t)| {
                let share = |k: u64, n: u64| (n > 0).then_some((k as f64, n as f64));
                match metric {
                    Metric::ActiveUsers => Some((t.users as f64, 1.0)),
                    Metric::PageViews => Some((t.page_views as f64, 1.0)),
                    Metric::EventsPerSecond => Some((t.events as f64, 1.0)),
                    Metric::ConversionRate => share(t.converters, t.users),
                    Metric::ErrorRate => share(t.errors, t.events),
                    Metric::RevenuePerMinute => money.get(i).copied(),
                }
            })
            .collect();
        let seconds = buckets.step as f64 / 1e6;
        Ok(Self {
            series: Series {
                start: buckets.from,
                zone,
                values,
            },
            measure: metric.measure(),
            factor: match metric {
                Metric::EventsPerSecond => 1.0 / seconds,
                Metric::RevenuePerMinute => 60.0 / seconds,
                _ => 1.0,
            },
        })
    }

    /// What a value of `of` is multiplied by to be told.
    pub(super) fn per(&self, of: f64) -> f64 {
        match self.measure {
            Measure::Share => 1.0 / of.max(1.0),
            Measure::Count | Measure::Amount => self.factor,
        }
    }

    /// What became of a bucket of `of` as the metric is told.
    pub(super) fn told(&self, judgement: Judgement, of: f64) -> Judgement {
        let per = self.per(of);
        Judgement {
            expected: judgement.expected.map(|e| e * per),
            interval: judgement.interval.map(|i| Interval {
                low: i.low * per,
                high: i.high * per,
            }),
            ..judgement
        }
    }

    /// A finding as the metric is told; shares are told already.
    pub(crate) fn scaled(&self, finding: Finding) -> Finding {
        if self.measure == Measure::Share {
            return finding;
        }
        Finding {
            expected: finding.expected * self.factor,
            observed: finding.observed * self.factor,
            interval: Interval {
                low: finding.interval.low * self.factor,
                high: finding.interval.high * self.factor,
            },
            ..finding
        }
    }
}

/// The doubles nearest to the sums of amounts in the base currency, bucket by bucket, and the sums of their squares; the sums
/// themselves are exact.
fn worth(amounts: &[(Amount, f64)], base: &str, count: usize) -> Result<Vec<(f64, f64)>> {
    let mut sums = vec![(0_i128, 0.0); count];
    for (amount, squares) in amounts {
        let code = amount.currency.as_deref().filter(|code| *code != base);
        let rate = match code {
            None => 100_000_000,
            Some(code) => amount.rate.ok_or_else(|| missing(code, base, amount))?,
        };
        if let Some(sum) = sums.get_mut(amount.slot as usize) {
            sum.0 = sum.0.saturating_add(amount.sum.saturating_mul(rate));
            sum.1 += squares * (rate as f64 / 1e12).powi(2);
        }
    }
    // Amounts have 4 digits after the point, and rates 8.
    let worth = |(sum, squares): (i128, f64)| (sum as f64 / 1e12, squares);
    Ok(sums.into_iter().map(worth).collect())
}

fn missing(code: &str, base: &str, amount: &Amount) -> Error {
    let day = amount.day.to_string();
    let day = day.get(..10).unwrap_or(&day);
    Error::new(
        ErrorKind::Invalid,
        "missing_rate",
        format!(
            "there is no rate from `{code}` to `{base}` on or before {day}; import one into `rates`"
        ),
    )
}

/// Counts the users of each bucket anew where several ids are one user, which only timelines know (I2, I5).
pub(crate) fn recount(
    counted: &mut Bucketed,
    timelines: &Timelines,
    buckets: &Buckets<'_>,
) -> Result<()> {
    let view = View::new(timelines, buckets.as_of);
    let conversions = Selector::AnyOf(buckets.conversions.to_vec());
    let conversion = view.meaning(&Condition::from(conversions))?;
    let (from, step) = (buckets.from.micros(), buckets.step.max(1));
    let counts = view.fold(
        || vec![(0_u64, 0_u64); buckets.count],
        |counts, timeline| {
            let first = timeline.ts.partition_point(|ts| *ts < from);
            let events = timeline.ts.iter().zip(timeline.name).zip(timeline.row);
            let (mut seen, mut converted) = (None, None);
            for ((ts, name), row) in events.skip(first) {
                let at = ((ts - from) / step) as usize;
                let Some(count) = counts.get_mut(at) else {
                    break;
                };
                // Times ascend: what was counted for a bucket before was counted last.
                if seen.replace(at) != Some(at) {
                    count.0 += 1;
                }
                if conversion.holds(*name, *row) && converted.replace(at) != Some(at) {
                    count.1 += 1;
                }
            }
        },
        |mut a, b| {
            for (x, y) in a.iter_mut().zip(&b) {
                x.0 += y.0;
                x.1 += y.1;
            }
            a
        },
    )?;
    for (tally, (users, converters)) in counted.tallies.iter_mut().zip(counts) {
        (tally.users, tally.converters) = (users, converters);
    }
    Ok(())
}
