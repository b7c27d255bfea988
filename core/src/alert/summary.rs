//! What was read, in words.

use super::condition::{Against, Condition, Reading};
use super::rule::{Rule, Source, System};

impl Rule {
    /// A sentence that says what was read and what it is compared with.
    pub fn sentence(&self, reading: &Reading) -> String {
        let what = match &self.source {
            Source::Metric { name, .. } => (*name).to_owned(),
            Source::Answer { word, value, .. } => format!("{word}{value}"),
            Source::System(System::Freshness(Some(source))) => format!("freshness of {source}"),
            Source::System(system) => system.name().to_owned(),
        };
        let Some(value) = reading.value else {
            return format!("{}: {what} has no value", self.name);
        };
        let value = short(value);
        let against = match self.condition {
            Condition::Threshold { above, below, .. } => match (above, below) {
                (Some(above), Some(below)) => {
                    format!("between {} and {}", short(below), short(above))
                }
                (Some(above), None) => format!("at most {}", short(above)),
                (_, below) => format!("at least {}", short(below.unwrap_or_default())),
            },
            Condition::Change { against, .. } => {
                let when = match against {
                    Against::Previous => "before",
                    Against::WeekBefore => "a week before",
                };
                reading
                    .before
                    .map_or_else(String::new, |b| format!("about {} as {when}", short(b)))
            }
            Condition::Anomaly { .. } => reading
                .unusual
                .map_or_else(String::new, |u| format!("about {}", short(u.expected))),
            Condition::Band { .. } => match (reading.low, reading.high) {
                (Some(low), Some(high)) => format!("{} to {}", short(low), short(high)),
                (Some(low), None) => format!("at least {}", short(low)),
                (_, high) => high.map_or_else(String::new, |h| format!("at most {}", short(h))),
            },
            Condition::NoData => String::new(),
        };
        if against.is_empty() {
            return format!("{}: {what} is {value}", self.name);
        }
        format!("{}: {what} is {value}, expected {against}", self.name)
    }
}

/// A number with about four digits.
fn short(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e15 {
        return format!("{number}");
    }
    let digits = (3 - number.abs().log10().floor() as i32).clamp(0, 12) as usize;
    let text = format!("{number:.digits$}");
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}
