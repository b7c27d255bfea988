//! `travelsense drop-off`: where users stop and what separates them, in the terminal.

use travelsense::Principal;
use travelsense::funnel::{DropOffAnswer, Factors};

use super::Outcome;
use super::question::{Common, days};
use super::store::Store;
use super::table::{Table, count, duration, event, percent, points};

/// Shows where the users of a funnel stop, what they do next, and what separates them from those who go on
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense drop-off --data demo --steps search,view_trip,complete_booking --start MONTH_AGO --end YESTERDAY

Only users whose window is over are compared. The p-values are adjusted for all that was tried.")]
pub(super) struct DropOff {
    #[command(flatten)]
    store: Store,
    /// Event names in order, with commas between them; or a JSON list
    #[arg(long, value_name = "EVENTS")]
    steps: Option<String>,
    /// The longest time from the first step to the last: 30m, 12h, 7d, 2w or seconds [default: 14d]
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    window: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl DropOff {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self
            .common
            .question(vec![("steps", self.steps), ("window", self.window)])?;
        let store = self.store.read()?;
        let answer = store.drop_off_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &DropOffAnswer) -> String {
    let mut text = format!(
        "{} users, window {}, {}\n\n",
        answer.segment.name(),
        duration(Some(answer.window.micros() as f64 / 1e6)),
        days(&answer.timezone, answer.start_date, answer.end_date),
    );
    let head = [
        "Step",
        "Did next",
        "Users",
        "Stopped",
        "Share",
        "Nothing more",
    ];
    let mut table = Table::new(2, &head);
    for step in &answer.steps {
        let next = step.next.first();
        table.row(vec![
            format!("{}. {}", step.step, event(&step.event)),
            next.map(|next| next.event.clone()).unwrap_or_default(),
            count(step.matured.reached),
            count(step.matured.dropped),
            percent(step.matured.rate.value),
            percent(step.exit.value),
        ]);
    }
    text.push_str(&table.render());
    for step in &answer.steps {
        let title = format!("Who goes on from {}", event(&step.event));
        text.push_str(&factors(&title, &step.factors));
    }
    text.push_str(&factors("Who converts", &answer.conversion.factors));
    text
}

/// What separates those who went on from the others.
fn factors(title: &str, factors: &Factors) -> String {
    if factors.factors.is_empty() {
        return String::new();
    }
    let mut table = Table::new(1, &["Factor", "Has it", "Lacks it", "Difference", "p"]);
    for factor in &factors.factors {
        let contrast = &factor.contrast;
        table.row(vec![
            factor.label.clone(),
            percent(contrast.with.value),
            percent(contrast.without.value),
            points(contrast.difference),
            p_value(contrast.adjusted_p_value),
        ]);
    }
    format!("\n{title} ({} tried)\n{}", factors.tried, table.render())
}

/// A p-value, or a dash where there is none.
pub(super) fn p_value(p: Option<f64>) -> String {
    match p {
        None => "–".to_owned(),
        Some(p) if p < 0.001 => "<0.001".to_owned(),
        Some(p) => format!("{p:.3}"),
    }
}
