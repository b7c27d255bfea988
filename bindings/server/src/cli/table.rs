//! Lays out tables and bars for a terminal.

use travelsense::Selector;

/// A table whose first columns are text, at least one, and whose others are numbers.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    words: usize,
}

impl Table {
    /// A table of so many columns of text, under a head.
    pub(super) fn new(words: usize, head: &[&str]) -> Self {
        let head = head.iter().map(|name| (*name).to_owned());
        Self {
            rows: vec![head.collect()],
            words,
        }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The table as lines, text to the left and numbers to the right.
    pub(super) fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|c| {
                self.rows
                    .iter()
                    .filter_map(|r| r.get(c))
                    .map(|t| width(t))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (c, (cell, wide)) in row.iter().zip(&widths).enumerate() {
                let gap = " ".repeat(wide.saturating_sub(width(cell)));
                if c > 0 {
                    line.push_str("  ");
                }
                if c < self.words.max(1) {
                    line.push_str(cell);
                    line.push_str(&gap);
                } else {
                    line.push_str(&gap);
                    line.push_str(cell);
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// A bar of up to `columns` characters for a share of 1, exact to an eighth of a character.
pub(super) fn bar(share: f64, columns: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * columns as f64 * 8.0).round() as usize;
    let rest = PARTS.get(eighths % 8).copied().unwrap_or_default();
    format!("{}{rest}", "█".repeat(eighths / 8))
}

/// A number with its thousands set apart.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage, or a dash where there is none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| format!("{:.1} %", s * 100.0))
}

/// The difference of two shares in points of percent, or a dash where there is none.
pub(super) fn points(difference: Option<f64>) -> String {
    difference.map_or_else(|| "–".to_owned(), |d| format!("{:+.1} %", d * 100.0))
}

/// The name of the events that are meant.
pub(super) fn event(selector: &Selector) -> String {
    match selector {
        Selector::Any => "(any event)".to_owned(),
        Selector::Event(name) => name.clone(),
        Selector::AnyOf(names) => names.join(" | "),
    }
}

/// A duration of seconds in its two largest units.
pub(super) fn duration(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else {
        return "–".to_owned();
    };
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut rest = seconds.round() as u64;
    let mut text = Vec::new();
    for (name, unit) in units {
        if text.len() == 1 && rest / unit == 0 {
            break;
        }
        if rest / unit > 0 && text.len() < 2 {
            text.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    text.join(" ")
}

/// How many columns text takes; every character that event names and figures commonly have is one wide.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::default();
        table.row(vec!["step".into(), "users".into()]);
        table.row(vec!["réserver".into(), "1,234".into()]);
        table.row(vec!["x".into(), "7".into()]);
        assert_eq!(
            table.render(),
            "step      users\nréserver  1,234\nx             7\n"
        );
    }

    #[test]
    fn bars_and_durations_are_to_scale() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.28125, 4), "█▏");
        assert_eq!(bar(0.0, 4), "");
        assert_eq!(duration(Some(0.25)), "0.2 s");
        assert_eq!(duration(Some(61.0)), "1 min 1 s");
        assert_eq!(duration(Some(7_500.0)), "2 h 5 min");
        assert_eq!(duration(Some(90_000.0)), "1 d 1 h");
        assert_eq!(duration(Some(86_460.0)), "1 d");
        assert_eq!(duration(Some(1_209_600.0)), "14 d");
        assert_eq!(percent(None), "–");
    }
}
