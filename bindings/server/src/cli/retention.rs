//! `travelsense retention`: a cohort table in the terminal.

use travelsense::Principal;
use travelsense::retention::{Cell, RetentionAnswer};

use super::question::Common;
use super::store::Store;
use super::table::{Table, count};
use super::{Outcome, output};

/// Shows who comes back, by the day, week or month in which they started
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense retention --data demo --period weekly --start 2026-01-01 --end 2026-03-31

Column n is the share of a cohort that came back n periods after its first. A figure in brackets is how many came back so
far in a period that has not ended.")]
pub(super) struct Retention {
    #[command(flatten)]
    store: Store,
    /// daily, weekly or monthly
    #[arg(long, value_name = "PERIOD", default_value = "weekly")]
    period: String,
    /// The event that starts a user [default: any]
    #[arg(long, value_name = "EVENTS")]
    start_event: Option<String>,
    /// The event that brings a user back [default: any]
    #[arg(long, value_name = "EVENTS")]
    return_event: Option<String>,
    /// first_time or recurring [default: first_time]
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// The first day of weeks, such as sunday [default: monday]
    #[arg(long, value_name = "DAY")]
    week_start: Option<String>,
    /// How many periods after the first to show [default: all that have begun]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    periods: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Retention {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self.common.question(vec![
            ("cohortPeriod", Some(self.period)),
            ("analysisMetric", Some("retention_rate".to_owned())),
            ("start", self.start_event),
            ("return", self.return_event),
            ("mode", self.mode),
            ("weekStart", self.week_start),
            ("periods", self.periods),
        ]);
        let answer = self
            .store
            .read()?
            .retention_json(&Principal::owner(), &question)?;
        let text = if self.common.json {
            serde_json::to_string(&answer).map_err(travelsense::Error::internal)?
        } else {
            show(&answer)
        };
        Ok(output::line(text.trim_end())?)
    }
}

fn show(answer: &RetentionAnswer) -> String {
    let columns = answer
        .cohorts
        .iter()
        .map(|c| c.retention.len())
        .max()
        .unwrap_or(0);
    let mut table = Table::default();
    let mut head = vec!["Cohort".to_owned(), "Users".to_owned()];
    head.extend((0..columns).map(|n| n.to_string()));
    table.row(head);
    for cohort in &answer.cohorts {
        let day = answer.timezone.day(cohort.period);
        let mut row = vec![
            if cohort.partial {
                format!("{day} *")
            } else {
                day
            },
            count(cohort.size),
        ];
        row.extend(cohort.retention.iter().map(cell));
        table.row(row);
    }
    let mut average = vec![
        "All".to_owned(),
        count(answer.cohorts.iter().map(|c| c.size).sum()),
    ];
    average.extend(answer.average.iter().map(|a| percent(a.rate.value)));
    table.row(average);

    let mut text = format!(
        "{} users in {}, as of {}\n\n{}",
        answer.segment.name(),
        answer.timezone.name(),
        answer.as_of,
        table.render()
    );
    if answer.cohorts.iter().any(|c| c.partial) {
        text.push_str("\n* The range holds only a part of this period.\n");
    }
    if answer.left_censored {
        text.push_str("\nStored history does not begin before the range, so some first times may not be the first.\n");
    }
    text
}

fn cell(cell: &Cell) -> String {
    if cell.value.is_none() && !cell.complete {
        return format!("({})", count(cell.partial_count));
    }
    percent(cell.value)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| format!("{:.1}%", s * 100.0))
}
