//! Amounts as exact decimals (M1): text in, whole ten-thousandths out, never a binary fraction.

use crate::query::number::Decimal;

/// Reads decimal text, with or without an exponent, as a whole number of 10^-`scale`.
///
/// Digits beyond the scale are rounded, half away from zero. `None` where it is no number or its size needs more than
/// `digits` digits.
pub(crate) fn decimal(text: &str, digits: u32, scale: i32) -> Option<i128> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || !(-400..=400).contains(&exponent) {
        return None;
    }
    // How many of the digits, read as one number, lie before the last kept place.
    let kept = i64::try_from(whole.len()).ok()? + i64::from(exponent) + i64::from(scale);
    let limit = 10i128.pow(digits);
    let mut value: i128 = 0;
    let mut read = 0i64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i128::from(digit - b'0');
        if read < kept {
            value = value * 10 + digit;
        } else if read == kept && digit >= 5 {
            value += 1;
        }
        if value >= limit {
            return None;
        }
        read += 1;
    }
    while read < kept {
        value *= 10;
        if value >= limit {
            return None;
        }
        read += 1;
    }
    Some(if negative { -value } else { value })
}

/// Whether two decimal texts are the same number.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one == other || Decimal::read(one).is_some_and(|n| Decimal::read(other) == Some(n))
}

/// A currency of three letters, in capitals.
pub(crate) fn currency(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic()))
        .then(|| text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_is_read_exactly_and_rounded_half_away_from_zero() {
        for (text, value) in [
            ("0", Some(0)),
            ("11.77", Some(117_700)),
            ("-11.77", Some(-117_700)),
            ("+.5", Some(5_000)),
            ("7.", Some(70_000)),
            ("19.990000000000002", Some(199_900)),
            ("0.00005", Some(1)),
            ("-0.00005", Some(-1)),
            ("0.00004999", Some(0)),
            ("1e2", Some(1_000_000)),
            ("1.5E-3", Some(15)),
            ("1e-9", Some(0)),
            ("99999999999999.9999", Some(999_999_999_999_999_999)),
            ("99999999999999.99995", None),
            ("100000000000000", None),
            ("1e30", None),
            ("1e400", None),
            ("", None),
            (".", None),
            ("-", None),
            ("1,5", None),
            ("NaN", None),
            ("inf", None),
            ("0x10", None),
        ] {
            assert_eq!(decimal(text, 18, 4), value, "{text}");
        }
    }

    #[test]
    fn the_same_number_may_be_written_in_many_ways() {
        for (one, other) in [
            ("1.50", "1.5"),
            ("100", "1e2"),
            ("1e+2", "100.0"),
            ("-0.0", "0"),
            ("0.00012", "1.2e-4"),
            ("10", "1e1"),
        ] {
            assert!(same(one, other) && same(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("1", "-1"),
            ("1", "10"),
            ("0.1", "0.01"),
            ("12345678901234.5678", "12345678901234.568"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!(currency(" eur ").as_deref(), Some("EUR"));
        for wrong in ["", "EU", "EURO", "E1R", "€€€"] {
            assert_eq!(currency(wrong), None);
        }
    }
}
