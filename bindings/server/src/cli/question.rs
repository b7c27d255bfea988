//! The flags that questions share, and how flags become the JSON form of a question.

use serde::Serialize;
use serde_json::Value;
use travelsense::{Instant, Zone};

use super::failure::Failure;
use super::{Outcome, output};
use crate::parameters::Parameters;

/// The range and the users of a question.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Common {
    /// First date, or time, of the range: 2026-01-31 or 2026-01-31T10:00:00Z
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date of the range (included whole), or the time it ends
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// IANA time zone of dates and calendars [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Users: all, new, returning, active, inactive, premium or free [default: all]
    #[arg(long, value_name = "SEGMENT")]
    segment: Option<String>,
    /// Leave out everything after this instant [default: now]
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,
    /// Any other field of the question, as in JSON: `--option limit=5`, `--option 'filters=[{"property":"city","value":"Rome"}]'`
    #[arg(long, value_name = "FIELD=VALUE")]
    option: Vec<String>,
    /// Write the answer as the same JSON that every other door gives
    #[arg(long)]
    json: bool,
}

impl Common {
    /// The question of these flags and of a command's own, read just as a query string is.
    ///
    /// # Errors
    /// For an option without a value.
    pub(super) fn question(&self, own: Vec<(&str, Option<String>)>) -> Result<Value, Failure> {
        let shared = [
            ("startDate", &self.start),
            ("endDate", &self.end),
            ("timezone", &self.timezone),
            ("segment", &self.segment),
            ("asOf", &self.as_of),
        ];
        let shared = shared
            .into_iter()
            .map(|(name, value)| (name, value.clone()));
        let given = shared
            .chain(own)
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let mut question = Parameters::read(given.collect()).question().clone();
        for option in &self.option {
            let Some((name, value)) = option.split_once('=') else {
                let wrong =
                    format!("--option `{option}` must be a field and its value, such as limit=5");
                return Err(Failure::invalid(wrong));
            };
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            if let Some(fields) = question.as_object_mut() {
                fields.insert(name.to_owned(), value);
            }
        }
        Ok(question)
    }

    /// Writes an answer: as JSON, or as a person reads it.
    pub(super) fn write<T: Serialize>(&self, answer: &T, show: impl Fn(&T) -> String) -> Outcome {
        let text = if self.json {
            serde_json::to_string(answer).map_err(travelsense::Error::internal)?
        } else {
            show(answer)
        };
        Ok(output::line(text.trim_end())?)
    }
}

/// The days of a range, whose end is the first instant after it.
pub(super) fn days(zone: &Zone, from: Instant, to: Instant) -> String {
    format!(
        "{} to {}, {}",
        zone.day(from),
        zone.day(last(to)),
        zone.name()
    )
}

/// An instant in the last day of a range.
pub(super) fn last(end: Instant) -> Instant {
    Instant::saturating_from_micros(end.micros() - 1)
}
