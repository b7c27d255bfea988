//! `travelsense engagement`: how often users come, in the terminal.

use travelsense::Principal;
use travelsense::engagement::{ActivePeriod, EngagementAnswer};
use travelsense::query::Period;

use super::Outcome;
use super::question::{Common, days};
use super::store::Store;
use super::table::{Table, count, duration, percent};

/// Shows how often users come: active users, lifecycle, stickiness, sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense engagement --data demo --period weekly --start QUARTER_AGO --end YESTERDAY

Of each period: the users active in it, of these the new, those active in the period before (returning) and those active only
earlier (resurrected); and those of the period before who are not active (dormant).")]
pub(super) struct Engagement {
    #[command(flatten)]
    store: Store,
    /// daily, weekly or monthly [default: daily]
    #[arg(long, value_name = "PERIOD")]
    period: Option<String>,
    /// The event that is activity [default: any]
    #[arg(long, value_name = "EVENT")]
    event: Option<String>,
    /// The first day of weeks, such as sunday [default: monday]
    #[arg(long, value_name = "DAY")]
    week_start: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Engagement {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self.common.question(vec![
            ("period", self.period),
            ("event", self.event),
            ("weekStart", self.week_start),
        ])?;
        let store = self.store.read()?;
        let answer = store.engagement_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &EngagementAnswer) -> String {
    let mut text = format!(
        "{} users of {}, {} events, {}\n\n",
        count(answer.users),
        answer.segment.name(),
        count(answer.events),
        days(&answer.timezone, answer.start_date, answer.end_date),
    );
    let mark = |partial: bool, complete: bool| match (partial, complete) {
        (true, _) => " *",
        (false, false) => " …",
        (false, true) => "",
    };
    let day = |start, partial, complete| {
        format!("{}{}", answer.timezone.day(start), mark(partial, complete))
    };
    let active = answer.active_users.as_ref().map(|a| match answer.period {
        Period::Weekly => &a.weekly,
        Period::Monthly => &a.monthly,
        _ => &a.daily,
    });
    let rows = active.into_iter().flatten();
    let periods: Vec<&ActivePeriod> = rows.collect();
    match &answer.lifecycle {
        Some(lifecycle) => {
            let head = [
                "Period",
                "Active",
                "New",
                "Returning",
                "Resurrected",
                "Dormant",
            ];
            let mut table = Table::new(1, &head);
            for row in lifecycle {
                let figures = [
                    row.active,
                    row.new,
                    row.returning,
                    row.resurrected,
                    row.dormant,
                ];
                let mut cells = vec![day(row.start, row.partial, row.complete)];
                cells.extend(figures.map(count));
                table.row(cells);
            }
            text.push_str(&table.render());
        }
        None if !periods.is_empty() => {
            let mut table = Table::new(1, &["Period", "Active"]);
            for row in periods {
                let start = day(row.start, row.partial, row.complete);
                table.row(vec![start, count(row.users)]);
            }
            text.push_str(&table.render());
        }
        None => {}
    }
    if let Some(stickiness) = &answer.stickiness {
        let ratio = &stickiness.dau_over_mau;
        text.push_str(&format!(
            "\nDAU/MAU {}: {:.1} of {} users a day.\n",
            percent(ratio.value),
            ratio.mean_daily_users,
            count(ratio.users),
        ));
    }
    if let Some(sessions) = &answer.sessions {
        text.push_str(&format!(
            "{} sessions, {} at the median, {} of one event.\n",
            count(sessions.count),
            duration(sessions.seconds.median),
            percent(sessions.bounces.value),
        ));
    }
    let lifecycle = answer.lifecycle.iter().flatten();
    if lifecycle.clone().any(|row| row.partial) {
        text.push_str("\n* The range holds only a part of this period.\n");
    }
    text
}
