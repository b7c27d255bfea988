//! A rule as it is kept and told, and what became of it.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::machine::{Phase, State};
use super::rule::Rule;
use crate::error::{Error, Result};
use crate::metadata::documents::fold;
use crate::metadata::{Document, Kind, ObjectId, Standing};
use crate::query::Instant;

/// A rule that is kept, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: ObjectId,
    /// The rule.
    pub rule: Rule,
    /// Who made it; its questions are asked as them.
    pub owner_id: String,
    /// The role in which they made it.
    pub role: String,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Grows by 1 with every change.
    pub revision: i64,
    /// Where it stands.
    pub standing: Standing,
    /// Whether the places that are told may be shown: some are secrets.
    pub channels_shown: bool,
}

/// One page of rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertList {
    /// Those of the page.
    pub alerts: Vec<Alert>,
    /// How many there are in all.
    pub total: u64,
    /// At most so many were asked for.
    pub limit: usize,
    /// So many were left out before those of the page.
    pub offset: usize,
    /// Whether there are more behind those of the page.
    pub has_more: bool,
}

/// Something that became of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertEvent {
    /// The instant of the evaluation.
    pub at: Instant,
    /// The phase that was entered (`ok`, `pending`, `firing`, `resolved`), `notified`, `closed`, `unheard` for an incident that was
    /// silenced all the while, or `error`.
    pub event: String,
    /// What was read, and more.
    pub details: Value,
}

/// What an evaluation of all rules came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluated {
    /// How many rules were due.
    pub evaluated: u64,
    /// How many could not be answered, or not be read.
    pub failed: u64,
    /// How many incidents began.
    pub opened: u64,
    /// How many messages were made.
    pub messages: u64,
}

/// What is stored of a rule as JSON text.
#[derive(Serialize, Deserialize)]
struct Body {
    rule: Value,
    role: String,
}

impl Alert {
    /// As it is stored.
    pub(crate) fn document(&self) -> Result<Document> {
        let body = Body {
            rule: self.rule.json(),
            role: self.role.clone(),
        };
        Ok(Document {
            kind: Kind::Alert,
            id: self.id,
            owner: self.owner_id.clone(),
            name: fold(&self.rule.name),
            sought: fold(&self.rule.name),
            state: (if self.rule.enabled {
                "enabled"
            } else {
                "disabled"
            })
            .to_owned(),
            // Everybody who may see alerts sees all of them.
            public: true,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
            body: serde_json::to_string(&body).map_err(Error::internal)?,
        })
    }

    /// From what is stored.
    pub(crate) fn read(document: &Document, standing: Standing) -> Result<Self> {
        let body: Body = serde_json::from_str(&document.body).map_err(Error::internal)?;
        Ok(Self {
            id: document.id,
            rule: Rule::parse(&body.rule).map_err(Error::internal)?,
            owner_id: document.owner.clone(),
            role: body.role,
            created_at: document.created_at,
            updated_at: document.updated_at,
            revision: document.revision,
            standing,
            channels_shown: true,
        })
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        // What is not there, or cannot be read, is as at the beginning.
        serde_json::from_str(&self.standing.state).unwrap_or_default()
    }

    fn told(&self) -> Value {
        let mut told: Map<String, Value> = match self.rule.json() {
            Value::Object(rule) => rule,
            _ => Map::new(),
        };
        if !self.channels_shown {
            let kinds = self.rule.channels.iter();
            let kinds = kinds.map(|c| serde_json::json!({ "type": c.name() }));
            told.insert("channels".to_owned(), kinds.collect());
        }
        let state = self.state();
        let moment = |at: Option<i64>| at.map(Instant::saturating_from_micros);
        let incident = state.incident.as_ref().map(|i| {
            serde_json::json!({
                "openedAt": Instant::saturating_from_micros(i.opened),
                "notified": i.notified,
                "reopened": i.reopened,
                "clearedAt": moment(i.cleared),
            })
        });
        let phase = if state.evaluated.is_some() {
            state.phase
        } else {
            Phase::Ok
        };
        let more = serde_json::json!({
            "_id": self.id.to_string(),
            "ownerId": self.owner_id,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "revision": self.revision,
            "phase": phase,
            "evaluatedAt": moment(state.evaluated),
            "incident": incident,
            "silencedUntil": self.standing.silenced_until,
            "silence": self.standing.silenced_until.map(|_| &self.standing.silence),
            "reading": serde_json::from_str::<Value>(&self.standing.reading).ok(),
        });
        if let Value::Object(more) = more {
            told.extend(more);
        }
        Value::Object(told)
    }
}

impl Serialize for Alert {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.told().serialize(serializer)
    }
}
