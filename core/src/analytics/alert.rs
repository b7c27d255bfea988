//! Alerts, asked of the handle: rules that are kept, and who may change them.

mod evaluate;
mod reading;

use serde_json::{Value, json};

use self::evaluate::alarm;

use super::{Analytics, once};
use crate::access::{self, Permission, Principal};
use crate::alert::{self, Alarm, Alert, AlertEvent, AlertList, Reading, Rule, State, Verdict};
use crate::audit::Act;
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::metadata::documents::{self, Find, Sort};
use crate::metadata::{Event, Kind, ObjectId, Session, Standing, alerts, read};
use crate::query::fields::{self, Fields};
use crate::query::{Instant, Window};

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
            let search = fields.optional("search", |v| fields::text_of(v, 0, 100));
            let (limit, offset) = fields.page(1..=100, 20);
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

    /// Changes an alert rule: what is absent stays as it is. With a `revision`, only if it is still that one. Whoever was told of an
    /// incident of a rule that is turned off is told that nobody looks any more.
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
            let before = found.clone();
            let patch = body.as_object().ok_or_else(|| {
                Error::field(
                    "body",
                    "invalid_type",
                    "must be an object with named fields",
                )
            })?;
            let mut changed = Alert {
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
            match (before.rule.enabled, changed.rule.enabled) {
                (true, false) => self.turn_off(session, &before, &mut changed.standing)?,
                (false, true) => turn_on(session, &mut changed, now)?,
                _ => {}
            }
            Ok(changed)
        })
    }

    /// Removes an alert rule; what became of it remains in the record, and whoever was told of an incident that goes on is told that
    /// nobody looks any more. With a `revision`, only if it is still that one.
    ///
    /// # Errors
    /// As `update_alert`.
    pub fn delete_alert(&self, who: &Principal, id: &str, revision: Option<i64>) -> Result<()> {
        let (act, now) = (Act::new("alert.delete", object(id)), self.now());
        self.acted(who, Permission::ManageAlerts, act, |session, _| {
            let found = owned(session, who, id)?;
            same(&found, revision)?;
            self.tell_of_the_end(session, &found, "the rule was removed", now)?;
            alerts::forget(session, &found.id.to_string())?;
            documents::delete(session, Kind::Alert, found.id).map(|_| ())
        })
    }

    /// Ends the incident of a rule that is not evaluated any more, as it would go on for ever: on again, the rule begins anew.
    fn turn_off(
        &self,
        session: &mut dyn Session,
        before: &Alert,
        standing: &mut Standing,
    ) -> Result<()> {
        let (state, now) = (before.state(), self.now());
        self.tell_of_the_end(session, before, "the rule was turned off", now)?;
        for incident in state.owed.into_iter().chain(state.incident) {
            let opened = Instant::saturating_from_micros(incident.opened);
            let channels = before.rule.channels.len();
            let told = json!({ "openedAt": opened, "channels": channels });
            let event = Event {
                rule: before.id.to_string(),
                at: now,
                event: if incident.notified {
                    "closed"
                } else {
                    "unheard"
                }
                .to_owned(),
                body: told.to_string(),
            };
            alerts::happened(session, &event)?;
        }
        let over = State {
            evaluated: state.evaluated,
            ..State::default()
        };
        standing.rule = before.id.to_string();
        standing.state = serde_json::to_string(&over).map_err(Error::internal)?;
        alerts::stand(session, standing)
    }

    /// Tells whoever was told of an incident that nobody looks any more, and why; and of an end that was to be told once a silence is over,
    /// that it came, as nobody will later.
    fn tell_of_the_end(
        &self,
        session: &mut dyn Session,
        alert: &Alert,
        why: &str,
        now: Instant,
    ) -> Result<()> {
        let state = alert.state().known_at(now);
        let goes_on = state.incident.filter(|i| i.notified);
        let Some(incident) = state.owed.or(goes_on) else {
            return Ok(());
        };
        let moment = Instant::saturating_from_micros;
        let mut over = match (state.owed.and_then(|i| i.cleared), state.clear) {
            (Some(at), Some(reading)) => alarm(
                alert,
                "resolved",
                (moment(at), moment(incident.since)),
                &reading,
            ),
            _ => {
                let when = (now, moment(incident.since));
                let over = alarm(alert, "resolved", when, &Reading::default());
                let summary = format!("resolved: {}: {why}", alert.rule.name);
                Alarm { summary, ..over }
            }
        };
        over.opened_at = Some(moment(incident.opened));
        let raised = [(over, alert.rule.channels.as_slice(), "")];
        for message in alert::grouped(&raised) {
            self.put(session, message, now)?;
        }
        Ok(())
    }

    /// Tells nobody of an alert rule until an instant (`until`), or for a length of time (`for`); `until` null ends a silence. An
    /// incident that outlasts it is told then, and whoever was told of one before is told then that it ended meanwhile. `reason` is kept.
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
            let reason = fields.optional("reason", |v| fields::text_of(v, 0, 500));
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
            let (limit, offset) = fields.page(1..=100, 20);
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
            let alarm = alarm(&alert, "test", (now, now), &found.reading);
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
            Ok(json!({ "reading": found.told(), "verdict": verdict, "messages": sent }))
        })
    }
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

/// A rule that is on again begins anew: it looks back no further than one that was just made.
fn turn_on(session: &mut dyn Session, alert: &mut Alert, now: Instant) -> Result<()> {
    let mut state = alert.state();
    let anew = alert.rule.schedule.before(now).micros();
    state.evaluated = state.evaluated.map(|last| last.max(anew));
    alert.standing.rule = alert.id.to_string();
    alert.standing.state = serde_json::to_string(&state).map_err(Error::internal)?;
    alerts::stand(session, &alert.standing)
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
