//! Decimal numbers as they are written, compared exactly.

use std::cmp::Ordering;

/// A decimal number: its sign, its digits without zeros around them, and the power of ten of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    /// Reads digits with or without a sign, a point and an exponent, as JSON writes numbers; `None` for anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        let leading = digits.len() - significant.len();
        let power = exponent
            .checked_add(i64::try_from(whole.len()).ok()?)?
            .checked_sub(i64::try_from(leading).ok()?)?;
        Some(match significant.trim_end_matches('0') {
            "" => Self {
                negative: false,
                digits: String::new(),
                power: 0,
            },
            digits => Self {
                negative,
                digits: digits.to_owned(),
                power,
            },
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |d: &Self| match (d.digits.is_empty(), d.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = || (self.power, &self.digits).cmp(&(other.power, &other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            1 => size(),
            -1 => size().reverse(),
            _ => Ordering::Equal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_by_value_and_exactly() {
        let ascending = [
            "-1e3",
            "-12.5",
            "-0.01",
            "0",
            "0.1",
            "0.12",
            "9",
            "10",
            "12345678901234567",
            "12345678901234568",
            "1e30",
        ];
        let read = |text| Decimal::read(text).unwrap();
        for pair in ascending.windows(2) {
            assert!(read(pair[0]) < read(pair[1]), "{pair:?}");
        }
        for (one, other) in [
            ("1.50", "1.5"),
            ("100", "1e2"),
            ("1e+2", "100.0"),
            ("-0.0", "0"),
        ] {
            assert_eq!(read(one), read(other));
        }
        for wrong in ["", "-", ".", "1,5", "NaN", "0x10", "e5", "1e"] {
            assert_eq!(Decimal::read(wrong), None, "{wrong}");
        }
    }
}
