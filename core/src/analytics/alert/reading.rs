//! What a rule looks at: read as of an instant, with the rights of its owner.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::alert::{Against, Alert, Condition, Reading, Rule, Source, System, Unusual, Verdict};
use crate::anomaly::Direction;
use crate::audit::Outcome;
use crate::error::{Error, ErrorKind, Result};
use crate::export::job::Kept;
use crate::funnel::Funnel;
use crate::metadata::{Kind, documents, entries, read};
use crate::query::Instant;

/// What one rule was found to be.
pub(super) struct Found {
    pub(super) alert: Alert,
    pub(super) at: Instant,
    pub(super) reading: Reading,
    pub(super) verdict: Verdict,
    pub(super) error: Option<String>,
}

impl Found {
    /// What was read, as it is told: with why it could not be.
    pub(super) fn told(&self) -> Value {
        let mut reading = told(&self.reading);
        if let (Some(error), Some(fields)) = (&self.error, reading.as_object_mut()) {
            fields.insert("error".to_owned(), json!(error));
        }
        reading
    }
}

impl Analytics {
    /// What a rule is found to be at an instant.
    pub(super) fn found(&self, alert: Alert, at: Instant) -> Found {
        match self.reading(&alert, at) {
            Ok(reading) => Found {
                verdict: alert.rule.condition.judge(&reading),
                alert,
                at,
                reading,
                error: None,
            },
            Err(error) => Found {
                alert,
                at,
                reading: Reading::default(),
                verdict: Verdict::Unknown,
                // A fault of ours is not described to those who read of it.
                error: Some(match error.kind() {
                    ErrorKind::Internal => error.code().to_owned(),
                    _ => error.message().to_owned(),
                }),
            },
        }
    }

    /// Reads what a rule looks at, as of an instant.
    fn reading(&self, alert: &Alert, at: Instant) -> Result<Reading> {
        let who = Principal::new(alert.owner_id.as_str(), alert.role.as_str());
        let rule = &alert.rule;
        let mut reading = self.measured(&who, alert, at)?;
        if let (Condition::Anomaly { .. }, Source::Metric { name, range }) =
            (rule.condition, &rule.source)
        {
            let finding = self.unusual(&who, (name, range), &rule.schedule, at)?;
            if let Some(finding) = finding {
                // What came is told of the same stretch as what was expected.
                reading.value = Some(finding.observed);
                reading.unusual = Some(Unusual {
                    up: finding.direction == Direction::Up,
                    expected: finding.expected,
                });
                reading.since = Some(finding.since.micros());
            }
        }
        if let (Source::System(System::Freshness(_)), Some(age)) = (&rule.source, reading.value) {
            reading.since = stale_since(rule.condition, age, at);
        }
        if let (Condition::NoData, Source::Metric { name, .. }) = (rule.condition, &rule.source) {
            // What is counted is nothing where nothing came; a share of nothing has no value anyway.
            let counted = !name.ends_with("_rate");
            reading.value = reading.value.filter(|value| !counted || *value != 0.0);
        }
        if let Some(against) = rule.condition.against().filter(|_| reading.value.is_some()) {
            let earlier = match against {
                Against::Previous => rule.schedule.before(at),
                Against::WeekBefore => rule.schedule.week_before(at),
            };
            let before = self.measured(&who, alert, earlier)?;
            match rule.condition {
                Condition::Band { .. } => (reading.low, reading.high) = (before.low, before.high),
                _ => reading.before = before.value,
            }
        }
        Ok(reading)
    }

    fn measured(&self, who: &Principal, alert: &Alert, at: Instant) -> Result<Reading> {
        let rule = &alert.rule;
        match &rule.source {
            Source::Metric { name, range } => {
                let question = json!({ "metrics": [name], "timeRange": range, "asOf": at });
                let answer = self.realtime_json(who, &question)?;
                let figure = answer.first().and_then(|m| {
                    // What is shown of revenue is rounded, which says nothing of a share of it or of whether there is any.
                    let whole = match rule.condition {
                        Condition::Change { .. } | Condition::NoData => m.metadata.whole,
                        _ => None,
                    };
                    whole.or_else(|| Some(m.value?.number()))
                });
                Ok(Reading {
                    value: figure,
                    ..Reading::default()
                })
            }
            Source::Answer {
                word,
                value,
                low,
                high,
                ..
            } => {
                let question = self.ranged(rule, at)?;
                let begun = self.now();
                let answer: Value = serde_json::from_str(&self.ask(who, word, &question)?)
                    .map_err(Error::internal)?;
                let taken = self.now().micros().saturating_sub(begun.micros());
                let number = |at: &str| answer.pointer(&rule.source.settled(at))?.as_f64();
                Ok(Reading {
                    value: if value == "seconds" {
                        Some(taken as f64 / 1e6)
                    } else {
                        number(value)
                    },
                    low: low.as_deref().and_then(number),
                    high: high.as_deref().and_then(number),
                    ..Reading::default()
                })
            }
            Source::System(system) => Ok(Reading {
                value: self.of_system(who, system, alert, at)?,
                ..Reading::default()
            }),
        }
    }

    /// The question of a rule as of an instant, over complete days before it where it says so; of a funnel, over days whose entries have
    /// had their whole window by then (F5).
    fn ranged(&self, rule: &Rule, at: Instant) -> Result<Value> {
        let Source::Answer { question, last, .. } = &rule.source else {
            return Err(Error::internal("what has no question was asked"));
        };
        let zone = rule.schedule.zone();
        let mut question = question.clone();
        let over = |question: &mut Value, end: Date| {
            if let (Some(fields), Some(days)) = (question.as_object_mut(), *last) {
                let first = end.checked_sub(i64::from(days).days()).unwrap_or(end);
                fields.insert("startDate".to_owned(), json!(zone.start_of(first)));
                fields.insert("endDate".to_owned(), json!(zone.start_of(end)));
                fields.insert("timezone".to_owned(), json!(zone.name()));
            }
        };
        if let Some(fields) = question.as_object_mut() {
            fields.entry("asOf").or_insert_with(|| json!(at));
        }
        over(&mut question, zone.date(at));
        // What is no funnel is refused with all that is wrong with it when it is asked.
        if rule.source.ripens()
            && let Ok(funnel) = Funnel::parse(&question, &self.default_funnel()?, self.now())
        {
            let end = match funnel.window_calendar_days {
                None => {
                    let last = at.micros().saturating_sub(funnel.window.micros());
                    Some(zone.date(Instant::saturating_from_micros(last)))
                }
                // The day of the entry is the first of them.
                Some(days) => zone.date(at).checked_sub((i64::from(days) - 1).days()).ok(),
            };
            over(&mut question, end.unwrap_or_else(|| zone.date(at)));
        }
        Ok(question)
    }

    fn of_system(
        &self,
        who: &Principal,
        system: &System,
        alert: &Alert,
        at: Instant,
    ) -> Result<Option<f64>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let rule = &alert.rule;
        // What failed while nobody looked, as the process was down, is told by the next look.
        let looked = alert.state().known_at(at).evaluated;
        let from = looked.map_or_else(|| rule.schedule.before(at), Instant::saturating_from_micros);
        let planned = |at: Instant| rule.maintenance.iter().any(|m| m.has(at));
        match system {
            System::Freshness(source) => {
                let newest = match source {
                    Some(source) => Some(self.intake.heard(source)),
                    None => self.warehouse.newest(at)?,
                };
                let age = |newest: Instant| (at.micros() - newest.micros()).max(0);
                Ok(newest.map(|newest| age(newest) as f64 / 1e6))
            }
            System::ExportFailures => {
                let failed = read(&*self.metadata()?, |s| {
                    documents::in_state(s, Kind::Export, "failed")
                })?;
                let lately = failed
                    .into_iter()
                    .filter(|d| from < d.updated_at && d.updated_at <= at)
                    .filter(|d| !planned(d.updated_at));
                let kept = lately.map(Kept::read).collect::<Result<Vec<_>>>()?;
                Ok(Some(kept.iter().filter(|k| k.is_broken()).count() as f64))
            }
            System::Failures => {
                let filter = entries::Filter {
                    outcome: Outcome::Failed.name().to_owned(),
                    from: Some(from),
                    to: Some(at),
                    limit: 10_000,
                    ..entries::Filter::default()
                };
                let (found, _) = read(&*self.metadata()?, |s| entries::find(s, &filter))?;
                let ours = found
                    .iter()
                    .filter(|entry| entry.reason == "internal" && !planned(entry.at));
                Ok(Some(ours.count() as f64))
            }
        }
    }
}

/// Since when the newest event is older than it may be, where it is.
fn stale_since(condition: Condition, age: f64, at: Instant) -> Option<i64> {
    match condition {
        Condition::Threshold {
            above: Some(limit), ..
        } if age > limit => {
            let over = (age - limit.max(0.0)) * 1e6;
            Some(at.micros().saturating_sub(over as i64))
        }
        _ => None,
    }
}

/// What was read, as it is told.
fn told(reading: &Reading) -> Value {
    let mut told = Map::new();
    let unusual = reading.unusual;
    let numbers: BTreeMap<&str, Option<f64>> = [
        ("value", reading.value),
        ("before", reading.before),
        ("low", reading.low),
        ("high", reading.high),
        ("expected", unusual.map(|u| u.expected)),
    ]
    .into();
    for (name, number) in numbers {
        if number.is_some() || name == "value" {
            told.insert(name.to_owned(), json!(number));
        }
    }
    if let Some(unusual) = unusual {
        let direction = if unusual.up { "up" } else { "down" };
        told.insert("unusual".to_owned(), json!(direction));
    }
    if let Some(since) = reading.since {
        let since = Instant::saturating_from_micros(since);
        told.insert("since".to_owned(), json!(since));
    }
    Value::Object(told)
}
