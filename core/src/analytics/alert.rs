//! Alerts, asked of the handle: rules that are kept, evaluated when they are due, and told.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Analytics, once};
use crate::access::{self, Permission, Principal};
use crate::alert::{
    self, Against, Alarm, Alert, AlertEvent, AlertList, Channel, Condition, Evaluated, Message,
    Notice, Reading, Rule, Schedule, Source, Step, System, Unusual, Verdict,
};
use crate::audit::{self, Act, Outcome};
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::metadata::documents::{self, Find, Sort};
use crate::metadata::{
    Event, Holder, Kind, Letter, Note, ObjectId, Session, Standing, alerts, change, entries,
    outbox, read,
};
use crate::query::fields::{self, Fields};
use crate::query::{Instant, Window};

const WEEK: i64 = 7 * 86_400_000_000;

/// What one rule was found to be.
struct Found {
    alert: Alert,
    at: Instant,
    reading: Reading,
    verdict: Verdict,
    error: Option<String>,
}

impl Analytics {
    /// Makes an alert rule; its questions are asked as whoever makes it. See [`Rule::parse`].
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; `validation_failed` with every field error at once.
    pub fn create_alert(&self, who: &Principal, body: &Value) -> Result<Alert> {
        let act = Act::new("alert.create", "");
        let (id, now) = (self.fresh_id()?, self.now());
        self.acted(who, Permission::ManageAlerts, act, |session, act| {
            let alert = Alert {
                id,
                rule: answerable(Rule::parse(body), body)?,
                owner_id: who.id().to_owned(),
                role: who.role().to_owned(),
                created_at: now,
                updated_at: now,
                revision: 1,
                standing: Standing::default(),
                channels_shown: true,
            };
            act.object = object(&id.to_string());
            documents::insert(session, &alert.document()?)?;
            Ok(alert)
        })
    }

    /// All alert rules, page by page: `search` over their names, `limit` (1 to 100, 20 by default), `offset`.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read alerts; `validation_failed` with every field error at once.
    pub fn alerts(&self, who: &Principal, asked: &Value) -> Result<AlertList> {
        let act = Act::new("alert.list", "");
        self.seen(who, Permission::ReadAlerts, &act, |session| {
            let mut fields = Fields::of(asked)?;
            let search =
                fields.optional("search", |v| fields::text_of(v, 0, 100).map(str::to_owned));
            let (limit, offset) = page(&mut fields);
            fields.finish(Vec::new())?;
            let asked = Find {
                kind: Kind::Alert,
                user: who.id(),
                role: who.role(),
                public: true,
                search: search.as_deref().unwrap_or_default(),
                state: "",
                sort: Sort::Name,
                limit,
                offset,
            };
            let found = documents::find(session, &asked)?;
            let behind = offset.saturating_add(found.documents.len()) as u64;
            let alerts = found.documents.iter().map(|document| {
                let standing = alerts::standing(session, &document.id.to_string())?;
                Ok(shown(who, Alert::read(document, standing)?))
            });
            Ok(AlertList {
                alerts: alerts.collect::<Result<_>>()?,
                total: found.total,
                limit,
                offset,
                has_more: behind < found.total,
            })
        })
    }

    /// An alert rule, and where it stands.
    ///
    /// # Errors
    /// In this order: `forbidden` for a principal who may not read alerts; `validation_failed` for what is no id; `not_found`.
    pub fn alert(&self, who: &Principal, id: &str) -> Result<Alert> {
        let act = Act::new("alert.read", object(id));
        self.seen(who, Permission::ReadAlerts, &act, |session| {
            Ok(shown(who, open(session, id)?))
        })
    }

    /// Changes an alert rule: what is absent stays as it is. With a `revision`, only if it is still that one.
    ///
    /// # Errors
    /// In this order: `forbidden` for a principal who may not manage alerts; `validation_failed` for what is no id; `not_found`;
    /// `forbidden` for the rule of somebody else, unless one manages access; `revision_changed`; `validation_failed` with every
    /// field error at once.
    pub fn update_alert(
        &self,
        who: &Principal,
        id: &str,
        body: &Value,
        revision: Option<i64>,
    ) -> Result<Alert> {
        let act = Act::new("alert.update", object(id));
        let now = self.now();
        self.acted(who, Permission::ManageAlerts, act, |session, _| {
            let found = owned(session, who, id)?;
            same(&found, revision)?;
            let patch = body.as_object().ok_or_else(|| {
                Error::field(
                    "body",
                    "invalid_type",
                    "must be an object with named fields",
                )
            })?;
            let changed = Alert {
                rule: answerable(found.rule.patched(patch), body)?,
                owner_id: found.owner_id.clone(),
                // Its questions are asked with the rights of its owner, whoever changes it.
                role: if who.id() == found.owner_id {
                    who.role().to_owned()
                } else {
                    found.role.clone()
                },
                updated_at: now.max(found.updated_at),
                revision: found.revision + 1,
                ..found
            };
            if !documents::update(session, &changed.document()?)? {
                return Err(Error::internal("an alert changed within a change"));
            }
            Ok(changed)
        })
    }

    /// Removes an alert rule; what became of it remains in the record. With a `revision`, only if it is still that one.
    ///
    /// # Errors
    /// As `update_alert`.
    pub fn delete_alert(&self, who: &Principal, id: &str, revision: Option<i64>) -> Result<()> {
        let act = Act::new("alert.delete", object(id));
        self.acted(who, Permission::ManageAlerts, act, |session, _| {
            let found = owned(session, who, id)?;
            same(&found, revision)?;
            alerts::forget(session, &found.id.to_string())?;
            documents::delete(session, Kind::Alert, found.id).map(|_| ())
        })
    }

    /// Tells nobody of an alert rule until an instant (`until`), or for a length of time (`for`); `until` null ends a silence. An
    /// incident that outlasts it is told then. `reason` is kept.
    ///
    /// # Errors
    /// As `update_alert`, but for anybody who manages alerts; `in_past` for an instant that has passed.
    pub fn silence_alert(&self, who: &Principal, id: &str, body: &Value) -> Result<Alert> {
        let act = Act::new("alert.silence", object(id));
        let now = self.now();
        self.acted(who, Permission::ManageAlerts, act, |session, _| {
            let mut found = open(session, id)?;
            let mut fields = Fields::of(body)?;
            let until = fields.nullable("until", |v| match v {
                Value::Null => Ok(None),
                v => match fields::instant(v)? {
                    at if at <= now => fields::fault("in_past", "must be in the future"),
                    at => Ok(Some(at)),
                },
            });
            let length = fields.optional("for", alert::silence);
            let reason =
                fields.optional("reason", |v| fields::text_of(v, 0, 500).map(str::to_owned));
            let mut faults = Vec::new();
            let mut fault = |code, message: &str| {
                faults.push(FieldError {
                    field: "until".to_owned(),
                    code,
                    message: message.to_owned(),
                });
            };
            match (until.flatten(), length) {
                (None, None) if until.is_none() && body.get("for").is_none_or(Value::is_null) => {
                    fault("required", "is required where there is no `for`");
                }
                (Some(_), Some(_)) => fault("contradiction", "does not go with `for`"),
                _ => {}
            }
            fields.finish(faults)?;
            let after = length.map(|l: Window| {
                Instant::saturating_from_micros(now.micros().saturating_add(l.micros()))
            });
            found.standing.silenced_until = until.flatten().or(after);
            found.standing.silence = format!("{}: {}", who.id(), reason.unwrap_or_default());
            alerts::stand(session, &found.standing)?;
            Ok(found)
        })
    }

    /// What became of an alert rule, the latest first: `limit` (1 to 100, 20 by default), `offset`.
    ///
    /// # Errors
    /// As `alert`; `validation_failed` with every field error at once.
    pub fn alert_history(
        &self,
        who: &Principal,
        id: &str,
        asked: &Value,
    ) -> Result<Vec<AlertEvent>> {
        let act = Act::new("alert.history", object(id));
        self.seen(who, Permission::ReadAlerts, &act, |session| {
            let found = open(session, id)?;
            let mut fields = Fields::of(asked)?;
            let (limit, offset) = page(&mut fields);
            fields.finish(Vec::new())?;
            let events = alerts::history(session, &found.id.to_string(), limit, offset)?;
            let told = events.into_iter().map(|event| {
                Ok(AlertEvent {
                    at: event.at,
                    event: event.event,
                    details: serde_json::from_str(&event.body).map_err(Error::internal)?,
                })
            });
            told.collect()
        })
    }

    /// Reads what an alert rule looks at now, and sends a test to all places that it tells; nothing of the rule changes. Gives what
    /// was read, or why it could not be, and what the rule says to it.
    ///
    /// # Errors
    /// As `update_alert`.
    pub fn test_alert(&self, who: &Principal, id: &str) -> Result<Value> {
        let act = Act::new("alert.test", object(id));
        let found = read(&*self.metadata()?, |s| open(s, id));
        let now = self.now();
        // Before the change: a question takes its time, and the store takes one change at a time.
        let found = match (found, access::decide(who, Permission::ManageAlerts).allow) {
            (Ok(alert), true) => Some(self.found(alert, now)),
            _ => None,
        };
        self.acted(who, Permission::ManageAlerts, act, |session, _| {
            let alert = owned(session, who, id)?;
            let found = found.ok_or_else(|| Error::internal("an alert came meanwhile"))?;
            let reading = found.reading;
            let alarm = alarm(&alert, "test", (now, now), &reading);
            let raised = [(alarm, alert.rule.channels.as_slice(), "")];
            let messages = alert::grouped(&raised);
            let sent = messages.len();
            for message in messages {
                self.put(session, message, now)?;
            }
            let verdict = match found.verdict {
                Verdict::Breach => "breach",
                Verdict::Clear => "clear",
                Verdict::Between => "between",
                Verdict::Unknown => "unknown",
            };
            let mut reading = told(&reading);
            if let (Some(error), Some(fields)) = (found.error, reading.as_object_mut()) {
                fields.insert("error".to_owned(), json!(error));
            }
            Ok(json!({ "reading": reading, "verdict": verdict, "messages": sent }))
        })
    }

    /// Evaluates every alert rule that is due and was not evaluated for that instant before, and puts what is to be told into the
    /// outbox, all in one change: a process that dies in between, or a second one, tells nothing twice and leaves nothing out.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; what the store raises. A rule whose question fails stays where it stands.
    pub fn evaluate_alerts(&self, who: &Principal) -> Result<Evaluated> {
        access::grant(who, Permission::ManageAlerts, ())?;
        let now = self.now();
        let store = self.metadata()?;
        let kept = read(&*store, |session| {
            let documents = documents::in_state(session, Kind::Alert, "enabled")?;
            let alerts = documents.iter().map(|document| {
                let standing = alerts::standing(session, &document.id.to_string())?;
                Alert::read(document, standing)
            });
            alerts.collect::<Result<Vec<_>>>()
        })?;
        let due = kept.into_iter().filter_map(|alert| {
            let at = alert.rule.schedule.due(now)?;
            let again = alert
                .state()
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
            return Ok(Evaluated::default());
        }
        change(&*store, |session| {
            let mut done = Evaluated::default();
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
            for message in alert::grouped(&raised) {
                done.messages += 1;
                self.put(session, message, now)?;
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
        let Some(step) = alert::step(&policy, &alert.state(), found.at, found.verdict, muted)
        else {
            return Ok(());
        };
        done.evaluated += 1;
        done.failed += u64::from(found.error.is_some());
        let mut reading = told(&found.reading);
        let failed_before = alert.standing.reading.contains("\"error\":");
        if let (Some(error), Some(fields)) = (&found.error, reading.as_object_mut()) {
            fields.insert("error".to_owned(), json!(error));
        }
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
            let since = Instant::saturating_from_micros(incident.opened);
            let alarm = alarm(&alert, event, (found.at, since), &found.reading);
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

    fn found(&self, alert: Alert, at: Instant) -> Found {
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
        let earlier = |by: i64| Instant::saturating_from_micros(at.micros() - by);
        let mut reading = self.measured(&who, rule, at)?;
        match rule.condition {
            Condition::Change { against, .. } if reading.value.is_some() => {
                let back = match against {
                    Against::Previous => rule.schedule.interval().micros(),
                    Against::WeekBefore => WEEK,
                };
                reading.before = self.measured(&who, rule, earlier(back))?.value;
            }
            Condition::Anomaly { .. } => {
                if let Source::Metric { name, range } = &rule.source {
                    let finding = self.unusual(&who, (name, range), &rule.schedule, at)?;
                    reading.unusual = finding.map(|(up, expected)| Unusual { up, expected });
                }
            }
            _ => {}
        }
        Ok(reading)
    }

    fn measured(&self, who: &Principal, rule: &Rule, at: Instant) -> Result<Reading> {
        match &rule.source {
            Source::Metric { name, range } => {
                let question = json!({ "metrics": [name], "timeRange": range, "asOf": at });
                let answer = self.realtime_json(who, &question)?;
                let value = answer.first().and_then(|m| m.value);
                Ok(Reading {
                    value: value.map(crate::realtime::Figure::number),
                    ..Reading::default()
                })
            }
            Source::Answer {
                word,
                question,
                last,
                value,
                low,
                high,
            } => {
                let question = ranged(question, *last, rule.schedule.zone(), at);
                let begun = self.now();
                let answer: Value = serde_json::from_str(&self.ask(who, word, &question)?)
                    .map_err(Error::internal)?;
                let taken = self.now().micros().saturating_sub(begun.micros());
                let number = |at: &str| answer.pointer(at).and_then(Value::as_f64);
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
                value: self.of_system(who, *system, rule.schedule.interval(), at)?,
                ..Reading::default()
            }),
        }
    }

    fn of_system(
        &self,
        who: &Principal,
        system: System,
        interval: Window,
        at: Instant,
    ) -> Result<Option<f64>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let from = Instant::saturating_from_micros(at.micros() - interval.micros());
        match system {
            System::Freshness => {
                let newest = self.warehouse.newest(at)?;
                Ok(newest.map(|newest| (at.micros() - newest.micros()) as f64 / 1e6))
            }
            System::ExportFailures => {
                let failed = read(&*self.metadata()?, |s| {
                    documents::in_state(s, Kind::Export, "failed")
                })?;
                let lately = failed
                    .iter()
                    .filter(|d| from < d.updated_at && d.updated_at <= at);
                Ok(Some(lately.count() as f64))
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
                let ours = found.iter().filter(|entry| entry.reason == "internal");
                Ok(Some(ours.count() as f64))
            }
        }
    }

    /// Puts a message where it goes: into lists that people look at, or on its way out.
    pub(super) fn put(
        &self,
        session: &mut dyn Session,
        message: Message,
        now: Instant,
    ) -> Result<()> {
        let note = Note {
            id: format!("msg_{}", self.fresh_id()?),
            told: message.key,
            title: message.title,
            body: message.body.to_string(),
            created_at: now,
        };
        if let Channel::InApp { users, roles } = &message.channel {
            let users = users.iter().map(|id| Holder::User(id.clone()));
            let holders = users.chain(roles.iter().map(|name| Holder::Role(name.clone())));
            return holders
                .collect::<Vec<_>>()
                .iter()
                .try_for_each(|holder| outbox::post(session, holder, &note));
        }
        let letter = Letter {
            note,
            channel: message.channel.name().to_owned(),
            target: message.channel.json().to_string(),
            state: "waiting".to_owned(),
            attempts: 0,
            next_at: now,
            error: String::new(),
        };
        outbox::send(session, &letter).map(|_| ())
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

fn alarm(
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
    Value::Object(told)
}

/// A question as of an instant, over the complete days before it where it has no range of its own.
fn ranged(question: &Value, last: Option<u32>, zone: &crate::Zone, at: Instant) -> Value {
    let mut question = question.clone();
    if let Some(fields) = question.as_object_mut() {
        fields.entry("asOf").or_insert_with(|| json!(at));
        if let Some(days) = last {
            let today = zone.date(at);
            let from = jiff::ToSpan::days(i64::from(days));
            let first = today.checked_sub(from).unwrap_or(today);
            fields.insert("startDate".to_owned(), json!(zone.start_of(first)));
            fields.insert("endDate".to_owned(), json!(zone.start_of(today)));
            fields.insert("timezone".to_owned(), json!(zone.name()));
        }
    }
    question
}

/// A rule as it was read, unless its form asks a word that there is not; what else is wrong with it is told too.
fn answerable(read: Result<Rule>, form: &Value) -> Result<Rule> {
    let word = form.pointer("/source/word").and_then(Value::as_str);
    let unknown = word.filter(|w| !super::words().contains(w));
    let fault = unknown.map(|word| FieldError {
        field: "source.word".to_owned(),
        code: "not_in_list",
        message: format!("`{word}` is not one of {}", super::words().join(", ")),
    });
    once::with(read, fault.into_iter().collect())
}

fn page(fields: &mut Fields<'_>) -> (usize, usize) {
    let limit = fields.optional("limit", |v| fields::integer(v, 1, 100));
    let offset = fields.optional("offset", |v| fields::integer(v, 0, i64::from(i32::MAX)));
    (limit.unwrap_or(20) as usize, offset.unwrap_or(0) as usize)
}

fn open(session: &mut dyn Session, id: &str) -> Result<Alert> {
    let id: ObjectId = id.parse()?;
    let document = documents::get(session, Kind::Alert, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "not_found",
            format!("there is no alert `{id}`"),
        )
    })?;
    let standing = alerts::standing(session, &id.to_string())?;
    Alert::read(&document, standing)
}

/// A rule that somebody may change: their own, or any for those who manage access.
fn owned(session: &mut dyn Session, who: &Principal, id: &str) -> Result<Alert> {
    let found = open(session, id)?;
    if found.owner_id == who.id() || access::decide(who, Permission::ManageAccess).allow {
        return Ok(found);
    }
    Err(Error::new(
        ErrorKind::Forbidden,
        "forbidden",
        "the alert is somebody else's",
    ))
}

/// A rule as somebody may see it.
fn shown(who: &Principal, alert: Alert) -> Alert {
    Alert {
        channels_shown: access::decide(who, Permission::ManageAlerts).allow,
        ..alert
    }
}

fn same(found: &Alert, revision: Option<i64>) -> Result<()> {
    match revision {
        Some(revision) if revision != found.revision => Err(Error::new(
            ErrorKind::Conflict,
            "revision_changed",
            format!(
                "the alert was changed since: it has revision {}, and not {revision}",
                found.revision
            ),
        )),
        _ => Ok(()),
    }
}

fn object(id: &str) -> String {
    format!("alert/{id}")
}
