//! Money as exact decimals (M1).

use std::fmt;

use serde::{Serialize, Serializer};

/// Money in 10^-12 of the base currency: amounts have 4 digits after the point, rates 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub i128);

/// So many of the parts that money is counted in are one.
const ONE: u128 = 1_000_000_000_000;

impl fmt::Display for Money {
    /// Decimal text with all its digits, at least two after the point.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let all = self.0.unsigned_abs();
        let digits = format!("{:012}", all % ONE);
        let digits = digits.trim_end_matches('0');
        write!(f, "{sign}{}.{digits:0<2}", all / ONE)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Money;

    #[test]
    fn all_digits_are_shown_and_at_least_two() {
        let table = [
            (0, "0.00"),
            (1_000_000_000_000, "1.00"),
            (-1_500_000_000_000, "-1.50"),
            (123_456_700_000_000, "123.4567"),
            (-1, "-0.000000000001"),
        ];
        for (money, text) in table {
            assert_eq!(Money(money).to_string(), text);
        }
    }
}
