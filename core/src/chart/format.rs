//! Numbers as people read them: short on axes, exact beside marks.

/// What a figure counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Things, or anything without a name.
    #[default]
    Number,
    /// A share of 1, shown in percent.
    Share,
    /// A length of time in seconds.
    Seconds,
    /// Money of a currency.
    Money(String),
}

impl Unit {
    /// A figure for an axis: `12.4k`, `35 %`, `2 h`.
    pub(super) fn short(&self, value: f64) -> String {
        match self {
            Self::Number => short(value),
            Self::Share => format!("{} %", trimmed(value * 100.0, 2)),
            Self::Seconds => length(value),
            Self::Money(currency) => format!("{} {currency}", short(value)),
        }
    }

    /// A figure beside its mark: `12,431`, `35.2 %`, `2 h 5 min`.
    pub(crate) fn exact(&self, value: f64) -> String {
        match self {
            Self::Number => exact(value),
            Self::Share => percent(value),
            Self::Seconds => length(value),
            Self::Money(currency) => format!("{} {currency}", exact(value)),
        }
    }
}

/// A share in percent with one digit: `35.2 %`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.1} %", share * 100.0);
    match text.strip_prefix('-') {
        Some("0.0 %") => "0.0 %".to_owned(),
        _ => text,
    }
}

/// A number in at most four figures: `987`, `12.4k`, `3.05M`, `0.0123`.
pub fn short(value: f64) -> String {
    let size = value.abs();
    for (unit, name) in [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")] {
        // What would round up to 1,000 belongs to the unit above.
        if size >= 0.9995 * unit {
            return format!("{}{name}", figures(value / unit));
        }
    }
    figures(value)
}

/// A number with its thousands set apart, whole or with one decimal or four significant figures: `1,234,567`, `1,234.5`, `0.125`.
pub fn exact(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = if value.fract() == 0.0 || value.abs() >= 10_000.0 {
        0
    } else {
        places(value, 4).max(1)
    };
    let text = trimmed(value.abs(), digits);
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 && text != "0" { "-" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{point}{part}")
}

/// A length of time in its two largest units: `2 h 5 min`.
pub(crate) fn length(seconds: f64) -> String {
    let size = seconds.abs();
    let sign = if seconds < 0.0 { "-" } else { "" };
    if size < 60.0 {
        return format!("{sign}{} s", figures(size));
    }
    let mut rest = size.round() as u64;
    let mut parts = Vec::new();
    for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")] {
        let n = rest / unit;
        rest %= unit;
        if n > 0 {
            parts.push(format!("{n} {name}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    format!("{sign}{}", parts.join(" "))
}

/// Three significant figures.
fn figures(value: f64) -> String {
    trimmed(value, places(value, 3))
}

/// How many decimals give so many significant figures.
fn places(value: f64, significant: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    let magnitude = value.abs().log10().floor() as i32;
    usize::try_from((significant - 1 - magnitude).clamp(0, 12)).unwrap_or(0)
}

/// A number with at most so many decimals, without zeros at its end.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_short() {
        let table = [
            (0.0, "0"),
            (7.0, "7"),
            (999.0, "999"),
            (999.6, "1k"),
            (1_000.0, "1k"),
            (12_431.0, "12.4k"),
            (999_950.0, "1M"),
            (-2_500_000.0, "-2.5M"),
            (0.012_34, "0.0123"),
            (-0.000_000_000_000_01, "0"),
        ];
        for (value, text) in table {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn marks_are_exact() {
        assert_eq!(exact(1_234_567.0), "1,234,567");
        assert_eq!(exact(-1_234.5), "-1,234.5");
        assert_eq!(exact(0.125), "0.125");
        assert_eq!(exact(123_456.789), "123,457");
        assert_eq!(exact(f64::NAN), "–");
        assert_eq!(Unit::Share.exact(0.3519), "35.2 %");
        assert_eq!(Unit::Share.exact(-0.0004), "0.0 %");
        assert_eq!(Unit::Share.exact(-0.0006), "-0.1 %");
        assert_eq!(Unit::Share.short(0.25), "25 %");
        assert_eq!(Unit::Share.short(0.005), "0.5 %");
        assert_eq!(Unit::Money("EUR".into()).exact(9.5), "9.5 EUR");
    }

    #[test]
    fn lengths_have_two_units() {
        assert_eq!(length(7_500.0), "2 h 5 min");
        assert_eq!(length(86_400.0), "1 d");
        assert_eq!(length(86_459.0), "1 d");
        assert_eq!(length(12.34), "12.3 s");
        assert_eq!(length(59.99), "60 s");
    }
}
