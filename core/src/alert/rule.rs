//! A rule: what is looked at, what is looked for, when, and who is told.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::channel::Channel;
use super::condition::Condition;
use super::machine::Policy;
use super::schedule::{Maintenance, Schedule};
use crate::query::Window;

/// What is looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// One of the six real-time figures, over the window that ends with the evaluation.
    Metric {
        /// Which.
        name: &'static str,
        /// How long the window is: `last_5_minutes`, `last_15_minutes`, `last_hour`.
        range: &'static str,
    },
    /// A number in the answer of any word, asked as of the evaluation.
    Answer {
        /// The word.
        word: String,
        /// Its question. Where that needs a range and has none, it is over the `last` days.
        question: Value,
        /// So many complete days of the schedule's zone before the evaluation; of a funnel the last whose entries have had their whole
        /// window by then (F5), unless all that is looked at is `/entered` or `/matured`.
        last: Option<u32>,
        /// Where the number is, as a JSON pointer; `seconds` for how long the answer took.
        value: String,
        /// Where the lower end of its interval is.
        low: Option<String>,
        /// Where the upper end is.
        high: Option<String>,
    },
    /// Something of travelsense itself.
    System(System),
}

/// What of travelsense itself is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// How many seconds old the newest event is, of one source by the name that the status of the ingest has, or of all. A source that
    /// never sent anything is as old as the time for which the store is open.
    Freshness(Option<String>),
    /// How many exports failed since the last evaluation, whenever that was, but for planned work; those that somebody cancelled are none.
    ExportFailures,
    /// How many requests failed for a fault of ours since the last evaluation, but for planned work.
    Failures,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// Good to know.
    Info,
    /// Somebody should look.
    #[default]
    Warning,
    /// Somebody must act.
    Critical,
}

const FUNNEL: &str = "funnel";

/// Where the answer of a funnel has what is told of matured entries alone, how many entered, and the share of them that converted.
const MATURED: &str = "/matured/";
const ENTERED: &str = "/entered";
const RATE: &str = "/rate/";

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// What it is called.
    pub name: String,
    /// What is looked at.
    pub source: Source,
    /// What is looked for.
    pub condition: Condition,
    /// How much it matters.
    pub severity: Importance,
    /// When.
    pub schedule: Schedule,
    /// For how long it must hold, and how it ends.
    pub policy: Policy,
    /// What is raised together with others of this group is told in one message; empty for none.
    pub group: String,
    /// Who is told.
    pub channels: Vec<Channel>,
    /// When it is left alone.
    pub maintenance: Vec<Maintenance>,
    /// Whether it is evaluated.
    pub enabled: bool,
}

/// What changes of a rule, read; see [`Rule::patched`].
pub type Patch = Map<String, Value>;

impl System {
    pub(super) const NAMES: [&'static str; 3] = ["freshness", "export_failures", "failures"];

    /// Its stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Freshness(_) => "freshness",
            Self::ExportFailures => "export_failures",
            Self::Failures => "failures",
        }
    }
}

impl Source {
    /// How old the newest of all events is.
    pub(super) fn freshness() -> Self {
        Self::System(System::Freshness(None))
    }

    /// Whether what is looked at is of the last days of a funnel and moves until the window of all entries has passed (F5): rates, counts
    /// of converters, times. How many entered, and what the answer tells of matured entries alone, does not.
    pub fn ripens(&self) -> bool {
        let moves = |at: &str| at != "seconds" && at != ENTERED && !at.starts_with(MATURED);
        match self {
            Self::Answer {
                word,
                value,
                low,
                high,
                last: Some(_),
                ..
            } => {
                let bounds = [low.as_deref(), high.as_deref()];
                let mut looked = bounds.into_iter().flatten().chain([value.as_str()]);
                word == FUNNEL && looked.any(moves)
            }
            _ => false,
        }
    }

    /// Where a number is read that is said to be at a place: a funnel's rate is that of its matured entries, where the question has a
    /// range of its own.
    pub fn settled(&self, at: &str) -> String {
        match self {
            Self::Answer {
                word, last: None, ..
            } if word == FUNNEL && at.starts_with(RATE) => {
                format!("{MATURED}{}", at.trim_start_matches('/'))
            }
            _ => at.to_owned(),
        }
    }

    /// It in its JSON form.
    pub fn json(&self) -> Value {
        match self {
            Self::Metric { name, range } => json!({ "metric": name, "timeRange": range }),
            Self::Answer {
                word,
                question,
                last,
                value,
                low,
                high,
            } => {
                let mut form = json!({
                    "word": word,
                    "question": question,
                    "lastDays": last,
                    "value": value,
                    "low": low,
                    "high": high,
                });
                if let Some(fields) = form.as_object_mut() {
                    fields.retain(|_, v| !v.is_null());
                }
                form
            }
            Self::System(System::Freshness(Some(source))) => {
                json!({ "system": "freshness", "source": source })
            }
            Self::System(system) => json!({ "system": system.name() }),
        }
    }
}

impl Rule {
    /// It in its JSON form, which [`Rule::parse`] reads.
    pub fn json(&self) -> Value {
        json!({
            "name": self.name,
            "source": self.source.json(),
            "condition": self.condition.json(),
            "severity": self.severity,
            "schedule": self.schedule.json(),
            "for": self.policy.hold,
            "clearFor": self.policy.clear,
            "coolDown": seconds(self.policy.cool_down),
            "group": self.group,
            "channels": self.channels.iter().map(Channel::json).collect::<Vec<_>>(),
            "maintenance": self.maintenance.iter().map(Maintenance::json).collect::<Vec<_>>(),
            "enabled": self.enabled,
        })
    }
}

fn seconds(window: Window) -> i64 {
    window.micros() / 1_000_000
}
