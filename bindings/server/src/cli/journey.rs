//! `travelsense journey`: the ways users take, in the terminal.

use travelsense::Principal;
use travelsense::journey::JourneyAnswer;

use super::Outcome;
use super::question::{Common, days};
use super::store::Store;
use super::table::{Table, count, duration, percent};

/// Shows which ways users take: the most frequent sequences and transitions
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  travelsense journey --data demo --start-event search --unit sessions --start MONTH_AGO --end YESTERDAY

Shares are of all sequences, and of all transitions from the same node.")]
pub(super) struct Journey {
    #[command(flatten)]
    store: Store,
    /// The event that paths begin at [default: anywhere]
    #[arg(long, value_name = "EVENTS")]
    start_event: Option<String>,
    /// The event that paths end at [default: anywhere]
    #[arg(long, value_name = "EVENTS")]
    end_event: Option<String>,
    /// Whether a path is of users or of sessions [default: users]
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// How many nodes the sequences have [default: 3]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    length: Option<String>,
    /// The most sequences and transitions shown [default: 20]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    limit: Option<String>,
    #[command(flatten)]
    common: Common,
}

impl Journey {
    /// Asks and shows.
    pub(super) fn run(self) -> Outcome {
        let question = self.common.question(vec![
            ("start", self.start_event),
            ("end", self.end_event),
            ("unit", self.unit),
            ("length", self.length),
            ("limit", self.limit),
        ])?;
        let store = self.store.read()?;
        let answer = store.journey_json(&Principal::owner(), &question)?;
        self.common.write(&answer, show)
    }
}

fn show(answer: &JourneyAnswer) -> String {
    let mut text = format!(
        "{} paths of {} users of {}, {}\n",
        count(answer.paths),
        count(answer.users),
        answer.segment.name(),
        days(&answer.timezone, answer.start_date, answer.end_date),
    );
    if let Some(sequences) = &answer.sequences {
        let mut table = Table::new(1, &["Way", "Times", "Users", "Share", "Median time"]);
        for way in &sequences.top {
            let nodes: Vec<&str> = way.nodes.iter().map(|node| node.label()).collect();
            table.row(vec![
                nodes.join(" → "),
                count(way.occurrences),
                count(way.users),
                percent(way.share.value),
                duration(way.median_seconds),
            ]);
        }
        text.push('\n');
        text.push_str(&table.render());
        if sequences.truncated {
            let more = sequences.distinct - sequences.top.len();
            let times = count(sequences.other.occurrences);
            text.push_str(&format!("{more} more ways, taken {times} times.\n"));
        }
    }
    if let Some(transitions) = &answer.transitions {
        let head = ["From", "To", "Times", "Users", "Share", "Median time"];
        let mut table = Table::new(2, &head);
        for step in &transitions.top {
            table.row(vec![
                step.from.label().to_owned(),
                step.to.label().to_owned(),
                count(step.transitions),
                count(step.users),
                percent(step.share.value),
                duration(step.median_seconds),
            ]);
        }
        text.push('\n');
        text.push_str(&table.render());
        if transitions.truncated {
            let more = transitions.distinct - transitions.top.len();
            let times = count(transitions.other.occurrences);
            text.push_str(&format!("{more} more transitions, made {times} times.\n"));
        }
    }
    text
}
