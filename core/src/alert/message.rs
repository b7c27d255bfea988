//! What is told: the alarms of one evaluation of all rules, grouped, for each place they go to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::channel::Channel;
use super::rule::Importance;
use crate::query::Instant;

/// So many characters of a title are names.
const ROOM: usize = 150;

/// One thing to be told.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// The rule by its id.
    pub rule: String,
    /// What it is called.
    pub name: String,
    /// `firing`, `resolved` or `test`; `unreadable` of a rule whose question cannot be answered, and `readable` once it can be.
    pub event: &'static str,
    /// How much it matters.
    pub severity: Importance,
    /// The instant of the evaluation.
    pub at: Instant,
    /// The instant of the evaluation at which the incident began: with its rule its name. A test is of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Instant>,
    /// Since when it is so: as far as what was read knows, and else since the first evaluation that found it.
    pub since: Instant,
    /// What was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    /// A sentence for people.
    pub summary: String,
}

/// What one place is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The same whenever the same is told to the same place: rule and evaluation decide it. Up to its `/` it is what is told of, and
    /// what is told of one thing is delivered in order.
    pub key: String,
    /// The place.
    pub channel: Channel,
    /// A line for people.
    pub title: String,
    /// What is told, as JSON: `{ "type", "timestamp", "data" }` as Standard Webhooks has it.
    pub body: Value,
}

/// The messages of alarms that were raised together: those of one group that go to one place are one message. In the order in which
/// they are to be told: what is over before what begins, as an incident ends before the next one of its rule.
pub fn grouped(alarms: &[(Alarm, &[Channel], &str)]) -> Vec<Message> {
    let mut together: BTreeMap<_, (&Channel, Vec<&Alarm>)> = BTreeMap::new();
    for (alarm, channels, group) in alarms {
        // What has no group is told by itself.
        let group = if group.is_empty() {
            format!("rule/{}", alarm.rule)
        } else {
            format!("group/{group}")
        };
        for channel in *channels {
            let place = channel.json().to_string();
            let begins = !["resolved", "readable"].contains(&alarm.event);
            let known = together.entry((begins, group.clone(), alarm.event, place));
            known.or_insert((channel, Vec::new())).1.push(alarm);
        }
    }
    together
        .into_iter()
        .map(|((_, group, _, place), (channel, alarms))| message(&group, &place, channel, &alarms))
        .collect()
}

fn message(group: &str, place: &str, channel: &Channel, alarms: &[&Alarm]) -> Message {
    let mut hash = Sha256::new_with_prefix(place);
    for alarm in alarms {
        hash.update(format!(
            "/{}/{}/{}",
            alarm.rule,
            alarm.at.micros(),
            alarm.event
        ));
    }
    let key = format!("{}/{}", short(Sha256::new_with_prefix(group)), short(hash));
    let event = alarms.first().map_or("test", |a| a.event);
    let title = match alarms {
        [one] => one.summary.clone(),
        many => format!("{} alerts {event}: {}", many.len(), named(many)),
    };
    let at = alarms.first().map(|a| a.at);
    Message {
        key,
        channel: channel.clone(),
        title,
        body: serde_json::json!({
            "type": format!("alert.{event}"),
            "timestamp": at,
            "data": { "alerts": alarms },
        }),
    }
}

/// What the alarms of a message are called, as many as a line of people's lists and mailboxes has room for.
fn named(alarms: &[&Alarm]) -> String {
    let mut names = String::new();
    for (told, alarm) in alarms.iter().enumerate() {
        if told > 0 && names.chars().count() + alarm.name.chars().count() > ROOM {
            return format!("{names} and {} more", alarms.len() - told);
        }
        if told > 0 {
            names.push_str(", ");
        }
        names.push_str(&alarm.name);
    }
    names
}

/// The first half of a hash, as text.
fn short(hash: Sha256) -> String {
    let half = hash.finalize();
    half.iter().take(16).map(|b| format!("{b:02x}")).collect()
}
