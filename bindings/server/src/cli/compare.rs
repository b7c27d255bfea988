//! `travelsense compare`: the groups of a funnel, each against the rest, in the terminal.

use travelsense::Principal;
use travelsense::funnel::Comparison;
use travelsense::query::Contrast;

use super::Outcome;
use super::dropoff::p_value;
use super::question::{Common, days};
use super::store::Store;
use super::table::{Table, count, duration, event, percent, points};

/// Shows whether the groups of a funnel differ, each from the rest, in the whole and at each step
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense compare --data demo --steps search,complete_booking --between new,returning \\
    --start MONTH_AGO --end YESTERDAY

The p-values are adjusted for all groups together, and for all groups and steps.")]
pub(super) struct Compare {
    #[command(flatten)]
    store: Store,
    /// Event names in order, with commas between them; or a JSON list
    #[arg(long, value_name = "EVENTS")]
    steps: Option<String>,
    /// The longest time from the first step to the last: 30m, 12h, 7d, 2w or seconds [default: 14d]
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    window: Option<String>,
    /// Segments with commas between them, or a JSON list of segments and cohorts
    #[arg(long, value_name = "GROUPS")]
    between: Option<String>,
    /// The property whose groups are compared, in the place of `--between`
    #[arg(long, value_name = "NAME")]
    breakdown: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Compare {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self.common.question(vec![
            ("steps", self.steps),
            ("window", self.window),
            ("between", self.between),
            ("breakdown", self.breakdown),
        ])?;
        let store = self.store.read()?;
        let answer = store.compare_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &Comparison) -> String {
    let head = [
        "Group",
        "Step",
        "Users",
        "Rate",
        "Of the rest",
        "Difference",
        "95 % interval",
        "p",
    ];
    let mut table = Table::new(2, &head);
    let mut row = |group: &str, step: String, contrast: &Contrast| {
        let interval = match (contrast.low, contrast.high) {
            (Some(_), Some(_)) => format!("{} to {}", points(contrast.low), points(contrast.high)),
            _ => "–".to_owned(),
        };
        table.row(vec![
            group.to_owned(),
            step,
            count(contrast.with.n),
            percent(contrast.with.value),
            percent(contrast.without.value),
            points(contrast.difference),
            interval,
            p_value(contrast.adjusted_p_value),
        ]);
    };
    for group in &answer.groups {
        row(&group.label, "all".to_owned(), &group.conversion);
        for step in &group.steps {
            let named = format!("{}. {}", step.step, event(&step.event));
            row("", named, &step.contrast);
        }
    }
    let mut text = format!(
        "{} users, window {}, {}\n\n{}",
        answer.segment.name(),
        duration(Some(answer.window.micros() as f64 / 1e6)),
        days(&answer.timezone, answer.start_date, answer.end_date),
        table.render(),
    );
    if answer.shared > 0 {
        text.push_str(&format!(
            "\n{} are of several groups.\n",
            count(answer.shared)
        ));
    }
    text
}
