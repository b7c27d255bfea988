//! The conversion window (F2): elapsed time, never calendar days.

use serde::{Serialize, Serializer};

/// A length of elapsed time of at most 100 years, exact to the microsecond; serialised in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(i64);

const DAY: i64 = 86_400_000_000;
const LONGEST: i64 = 36_525 * DAY;

impl Window {
    /// So many days of 86,400 seconds.
    pub const fn days(days: u32) -> Self {
        Self::clamped(days as i64 * DAY)
    }

    /// So many seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self::clamped(seconds as i64 * 1_000_000)
    }

    /// So many microseconds; `None` below 0 or above 100 years.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (0..=LONGEST).contains(&micros).then_some(Self(micros))
    }

    /// Reads `7d`, `12h`, `30m`, `45s`, `500ms` or `2w`; `None` if it is none of these or out of bounds.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = text.split_at(digits);
        let unit = match unit {
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => DAY,
            "w" => 7 * DAY,
            _ => return None,
        };
        Self::from_micros(count.parse::<i64>().ok()?.checked_mul(unit)?)
    }

    /// Its length in microseconds.
    pub fn micros(self) -> i64 {
        self.0
    }

    const fn clamped(micros: i64) -> Self {
        Self(if micros > LONGEST { LONGEST } else { micros })
    }
}

impl Default for Window {
    /// 14 days: the booking windows of travel are long (M2).
    fn default() -> Self {
        Self::days(14)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if self.0 % 1_000_000 == 0 {
            serializer.serialize_i64(self.0 / 1_000_000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1e6)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn lengths_are_read_with_their_units() {
        let micros = |text| Window::parse(text).map(Window::micros);
        assert_eq!(micros("7d"), Some(7 * 86_400_000_000));
        assert_eq!(micros("500ms"), Some(500_000));
        for bad in [
            "",
            "d",
            "7",
            "7y",
            "-7d",
            "1.5d",
            "9999999999999999w",
            "36526d",
        ] {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }
}
