//! Sums and counts of the platform's rows as the numbers of a widget.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Figure, Line, Row, Rows, Series, SeriesBucket};
use crate::dashboard::config::Measure;
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;
use crate::query::money::Money;
use crate::warehouse::{Cell, Sum};

/// The figures of one measure, by bucket and group.
pub(super) struct Figured {
    by: BTreeMap<(Option<String>, Option<usize>), (Number, u64)>,
    measure: Measure,
}

/// A number while it is summed up and compared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Count(u64),
    Money(Money),
    /// A value that groups cannot be summed up to, or none.
    Value(Option<f64>),
}

impl Number {
    fn json(self) -> Value {
        match self {
            Self::Count(count) => count.into(),
            Self::Money(money) => money.to_string().into(),
            Self::Value(value) => value.map_or(Value::Null, Value::from),
        }
    }

    fn order(self) -> (i128, f64) {
        match self {
            Self::Count(count) => (i128::from(count), 0.0),
            Self::Money(money) => (money.0, 0.0),
            Self::Value(value) => (0, value.unwrap_or(f64::NEG_INFINITY)),
        }
    }
}

/// The mean of the values of a cell.
fn average(cell: &Cell) -> Option<f64> {
    let size = |value: Option<f64>| value.map_or(0.0, f64::abs);
    if cell.exact && size(cell.min).max(size(cell.max)) >= 1.0 {
        // The sum is exact and the order of rows does not matter; only the quotient is rounded.
        return (cell.values > 0).then(|| cell.sum as f64 / 1e6 / cell.values as f64);
    }
    cell.mean
}

impl Figured {
    pub(super) fn new(cells: &[Cell], sums: &[Sum], base: &str, measure: Measure) -> Result<Self> {
        let mut by: BTreeMap<_, (Number, u64)> = BTreeMap::new();
        for cell in cells {
            let number = match measure {
                Measure::Count => Number::Count(cell.count),
                Measure::Amount => Number::Money(Money(0)),
                Measure::Average => Number::Value(average(cell)),
                Measure::Min => Number::Value(cell.min),
                Measure::Max => Number::Value(cell.max),
                Measure::Median => Number::Value(cell.median),
                Measure::P95 => Number::Value(cell.p95),
            };
            by.insert((cell.group.clone(), cell.bucket), (number, cell.count));
        }
        for sum in sums {
            let worth = worth(sum, base)?;
            let entry = by.get_mut(&(sum.group.clone(), sum.bucket));
            if let Some((Number::Money(Money(total)), _)) = entry {
                *total = total.checked_add(worth).ok_or_else(too_large)?;
            }
        }
        Ok(Self { by, measure })
    }

    fn nothing(&self) -> Number {
        match self.measure {
            Measure::Count => Number::Count(0),
            Measure::Amount => Number::Money(Money(0)),
            _ => Number::Value(None),
        }
    }

    fn at(&self, group: Option<&str>, bucket: Option<usize>) -> (Number, u64) {
        let key = (group.map(str::to_owned), bucket);
        self.by.get(&key).copied().unwrap_or((self.nothing(), 0))
    }

    /// The groups of these buckets, those with the most rows first.
    fn groups(&self, of: impl Fn(Option<usize>) -> bool) -> Vec<Option<String>> {
        let mut counts: BTreeMap<&Option<String>, u64> = BTreeMap::new();
        for ((group, _), (_, count)) in self.by.iter().filter(|((_, bucket), _)| of(*bucket)) {
            *counts.entry(group).or_default() += count;
        }
        let mut groups: Vec<_> = counts.into_iter().collect();
        groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        groups.into_iter().map(|(group, _)| group.clone()).collect()
    }
}

/// Of the two buckets of a metric the later is the figure, and rows without a time are in both.
pub(super) fn figure(table: &Figured) -> Figure {
    let always = table.at(None, None);
    let with = |bucket| {
        let (number, count) = table.at(None, Some(bucket));
        let number = match (number, always.0) {
            (Number::Count(one), Number::Count(more)) => Number::Count(one + more),
            (Number::Money(one), Number::Money(more)) => {
                Number::Money(Money(one.0.saturating_add(more.0)))
            }
            (number, _) => number,
        };
        (number.json(), count + always.1)
    };
    let (value, count) = with(1);
    Figure {
        value,
        count,
        previous: with(0).0,
    }
}

pub(super) fn series(table: &Figured, edges: &[Instant], limit: usize) -> Series {
    let ends = edges.iter().skip(1);
    let buckets: Vec<SeriesBucket> = edges
        .iter()
        .zip(ends)
        .map(|(start, end)| SeriesBucket {
            start: *start,
            end: *end,
        })
        .collect();
    let groups = table.groups(|bucket| bucket.is_some());
    let line = |group: &Option<String>| Line {
        group: group.clone(),
        values: (0..buckets.len())
            .map(|bucket| table.at(group.as_deref(), Some(bucket)).0.json())
            .collect(),
    };
    Series {
        series: groups.iter().take(limit).map(line).collect(),
        truncated: groups.len() > limit,
        total: groups.len(),
        buckets,
    }
}

pub(super) fn rows(table: &Figured, limit: usize) -> Rows {
    let row = |group: Option<String>| {
        let dated = table.at(group.as_deref(), Some(0));
        let always = table.at(group.as_deref(), None);
        let number = match (dated.0, always.0) {
            (Number::Count(one), Number::Count(more)) => Number::Count(one + more),
            (Number::Money(one), Number::Money(more)) => {
                Number::Money(Money(one.0.saturating_add(more.0)))
            }
            (number, _) => number,
        };
        (number, dated.1 + always.1, group)
    };
    let mut all: Vec<_> = table.groups(|_| true).into_iter().map(row).collect();
    all.sort_by(|a, b| {
        let (one, other) = (a.0.order(), b.0.order());
        other
            .0
            .cmp(&one.0)
            .then(other.1.total_cmp(&one.1))
            .then_with(|| a.2.cmp(&b.2))
    });
    Rows {
        truncated: all.len() > limit,
        total: all.len(),
        rows: all
            .into_iter()
            .take(limit)
            .map(|(number, count, group)| Row {
                group,
                value: number.json(),
                count,
            })
            .collect(),
    }
}

/// Money in 10^-12 of the base currency.
fn worth(sum: &Sum, base: &str) -> Result<i128> {
    const ONE: i128 = 100_000_000;
    let rate = match sum.currency.as_deref() {
        None => ONE,
        Some(code) if code == base => ONE,
        Some(code) => sum.rate.ok_or_else(|| {
            Error::new(
                ErrorKind::Invalid,
                "missing_rate",
                format!(
                    "there is no rate from `{code}` to `{base}` on or before {}; import one into `rates`",
                    sum.day
                ),
            )
        })?,
    };
    sum.sum.checked_mul(rate).ok_or_else(too_large)
}

fn too_large() -> Error {
    Error::new(
        ErrorKind::Limit,
        "amount_too_large",
        "the money has more than 26 digits before the point",
    )
}
