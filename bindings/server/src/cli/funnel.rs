//! `travelsense funnel`: a funnel in the terminal.

use travelsense::Principal;
use travelsense::funnel::{FunnelAnswer, Groups};
use travelsense::query::Property;

use super::Outcome;
use super::question::{Common, last};
use super::store::Store;
use super::table::{Table, bar, count, duration, event, percent};

/// Shows how many users go through a series of steps, and where they stop
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense funnel --data demo --steps search,view_trip,start_booking,complete_booking \\
    --window 14d --start MONTH_AGO --end YESTERDAY --timezone Europe/Paris

A step may be `*` for any event. Steps that are not given are the catalogue's default funnel.")]
pub(super) struct Funnel {
    #[command(flatten)]
    store: Store,
    /// Event names in order, with commas between them; or a JSON list
    #[arg(long, value_name = "EVENTS")]
    steps: Option<String>,
    /// The longest time from the first step to the last: 30m, 12h, 7d, 2w or seconds [default: 14d]
    #[arg(long, value_name = "LENGTH", allow_hyphen_values = true)]
    window: Option<String>,
    /// Events of the same instant do not follow each other
    #[arg(long)]
    strict_increase: bool,
    /// The same funnel for each value that entries have of a property
    #[arg(long, value_name = "NAME")]
    breakdown: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Funnel {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self.common.question(vec![
            ("steps", self.steps),
            ("window", self.window),
            (
                "strictIncrease",
                self.strict_increase.then(|| "true".to_owned()),
            ),
            ("breakdown", self.breakdown),
        ])?;
        let answer = self
            .store
            .read()?
            .funnel_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &FunnelAnswer) -> String {
    let mut table = Table::default();
    let head = ["Step", "Users", "Of first", "Of previous", "Median time"];
    table.row(head.map(ToOwned::to_owned).into());
    for step in &answer.steps {
        let first = step.step == 1;
        table.row(vec![
            format!("{}. {}", step.step, event(&step.event)),
            count(step.count),
            percent(step.rate.value),
            if first {
                String::new()
            } else {
                percent(step.rate_from_previous.value)
            },
            if first {
                String::new()
            } else {
                duration(step.time_from_previous.median)
            },
        ]);
    }
    let mut text = format!(
        "{} to {}, {} users, window {}, {}\n\n",
        answer.timezone.day(answer.start_date),
        answer.timezone.day(last(answer.end_date)),
        answer.segment.name(),
        match answer.switches.window_calendar_days {
            Some(days) => format!("{days} calendar d"),
            None => duration(Some(answer.window.micros() as f64 / 1e6)),
        },
        answer.timezone.name(),
    );
    let lines = table.render();
    let bars = answer
        .steps
        .iter()
        .map(|s| bar(s.rate.value.unwrap_or_default(), 30));
    let widest = lines.lines().map(|l| l.chars().count()).max().unwrap_or(0);
    for (line, bar) in lines
        .lines()
        .zip(std::iter::once(String::new()).chain(bars))
    {
        let gap = " ".repeat(widest.saturating_sub(line.chars().count()) + 2);
        text.push_str(format!("{line}{gap}{bar}").trim_end());
        text.push('\n');
    }
    text.push_str(&format!(
        "\n{} of {} converted: {}, 95 % interval {} to {}. Median time {}.\n",
        count(answer.converted),
        count(answer.entered),
        percent(answer.rate.value),
        percent(answer.rate.low),
        percent(answer.rate.high),
        duration(answer.time_to_convert.seconds.median),
    ));
    if answer.open > 0 {
        text.push_str(&format!(
            "{} can still convert; of those whose window has passed, {} did ({} of {}).\n",
            count(answer.open),
            percent(answer.matured.rate.value),
            count(answer.matured.converted),
            count(answer.matured.entered),
        ));
    }
    if let Some(breakdown) = &answer.breakdown {
        text.push_str(&format!("\n{}", groups(answer, breakdown)));
    }
    text
}

/// A row for each group: how many units got to each step, the share that converted, and how long that took.
fn groups(answer: &FunnelAnswer, breakdown: &Groups) -> String {
    let names = breakdown.properties.iter().map(name).collect::<Vec<_>>();
    let mut head = vec![format!("By {}", names.join(" and "))];
    let steps = answer.steps.iter();
    head.extend(steps.map(|step| format!("{}. {}", step.step, event(&step.event))));
    head.extend(["Converted".to_owned(), "Median time".to_owned()]);
    let mut table = Table::default();
    table.row(head);
    for group in &breakdown.groups {
        let mut row = vec![group.label.clone()];
        row.extend(group.steps.iter().map(|step| count(step.count)));
        row.extend([
            percent(group.rate.value),
            duration(group.time_to_convert.median),
        ]);
        table.row(row);
    }
    table.render()
}

fn name(property: &Property) -> String {
    match property {
        Property::Event(name) | Property::User { name, .. } | Property::Cohort { name, .. } => {
            name.clone()
        }
        Property::Session => "session".to_owned(),
    }
}
