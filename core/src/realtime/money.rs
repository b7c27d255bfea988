//! Revenue as exact decimals, from the stored amounts to the last digit shown (M1).

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::warehouse::Amount;

/// Money in 10^-12 of the base currency: amounts have 4 digits after the point, rates 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Money(i128);

const RATE_ONE: i128 = 100_000_000;

impl Money {
    /// The sum of amounts in the base currency.
    ///
    /// # Errors
    /// `missing_rate` for a currency that has no rate on or before the day of an amount; `amount_too_large`.
    pub(super) fn sum<'a>(amounts: impl Iterator<Item = &'a Amount>, base: &str) -> Result<Self> {
        let mut total = 0_i128;
        for amount in amounts {
            // An amount without a currency is in the base currency.
            let rate = match amount.currency.as_deref() {
                None => RATE_ONE,
                Some(code) if code == base => RATE_ONE,
                Some(code) => amount.rate.ok_or_else(|| missing(code, base, amount))?,
            };
            total = amount
                .sum
                .checked_mul(rate)
                .and_then(|m| total.checked_add(m))
                .ok_or_else(too_large)?;
        }
        Ok(Self(total))
    }

    /// By how much of another it differs from it; nothing where that is 0.
    pub(super) fn change_from(self, before: Self) -> Option<f64> {
        let difference = self.0.checked_sub(before.0)?;
        (before.0 != 0).then(|| difference as f64 / before.0.unsigned_abs() as f64)
    }

    /// So much in so many seconds, as so much a minute, to all its digits.
    pub(super) fn whole_per_minute(self, seconds: u32) -> f64 {
        self.0 as f64 / 1e12 * 60.0 / f64::from(seconds.max(1))
    }

    /// So much in so many seconds, as so much a minute.
    pub(super) fn per_minute(self, seconds: u32) -> Result<PerMinute> {
        // From 12 digits after the point to 6.
        let divisor = i128::from(seconds.max(1)) * 1_000_000;
        let sixty = self.0.checked_mul(60).ok_or_else(too_large)?;
        Ok(PerMinute(half_even(sixty, divisor)))
    }
}

/// Money a minute in millionths of the base currency, rounded half to even once, at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PerMinute(i128);

impl PerMinute {
    /// The double nearest to it; up to a billion a minute it shows the same digits.
    pub(super) fn nearest(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for PerMinute {
    /// Decimal text with six digits after the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:06}", all / 1_000_000, all % 1_000_000)
    }
}

/// `n / d`, rounded to the nearest whole number, and to the even one of two as near.
fn half_even(n: i128, d: i128) -> i128 {
    let (whole, rest) = (n.div_euclid(d), n.rem_euclid(d));
    match (rest * 2).cmp(&d) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
        std::cmp::Ordering::Greater => whole + 1,
    }
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

fn too_large() -> Error {
    Error::new(
        ErrorKind::Limit,
        "amount_too_large",
        "the revenue has more than 26 digits before the point",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Instant;

    fn amount(sum: i128, currency: Option<&str>, rate: Option<i128>) -> Amount {
        Amount {
            slot: 0,
            currency: currency.map(str::to_owned),
            day: Instant::default(),
            sum,
            rate,
        }
    }

    #[test]
    fn halves_are_rounded_to_the_even_digit_on_both_sides_of_zero() {
        assert_eq!(
            [25, 35, -25, -35, 26, -26, 24].map(|n| half_even(n, 10)),
            [2, 4, -2, -4, 3, -3, 2]
        );
    }

    #[test]
    fn a_sum_of_currencies_is_exact() {
        // 0.10 EUR ten times over is 1, not 0.9999999999999999; 1000 JPY at 0.00613400 is 6.134.
        let tenths: Vec<Amount> = (0..10).map(|_| amount(1_000, Some("EUR"), None)).collect();
        let yen = amount(10_000_000, Some("JPY"), Some(613_400));
        let sum = Money::sum(tenths.iter().chain([&yen]), "EUR").unwrap();
        assert_eq!(sum.per_minute(60).unwrap().to_string(), "7.134000");
        assert_eq!(sum.per_minute(60).unwrap().nearest(), 7.134);
        assert_eq!(sum.per_minute(900).unwrap().to_string(), "0.475600");
    }

    #[test]
    fn a_currency_without_a_rate_is_an_error_that_names_it() {
        let error = Money::sum([&amount(1, Some("CHF"), None)].into_iter(), "EUR").unwrap_err();
        assert_eq!(error.code(), "missing_rate");
        assert!(
            error.message().contains("`CHF`") && error.message().contains("1970-01-01"),
            "{error}"
        );
    }

    #[test]
    fn a_change_is_one_of_what_came_and_not_of_what_is_shown() {
        // A cent and a half an hour against a cent: shown as 0.000250 and 0.000167 a minute.
        let [more, less] =
            [150, 100].map(|n| Money::sum([&amount(n, None, None)].into_iter(), "EUR"));
        let (more, less) = (more.unwrap(), less.unwrap());
        assert_eq!(less.per_minute(3_600).unwrap().to_string(), "0.000167");
        assert_eq!(more.change_from(less), Some(0.5));
        assert_eq!(less.change_from(Money::default()), None);
        assert!((less.whole_per_minute(3_600) * 60.0 - 0.01).abs() < 1e-15);
    }

    #[test]
    fn an_amount_without_a_currency_is_in_the_base_currency() {
        let sum = Money::sum([&amount(-12_345, None, None)].into_iter(), "EUR").unwrap();
        assert_eq!(sum.per_minute(60).unwrap().to_string(), "-1.234500");
    }

    #[test]
    fn more_than_fits_is_an_error() {
        let huge = amount(i128::MAX / 2, Some("KWD"), Some(300_000_000));
        assert_eq!(
            Money::sum([&huge].into_iter(), "EUR").unwrap_err().code(),
            "amount_too_large"
        );
    }
}
