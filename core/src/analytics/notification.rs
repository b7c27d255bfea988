//! Notifications: the list that people look at, and those on their way out, which a server delivers.

use serde::Serialize;
use serde_json::{Value, json};

use super::Analytics;
use crate::access::{self, Permission, Principal};
use crate::alert::{self, Channel, Message};
use crate::audit::Act;
use crate::error::{Error, ErrorKind, Result};
use crate::export::job::Kept;
use crate::metadata::{Holder, Letter, Note, Session, alerts, change, outbox, read};
use crate::query::Instant;
use crate::query::fields::{self, Fields};

/// A notification in the list that people look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: String,
    /// A line for people.
    pub title: String,
    /// What it is about: `{ "type", "timestamp", "data" }`.
    pub body: Value,
    /// When it was made.
    pub created_at: Instant,
    /// Whether whoever asks has read it.
    pub read: bool,
}

/// One page of that list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationList {
    /// Those of the page, the latest first.
    pub notifications: Vec<Notification>,
    /// How many there are in all.
    pub total: u64,
    /// How many are not read.
    pub unread: u64,
    /// At most so many were asked for.
    pub limit: usize,
    /// So many were left out before those of the page.
    pub offset: usize,
    /// Whether there are more behind those of the page.
    pub has_more: bool,
}

/// A notification on its way out, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id; a webhook's `webhook-id`.
    #[serde(rename = "_id")]
    pub id: String,
    /// Where it goes.
    pub channel: Value,
    /// A line for people.
    pub title: String,
    /// What it is about.
    pub body: Value,
    /// When it was made.
    pub created_at: Instant,
    /// `waiting`, `sent`, or `dead` for one that was given up.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, while it waits.
    pub next_at: Option<Instant>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// One page of those.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryList {
    /// Those of the page, the latest first.
    pub deliveries: Vec<Delivery>,
    /// How many there are in all.
    pub total: u64,
    /// At most so many were asked for.
    pub limit: usize,
    /// So many were left out before those of the page.
    pub offset: usize,
    /// Whether there are more behind those of the page.
    pub has_more: bool,
}

/// Something that became of an alert rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertNews {
    /// The rule by its id.
    pub alert: String,
    /// The instant of the evaluation.
    pub at: Instant,
    /// What, such as `firing`.
    pub event: String,
    /// The rest.
    pub details: Value,
}

/// How an attempt to deliver a notification went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It arrived.
    Delivered,
    /// It did not, and may the next time; why.
    Failed(String),
    /// It never will; why.
    Refused(String),
}

impl Analytics {
    /// What became of all alert rules from an instant on, the earliest first, at most so many after leaving out so many: for whoever looks
    /// again and again. Such looks do not stand in the record one by one.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read alerts.
    pub fn alert_news(
        &self,
        who: &Principal,
        since: Instant,
        page: (usize, usize),
    ) -> Result<Vec<AlertNews>> {
        access::grant(who, Permission::ReadAlerts, ())?;
        let events = read(&*self.metadata()?, |s| alerts::since(s, since, page))?;
        let told = events.into_iter().map(|event| {
            Ok(AlertNews {
                alert: event.rule,
                at: event.at,
                event: event.event,
                details: serde_json::from_str(&event.body).map_err(Error::internal)?,
            })
        });
        told.collect()
    }

    /// How many those are in all: it grows with whatever becomes of a rule, also where that is written late.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read alerts.
    pub fn count_alert_news(&self, who: &Principal, since: Instant) -> Result<u64> {
        access::grant(who, Permission::ReadAlerts, ())?;
        read(&*self.metadata()?, |s| alerts::count_since(s, since))
    }

    /// `alert_news` of a question in its JSON form: `since`, an instant, `limit` (1 to 1,000, 100 by default), `offset`.
    ///
    /// # Errors
    /// As `alert_news`; `validation_failed` with every field error at once.
    pub fn alert_news_json(&self, who: &Principal, asked: &Value) -> Result<Vec<AlertNews>> {
        access::grant(who, Permission::ReadAlerts, ())?;
        let mut fields = Fields::of(asked)?;
        let since = fields.required("since", |v| fields::instant(v).map(Some));
        let page = fields.page(1..=1_000, 100);
        fields.finish(Vec::new())?;
        let since = since.unwrap_or_else(|| self.now());
        self.alert_news(who, since, page)
    }

    /// The notifications of whoever asks and of their role: `unread` true for those not read only, `limit` (1 to 100, 20 by default),
    /// `offset`.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read analytics; `validation_failed` with every field error at once.
    pub fn notifications(&self, who: &Principal, asked: &Value) -> Result<NotificationList> {
        let act = Act::new("notification.list", "");
        self.seen(who, Permission::ReadAnalytics, &act, |session| {
            let mut fields = Fields::of(asked)?;
            let unread = fields.optional("unread", fields::boolean).unwrap_or(false);
            let (limit, offset) = fields.page(1..=100, 20);
            fields.finish(Vec::new())?;
            let mine = (who.id(), who.role());
            let (posts, total, left) = outbox::inbox(session, mine, unread, (limit, offset))?;
            let has_more = (offset.saturating_add(posts.len()) as u64) < total;
            let told = posts.into_iter().map(|post| {
                Ok(Notification {
                    id: post.note.id,
                    title: post.note.title,
                    body: serde_json::from_str(&post.note.body).map_err(Error::internal)?,
                    created_at: post.note.created_at,
                    read: post.read,
                })
            });
            Ok(NotificationList {
                notifications: told.collect::<Result<_>>()?,
                total,
                unread: left,
                limit,
                offset,
                has_more,
            })
        })
    }

    /// Marks a notification as read by whoever asks.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read analytics; `not_found` for what is not in their list.
    pub fn read_notification(&self, who: &Principal, id: &str) -> Result<()> {
        let act = Act::new("notification.read", format!("notification/{id}"));
        self.acted(who, Permission::ReadAnalytics, act, |session, _| {
            if outbox::mark_read(session, (who.id(), who.role()), id)? {
                return Ok(());
            }
            Err(absent(id))
        })
    }

    /// Notifications on their way out, the latest first: `state` (`waiting`, `sent`, `dead`), `limit` (1 to 100, 20 by default),
    /// `offset`.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; `validation_failed` with every field error at once.
    pub fn deliveries(&self, who: &Principal, asked: &Value) -> Result<DeliveryList> {
        let act = Act::new("notification.deliveries", "");
        self.seen(who, Permission::ManageAlerts, &act, |session| {
            let mut fields = Fields::of(asked)?;
            let states = ["waiting", "sent", "dead"].map(|s| (s, s));
            let state = fields.optional("state", |v| fields::one_of(v, &states));
            let (limit, offset) = fields.page(1..=100, 20);
            fields.finish(Vec::new())?;
            let state = state.unwrap_or_default();
            let (letters, total) = outbox::letters(session, state, limit, offset)?;
            let behind = offset.saturating_add(letters.len()) as u64;
            let deliveries = letters.into_iter().map(delivery);
            Ok(DeliveryList {
                deliveries: deliveries.collect::<Result<_>>()?,
                total,
                limit,
                offset,
                has_more: behind < total,
            })
        })
    }

    /// Puts a notification that was given up on its way again.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; `not_found`; `not_dead` for one that was not given up.
    pub fn retry_delivery(&self, who: &Principal, id: &str) -> Result<()> {
        let act = Act::new("notification.retry", format!("notification/{id}"));
        let now = self.now();
        self.acted(who, Permission::ManageAlerts, act, |session, _| {
            let mut letter = outbox::find(session, id)?.ok_or_else(|| absent(id))?;
            if letter.state != "dead" {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "not_dead",
                    "only a notification that was given up can be sent again",
                ));
            }
            letter.state = "waiting".to_owned();
            letter.attempts = 0;
            letter.next_at = now;
            outbox::attempted(session, &letter)
        })
    }

    /// Takes up to so many notifications that are due to be delivered. Whoever takes them has them for two minutes, and then says how
    /// it went; see [`Self::attempted`]. One of which nothing is said is taken again.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; what the store raises.
    pub fn take_notifications(&self, who: &Principal, limit: usize) -> Result<Vec<Letter>> {
        access::grant(who, Permission::ManageAlerts, ())?;
        let now = self.now();
        let lease = Instant::saturating_from_micros(now.micros().saturating_add(alert::LEASE));
        change(&*self.metadata()?, |session| {
            outbox::take(session, now, lease, limit)
        })
    }

    /// Keeps how an attempt to deliver a notification went: it is sent, is tried again later, or is given up, after ten attempts over
    /// a day and a half or where it never will arrive.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not manage alerts; what the store raises.
    pub fn attempted(&self, who: &Principal, letter: &Letter, attempt: &Attempt) -> Result<()> {
        access::grant(who, Permission::ManageAlerts, ())?;
        let now = self.now();
        let mut letter = letter.clone();
        letter.attempts += 1;
        letter.error = String::new();
        let failures = u32::try_from(letter.attempts).unwrap_or(u32::MAX);
        match attempt {
            Attempt::Delivered => letter.state = "sent".to_owned(),
            Attempt::Refused(why) => {
                letter.state = "dead".to_owned();
                letter.error = plain(why);
            }
            Attempt::Failed(why) => {
                letter.error = plain(why);
                match alert::after(&letter.note.id, failures, now) {
                    Some(next) => letter.next_at = next,
                    None => letter.state = "dead".to_owned(),
                }
            }
        }
        change(&*self.metadata()?, |session| {
            outbox::attempted(session, &letter)
        })
    }

    /// Tells whoever asked for an export what became of it, and the places that they named.
    pub(super) fn tell_of_export(
        &self,
        session: &mut dyn Session,
        export: &Kept,
        event: &str,
        title: &str,
    ) -> Result<()> {
        let (id, now) = (export.id(), self.now());
        let owner = Channel::InApp {
            users: vec![export.owner().to_owned()],
            roles: Vec::new(),
        };
        let named = export.request.notify.iter().map(Channel::parse);
        for (place, channel) in std::iter::once(Ok(owner)).chain(named).enumerate() {
            let message = Message {
                key: format!("{id}/{event}/{place}"),
                channel: channel?,
                title: title.to_owned(),
                body: json!({
                    "type": format!("export.{event}"),
                    "timestamp": now,
                    "data": { "exportId": id },
                }),
            };
            self.put(session, message, now)?;
        }
        Ok(())
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
            next_at: self.now(),
            error: String::new(),
        };
        outbox::send(session, &letter).map(|_| ())
    }
}

/// What a notification that is due tells and where it goes, as whoever delivers it reads it: `_id`, `channel`, `title`, `body`,
/// `createdAt`, `attempts`.
///
/// # Errors
/// Only a fault of our own.
pub fn due(letter: &Letter) -> Result<Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(Error::internal);
    let note = &letter.note;
    Ok(json!({
        "_id": note.id,
        "channel": read(&letter.target)?,
        "title": note.title,
        "body": read(&note.body)?,
        "createdAt": note.created_at,
        "attempts": letter.attempts,
    }))
}

fn delivery(letter: Letter) -> Result<Delivery> {
    Ok(Delivery {
        id: letter.note.id,
        channel: serde_json::from_str(&letter.target).map_err(Error::internal)?,
        title: letter.note.title,
        body: serde_json::from_str(&letter.note.body).map_err(Error::internal)?,
        created_at: letter.note.created_at,
        next_at: (letter.state == "waiting").then_some(letter.next_at),
        state: letter.state,
        attempts: letter.attempts,
        error: letter.error,
    })
}

/// What another server said, short and without what PostgreSQL does not take.
fn plain(why: &str) -> String {
    why.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn absent(id: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "not_found",
        format!("there is no notification `{id}`"),
    )
}
