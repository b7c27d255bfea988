//! `travelsense retention`: a cohort table in the terminal.

use travelsense::Principal;
use travelsense::retention::{Cell, Cohort, PeriodAverage, RetentionAnswer};

use super::Outcome;
use super::question::Common;
use super::store::Store;
use super::table::{Table, count};

/// Shows who comes back, by the day, week or month in which they started
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense retention --data demo --period weekly --start QUARTER_AGO --end YESTERDAY

Column n is the share of a cohort that came back n periods after its first. A figure in brackets is how many came back so
far in a period that has not ended.")]
pub(super) struct Retention {
    #[command(flatten)]
    store: Store,
    /// hourly, daily, weekly or monthly
    #[arg(long, value_name = "PERIOD", default_value = "weekly")]
    period: String,
    /// The event that starts a user [default: any]
    #[arg(long, value_name = "EVENTS")]
    start_event: Option<String>,
    /// The event that brings a user back [default: any]
    #[arg(long, value_name = "EVENTS")]
    return_event: Option<String>,
    /// The figure in the cells: retention_rate, revenue, engagement, feature_usage, property_sum or property_average
    #[arg(long, value_name = "METRIC", default_value = "retention_rate")]
    metric: String,
    /// The numeric property of the metrics property_sum and property_average
    #[arg(long, value_name = "NAME")]
    property: Option<String>,
    /// first_time, first_ever_then_filter or recurring [default: first_time]
    #[arg(long, value_name = "MODE")]
    mode: Option<String>,
    /// How columns count time: calendar, 24h, 7d, 30d or month_anniversary [default: calendar]
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Which returns a column counts: on, on_or_after, on_or_before or streak [default: on]
    #[arg(long, value_name = "CRITERION")]
    criterion: Option<String>,
    /// Columns of several periods, such as [[0,1],[1,7]]
    #[arg(long, value_name = "PAIRS")]
    brackets: Option<String>,
    /// The same table for each value that starts have of a property
    #[arg(long, value_name = "NAME")]
    breakdown: Option<String>,
    /// The peer whose switches stand: posthog, mixpanel, amplitude or clickhouse
    #[arg(long, value_name = "PEER")]
    preset: Option<String>,
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
            ("analysisMetric", Some(self.metric)),
            ("property", self.property),
            ("start", self.start_event),
            ("return", self.return_event),
            ("mode", self.mode),
            ("unit", self.unit),
            ("criterion", self.criterion),
            ("brackets", self.brackets),
            ("breakdown", self.breakdown),
            ("preset", self.preset),
            ("weekStart", self.week_start),
            ("periods", self.periods),
        ])?;
        let answer = self
            .store
            .read()?
            .retention_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &RetentionAnswer) -> String {
    let mut text = format!(
        "{} of {} users in {}, as of {}\n\n{}",
        answer.analysis_metric.replace('_', " "),
        answer.segment.name(),
        answer.timezone.name(),
        answer.as_of,
        table(answer, &answer.cohorts, &answer.average)
    );
    for group in answer.breakdown.iter().flat_map(|b| &b.groups) {
        let table = table(answer, &group.cohorts, &group.average);
        text.push_str(&format!("\n{}\n\n{table}", group.label));
    }
    if answer.cohorts.iter().any(|c| c.partial) {
        text.push_str("\n* The range holds only a part of this period.\n");
    }
    if answer.left_censored {
        text.push_str("\nStored history does not begin before the range, so some first times may not be the first.\n");
    }
    text
}

/// The rows of all users, or of a group.
fn table(answer: &RetentionAnswer, cohorts: &[Cohort], average: &[PeriodAverage]) -> String {
    let figure = |value: Option<f64>| match value {
        None => "–".to_owned(),
        Some(share) if answer.analysis_metric == "retention_rate" => {
            format!("{:.1}%", share * 100.0)
        }
        Some(figure) => format!("{figure:.2}"),
    };
    let cell = |cell: &Cell| {
        if cell.value.is_none() && !cell.complete {
            return format!("({})", count(cell.partial_count));
        }
        figure(cell.value)
    };
    let mut table = Table::default();
    let mut head = vec!["Cohort".to_owned(), "Users".to_owned()];
    let widest = cohorts.iter().map(|c| &c.retention);
    let widest = widest.max_by_key(|cells| cells.len());
    head.extend(widest.into_iter().flatten().map(|cell| match cell.until {
        Some(end) if end > cell.period + 1 => format!("{}–{}", cell.period, end - 1),
        _ => cell.period.to_string(),
    }));
    table.row(head);
    for cohort in cohorts {
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
    let mut all = vec![
        "All".to_owned(),
        count(cohorts.iter().map(|c| c.size).sum()),
    ];
    all.extend(average.iter().map(|a| figure(a.rate.value)));
    table.row(all);
    table.render()
}
