//! What a user's returns amount to (R11), exactly: all figures are counted in 10^-12.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: codes are below the number of values, rows below the timeline's length"
)]

use super::columns::Hit;
use super::options::Metric;
use super::question::Retention;
use crate::error::{Error, ErrorKind, Result};
use crate::timeline::column::{Amounts, Reader};
use crate::timeline::{Timeline, View};

/// One, in 10^-12.
pub(super) const ONE: i128 = 1_000_000_000_000;

/// A metric made ready to measure returns.
#[derive(Debug)]
pub(super) enum Measure<'a> {
    Revenue(&'a Amounts),
    Engagement,
    /// For each name key, whether it is a use of a feature.
    FeatureUsage(Vec<bool>),
    Property {
        reader: Reader<'a>,
        /// The number that each code stands for.
        numbers: Vec<Option<i128>>,
        mean: bool,
    },
}

impl<'a> Measure<'a> {
    /// Nothing for a rate, which measures no returns.
    pub(super) fn new(question: &Retention, view: &View<'a>) -> Result<Option<Self>> {
        Ok(Some(match &question.metric {
            Metric::RetentionRate => return Ok(None),
            Metric::Revenue => Self::Revenue(view.columns.amounts()?),
            Metric::Engagement => Self::Engagement,
            Metric::FeatureUsage => {
                let names = view.timelines.names().iter();
                Self::FeatureUsage(names.map(|n| question.features.contains(n)).collect())
            }
            Metric::PropertySum(of) | Metric::PropertyAverage(of) => {
                let reader = view.columns.reader(of, view.as_of.micros())?;
                let values = reader.dictionary().values();
                Self::Property {
                    reader,
                    numbers: values.iter().map(|v| fixed(v)).collect(),
                    mean: matches!(question.metric, Metric::PropertyAverage(_)),
                }
            }
        }))
    }

    /// What some returns of a user amount to; an event counts once, in however many periods it lies.
    pub(super) fn of(&self, t: &Timeline<'_>, hits: &[Hit]) -> Result<i128> {
        let mut rows: Vec<usize> = hits.iter().map(|h| h.at).collect();
        if !rows.is_sorted() {
            rows.sort_unstable();
        }
        rows.dedup();
        let mut sum = 0_i128;
        match self {
            Self::Engagement => sum = rows.len() as i128 * ONE,
            Self::FeatureUsage(features) => {
                let mut used: Vec<u16> = rows.iter().map(|row| t.name[*row]).collect();
                used.retain(|name| features[usize::from(*name)]);
                used.sort_unstable();
                used.dedup();
                sum = used.len() as i128 * ONE;
            }
            Self::Revenue(amounts) => {
                for row in rows {
                    let worth = amounts.worth(t.row[row])?.unwrap_or_default();
                    sum = sum.checked_add(worth).ok_or_else(too_large)?;
                }
            }
            Self::Property {
                reader,
                numbers,
                mean,
            } => {
                let mut count = 0;
                for row in rows {
                    let code = reader.code(t.user, t.ts[row], t.row[row]);
                    if let Some(number) = code.and_then(|code| numbers[code as usize]) {
                        sum = sum.checked_add(number).ok_or_else(too_large)?;
                        count += 1;
                    }
                }
                if *mean && count > 0 {
                    sum = half_even(sum, count);
                }
            }
        }
        Ok(sum)
    }
}

pub(super) fn too_large() -> Error {
    Error::new(
        ErrorKind::Limit,
        "amount_too_large",
        "the figures have more than 26 digits before the point",
    )
}

/// JSON text of a number in 10^-12, rounded half to even; nothing for what is no number, or has more than 24 digits before the
/// point.
fn fixed(json: &str) -> Option<i128> {
    let (mantissa, exponent) = match json.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (json, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let power = exponent
        .checked_add(12)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let scale = |power: u32| 10_i128.checked_pow(power);
    let value = match u32::try_from(power) {
        _ if digits == 0 => 0,
        Ok(power) => digits.checked_mul(scale(power)?)?,
        Err(_) => scale(power.unsigned_abs()).map_or(0, |by| half_even(digits, by)),
    };
    (value.unsigned_abs() < 10_u128.pow(36)).then_some(value)
}

/// `n / d` to the nearest whole number, and to the even one of two as near.
fn half_even(n: i128, d: i128) -> i128 {
    let (whole, rest) = (n.div_euclid(d), n.rem_euclid(d));
    match rest.cmp(&(d - rest)) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
        std::cmp::Ordering::Greater => whole + 1,
    }
}

/// A figure as decimal text, without zeros at its end.
pub(super) fn text(figure: i128) -> String {
    let sign = if figure < 0 { "-" } else { "" };
    let (whole, rest) = (
        figure.unsigned_abs() / ONE as u128,
        figure.unsigned_abs() % ONE as u128,
    );
    let rest = format!("{rest:012}");
    match rest.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{rest}"),
    }
}

/// A figure for each of `n`, rounded once to 12 digits: the double nearest to that; nothing for none.
pub(super) fn each(figure: i128, n: u64) -> Option<f64> {
    (n > 0).then(|| {
        text(half_even(figure, i128::from(n)))
            .parse()
            .unwrap_or(f64::NAN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly_and_anything_else_is_none() {
        for (json, text_) in [
            ("0.1", "0.1"),
            ("-12.50", "-12.5"),
            ("1e3", "1000"),
            ("25e-13", "0.000000000002"),
            ("35e-13", "0.000000000004"),
            ("1e-90", "0"),
            ("0e99", "0"),
        ] {
            assert_eq!(fixed(json).map(text).as_deref(), Some(text_), "{json}");
        }
        for json in ["\"1\"", "true", "[1]", "1e30", "1e999999999999"] {
            assert_eq!(fixed(json), None, "{json}");
        }
        assert_eq!(each(ONE, 3), Some(0.333333333333));
        assert_eq!(each(ONE, 0), None);
    }
}
