//! The flags that questions share, and how flags become the JSON form of a question.

use serde_json::Value;

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
    /// Write the answer as the same JSON that every other door gives
    #[arg(long)]
    pub(super) json: bool,
}

impl Common {
    /// The question of these flags and of a command's own, read just as a query string is.
    pub(super) fn question(&self, own: Vec<(&str, Option<String>)>) -> Value {
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
        Parameters::read(given.collect()).question().clone()
    }
}
