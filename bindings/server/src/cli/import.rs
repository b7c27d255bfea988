//! `travelsense import`: loads events, or one of the platform's tables, from a file; and events from a stream or a table that grows.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::{Map, Value, json};
use travelsense::Principal;
use travelsense::events::{Format, ImportOptions, ImportReport, Mapping, Source, Table};

use super::failure::Failure;
use super::follow;
use super::progress::Progress;
use super::store::{self, Store};
use super::table::{Table as Columns, count};
use super::{Outcome, output};
use crate::source::{self, Notes};

/// Loads events from a file (NDJSON, CSV, Parquet, Arrow), a stream of NATS or a table of PostgreSQL
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, for a CSV of purchases with the columns customer_id, date and amount:
  travelsense import purchases.csv --data ./data --user customer_id --time date --event purchase

A stream of NATS JetStream, and a table of PostgreSQL by a column that grows, from where the last import stopped:
  travelsense import nats://localhost:4222/EVENTS --data ./data --follow
  travelsense import 'postgres://me@localhost/shop?table=purchases&cursor=id' --data ./data --user customer_id --time paid_at

Columns that are not named become properties. Rows with an id can be imported again without doubling, a file whose rows have none cannot.
Each row is accepted, a duplicate (by its id, or by where it lay in a stream, a table or
a file that is followed), or refused with a reason."
)]
pub(super) struct Import {
    /// The file, or with --follow a folder of files; nats://host/STREAM; postgres://user@host/database?table=NAME&cursor=COLUMN
    #[arg(value_name = "SOURCE")]
    source: String,
    #[command(flatten)]
    store: Store,
    /// events, profiles, trips, bookings, reviews, payments, performance or rates
    #[arg(long, value_name = "TABLE", default_value = "events")]
    table: String,
    /// ndjson, csv, parquet or arrow [default: by the file's extension]
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// The column of the user's id [default: userId or user_id]
    #[arg(long, value_name = "COLUMN")]
    user: Option<String>,
    /// The column of the anonymous id [default: anonymousId or anonymous_id]
    #[arg(long, value_name = "COLUMN")]
    anonymous: Option<String>,
    /// The column of the session [default: sessionId or session_id]
    #[arg(long, value_name = "COLUMN")]
    session: Option<String>,
    /// The column of the event's name [default: name or event]
    #[arg(long, value_name = "COLUMN", conflicts_with = "event")]
    name: Option<String>,
    /// One event name for every row, in place of a column
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// The column of when it happened [default: ts, timestamp or time]
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// The column of the event's id [default: eventId or event_id]
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// What times that are bare numbers count: s, ms or us
    #[arg(long, value_name = "UNIT")]
    time_unit: Option<String>,
    /// IANA time zone of times without an offset [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Keep nothing at all if any row is refused
    #[arg(long)]
    strict: bool,
    /// Go on with what comes to the stream or the table, or is appended to the file or the files of a folder (NDJSON or CSV), until SIGINT
    /// or SIGTERM; started again it goes on where it was
    #[arg(long, conflicts_with = "strict")]
    follow: bool,
    /// Write the report as JSON
    #[arg(long)]
    json: bool,
}

/// How many refused rows are shown; the JSON report has up to 1,000.
const SHOWN: usize = 20;

impl Import {
    /// Loads it and tells what became of each row.
    pub(super) fn run(self) -> Outcome {
        let mapping = Mapping::parse(&self.mapping())?;
        let table = self.table()?;
        if self.follow || source::is_remote(&self.source) {
            if table.is_some() {
                return Err(Failure::invalid("--table: only events come from there"));
            }
            let analytics = self.store.write()?;
            let notes = Notes::beside(&store::file(&self.store.data))?;
            if let Some(path) = notes.aside() {
                output::complain(&format!(
                    "the notes of how far sources were read were damaged and are `{}` now: it is read from its beginning, and what is \
                     stored of it is known",
                    path.display()
                ));
            }
            let mut feed = source::feed(&self.source, &notes)?;
            return follow::run(analytics, &mut *feed, &mapping, (self.follow, self.json));
        }
        let source = self.file()?;
        let analytics = self.store.write()?;
        let bar = Progress::start(&self.source);
        let mut hear = |progress| {
            bar.at(progress);
            ControlFlow::Continue(())
        };
        let mut options = ImportOptions {
            table,
            strict: self.strict,
            progress: Some(&mut hear),
        };
        let imported = analytics.import(&Principal::owner(), source, &mapping, &mut options);
        drop(bar);
        let report = imported.map_err(|error| {
            let refused = error
                .field_errors()
                .iter()
                .any(|f| f.field.starts_with("lines"));
            match Failure::from(error) {
                // The flags were right; it is the file that is not.
                Failure::Refused { lines, .. } if refused => Failure::Refused {
                    lines,
                    invalid: false,
                },
                other => other,
            }
        })?;
        analytics.close();
        let text = if self.json {
            serde_json::to_string(&report).map_err(travelsense::Error::internal)?
        } else {
            self.show(&report)
        };
        Ok(output::line(text.trim_end())?)
    }

    /// The mapping in its JSON form.
    fn mapping(&self) -> Value {
        let parts = [
            ("user", &self.user),
            ("anonymous", &self.anonymous),
            ("session", &self.session),
            ("name", &self.name),
            ("time", &self.time),
            ("id", &self.id),
            ("timeUnit", &self.time_unit),
            ("timezone", &self.timezone),
        ];
        let mut mapping: Map<String, Value> = parts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value.clone()?))))
            .collect();
        if let Some(event) = &self.event {
            mapping.insert("name".to_owned(), json!({ "constant": event }));
        }
        Value::Object(mapping)
    }

    fn table(&self) -> Result<Option<Table>, Failure> {
        if self.table == "events" {
            return Ok(None);
        }
        Table::named(&self.table).map(Some).ok_or_else(|| {
            let names: Vec<&str> = Table::ALL.iter().map(|t| t.name()).collect();
            Failure::invalid(format!(
                "--table: `{}` is not one of events, {}",
                self.table,
                names.join(", ")
            ))
        })
    }

    fn file(&self) -> Result<Source, Failure> {
        let file = PathBuf::from(&self.source);
        let Some(name) = &self.format else {
            return Ok(Source::Path(file));
        };
        let format = Format::named(name).ok_or_else(|| {
            Failure::invalid(format!(
                "--format: `{name}` is not one of ndjson, csv, parquet, arrow"
            ))
        })?;
        Ok(Source::File(file, format))
    }

    fn show(&self, report: &ImportReport) -> String {
        let mut text = format!("{} into {}\n\n", self.source, self.table);
        let mut columns = Columns::default();
        let figures = [
            ("rows read", report.sent, true),
            ("accepted", report.accepted, true),
            ("duplicates", report.duplicates, true),
            ("of another content", report.conflicts, report.conflicts > 0),
            ("refused", report.refused, true),
            ("kept aside", report.quarantined, report.quarantined > 0),
        ];
        for (name, figure, _) in figures.into_iter().filter(|f| f.2) {
            columns.row(vec![format!("  {name}"), count(figure)]);
        }
        text.push_str(&columns.render());
        if report.refused > 0 {
            text.push_str("\nRefused:\n");
        }
        for refusal in report.refusals.iter().take(SHOWN) {
            let reasons: Vec<String> = refusal
                .errors
                .iter()
                .map(|e| format!("{} {}", e.field, e.message))
                .collect();
            text.push_str(&format!(
                "  line {}: {}\n",
                refusal.line,
                reasons.join("; ")
            ));
        }
        let more = report
            .refused
            .saturating_sub(report.refusals.len().min(SHOWN) as u64);
        if more > 0 {
            text.push_str(&format!(
                "  and {} more; --json lists the first 1,000\n",
                count(more)
            ));
        }
        text
    }
}
