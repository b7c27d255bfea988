//! Rules that are due: evaluated, moved on, and told.

use serde_json::{Value, json};

use super::super::Analytics;
use super::object;
use super::reading::Found;
use crate::access::{self, Permission, Principal};
use crate::alert::{self, Alarm, Alert, Blind, Evaluated, Notice, Reading, Schedule, Sight, Step};
use crate::audit::{self, Act, Outcome};
use crate::error::{Error, Result};
use crate::metadata::{Event, Kind, Session, Standing, alerts, change, documents, read};
use crate::query::Instant;

impl Analytics {
    /// Evaluates every alert rule that is due and was not evaluated for that instant before, and puts what is to be told into the
    /// outbox, all in one change: a process that dies in between, or a second one, tells nothing twice and leaves nothing out.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; what the store raises. A rule whose question fails stays where it stands.
    pub fn evaluate_alerts(&self, who: &Principal) -> Result<Evaluated> {
        access::grant(who, Permission::ManageAlerts, ())?;
        let now = self.now();
        let store = self.metadata()?;
        let (kept, unread) = read(&*store, |session| {
            let documents = documents::in_state(session, Kind::Alert, "enabled")?;
            let (mut kept, mut unread) = (Vec::with_capacity(documents.len()), 0);
            for document in &documents {
                let standing = alerts::standing(session, &document.id.to_string())?;
                // One that cannot be read, as of a version to come, keeps no other from being evaluated.
                match Alert::read(document, standing) {
                    Ok(alert) => kept.push(alert),
                    Err(_) => unread += 1,
                }
            }
            Ok((kept, unread))
        })?;
        let mut done = Evaluated {
            failed: unread,
            ..Evaluated::default()
        };
        let due = kept.into_iter().filter_map(|alert| {
            let at = alert.rule.schedule.due(now)?;
            let again = alert
                .state()
                .known_at(now)
                .evaluated
                .is_some_and(|last| last >= at.micros());
            let planned = alert.rule.maintenance.iter().any(|m| m.has(at));
            // What comes round every few minutes begins at once; what has its time of day, at the next.
            let begun =
                at >= alert.created_at || matches!(alert.rule.schedule, Schedule::Every(..));
            (!again && !planned && begun).then_some((alert, at))
        });
        let found: Vec<Found> = due.map(|(alert, at)| self.found(alert, at)).collect();
        if found.is_empty() {
            return Ok(done);
        }
        change(&*store, |session| {
            let mut raised = Vec::new();
            for found in &found {
                self.settle(session, who, found, &mut done, &mut raised)?;
            }
            let raised: Vec<_> = raised
                .iter()
                .map(|(alarm, found): &(Alarm, &Found)| {
                    let rule = &found.alert.rule;
                    (alarm.clone(), rule.channels.as_slice(), rule.group.as_str())
                })
                .collect();
            let mut at = now;
            for message in alert::grouped(&raised) {
                done.messages += 1;
                self.put(session, message, at)?;
                // They are kept, and told, in this order.
                at = Instant::saturating_from_micros(at.micros() + 1);
            }
            Ok(done)
        })
    }

    /// Takes what was found of one rule into where it stands.
    fn settle<'f>(
        &self,
        session: &mut dyn Session,
        who: &Principal,
        found: &'f Found,
        done: &mut Evaluated,
        raised: &mut Vec<(Alarm, &'f Found)>,
    ) -> Result<()> {
        let id = found.alert.id.to_string();
        // Whoever was faster, or took the rule away, goes first.
        let Some(document) = documents::get(session, Kind::Alert, found.alert.id)? else {
            return Ok(());
        };
        if document.revision != found.alert.revision {
            return Ok(());
        }
        let standing = alerts::standing(session, &id)?;
        let alert = Alert::read(&document, standing)?;
        let muted = alert
            .standing
            .silenced_until
            .is_some_and(|until| found.at < until);
        let policy = alert.rule.policy;
        let before = alert.state().known_at(self.now());
        let since = found.reading.since.map(Instant::saturating_from_micros);
        let when = (found.at, since.unwrap_or(found.at));
        let Some(mut step) = alert::step(&policy, &before, when, found.verdict, muted) else {
            return Ok(());
        };
        // Whoever is told that an incident is over is told what was read then, whatever has been read since.
        let now = Some(found.at.micros());
        let ended = step.state.owed.or(step.state.incident);
        step.state.clear = match ended.and_then(|i| i.cleared) {
            None => None,
            cleared if cleared == now => Some(found.reading),
            Some(_) => before.clear,
        };
        if let Some(sight) = step.state.sight(found.at, found.error.is_none(), muted) {
            let alarm = of_sight(&alert, found, sight);
            let action = match sight {
                Sight::Lost(_) => "alert.unreadable",
                Sight::Back(_) => "alert.readable",
            };
            let outcome = (Outcome::Allowed, alarm.summary.as_str());
            let entry = audit::entry(who, &Act::new(action, object(&id)), outcome, self.now());
            audit::append(session, vec![entry])?;
            raised.push((alarm, found));
        }
        done.evaluated += 1;
        done.failed += u64::from(found.error.is_some());
        let reading = found.told();
        let failed_before = alert.standing.reading.contains("\"error\":");
        let mut events = events(&step, found, &reading);
        if found.error.is_some() && !failed_before {
            events.push(("error", reading.clone()));
        }
        for (event, body) in events {
            alerts::happened(
                session,
                &Event {
                    rule: id.clone(),
                    at: found.at,
                    event: event.to_owned(),
                    body: body.to_string(),
                },
            )?;
        }
        for notice in &step.notices {
            let (event, action, incident) = match notice {
                Notice::Firing(incident) => ("firing", "alert.firing", incident),
                Notice::Resolved(incident) => ("resolved", "alert.resolved", incident),
            };
            done.opened += u64::from(event == "firing");
            let since = Instant::saturating_from_micros(incident.since);
            let ended = incident.cleared.filter(|at| Some(*at) != now);
            let (at, reading) = match (ended, before.clear) {
                (Some(at), Some(reading)) => (Instant::saturating_from_micros(at), reading),
                _ => (found.at, found.reading),
            };
            let mut alarm = alarm(&alert, event, (at, since), &reading);
            alarm.opened_at = Some(Instant::saturating_from_micros(incident.opened));
            let outcome = (Outcome::Allowed, alarm.summary.as_str());
            let entry = audit::entry(who, &Act::new(action, object(&id)), outcome, self.now());
            audit::append(session, vec![entry])?;
            raised.push((alarm, found));
        }
        let standing = Standing {
            rule: id,
            state: serde_json::to_string(&step.state).map_err(Error::internal)?,
            reading: reading.to_string(),
            ..alert.standing
        };
        alerts::stand(session, &standing)
    }
}

/// What is told of a rule that cannot be evaluated, or can be again.
fn of_sight(alert: &Alert, found: &Found, sight: Sight) -> Alarm {
    let since = |blind: Blind| Instant::saturating_from_micros(blind.since);
    let told = |event, since| alarm(alert, event, (found.at, since), &found.reading);
    match sight {
        Sight::Lost(blind) => {
            let why = found.error.as_deref().unwrap_or_default();
            let summary = format!("cannot be read: {}: {why}", alert.rule.name);
            Alarm {
                summary,
                ..told("unreadable", since(blind))
            }
        }
        Sight::Back(blind) => {
            let told = told("readable", since(blind));
            let summary = format!("read again: {}", told.summary);
            Alarm { summary, ..told }
        }
    }
}

/// What stands in the history of a rule after a step.
fn events(step: &Step, found: &Found, reading: &Value) -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    if let Some(phase) = step.entered {
        events.push((phase.name(), reading.clone()));
    }
    let told = |key: i64| {
        let opened = Instant::saturating_from_micros(key);
        json!({ "openedAt": opened, "channels": found.alert.rule.channels.len() })
    };
    for notice in &step.notices {
        events.push(match notice {
            Notice::Firing(incident) => ("notified", told(incident.opened)),
            Notice::Resolved(incident) => ("closed", told(incident.opened)),
        });
    }
    if let Some(incident) = step.unheard {
        events.push(("unheard", told(incident.opened)));
    }
    events
}

/// What is told of a rule.
pub(super) fn alarm(
    alert: &Alert,
    event: &'static str,
    (at, since): (Instant, Instant),
    reading: &Reading,
) -> Alarm {
    let sentence = alert.rule.sentence(reading);
    Alarm {
        rule: alert.id.to_string(),
        name: alert.rule.name.clone(),
        event,
        severity: alert.rule.severity,
        at,
        opened_at: None,
        since,
        value: reading.value,
        expected: reading.unusual.map(|u| u.expected).or(reading.before),
        summary: match event {
            "resolved" => format!("resolved: {sentence}"),
            "test" => format!("test: {sentence}"),
            _ => sentence,
        },
    }
}
