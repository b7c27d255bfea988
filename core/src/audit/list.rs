//! The record as it is read: filtered, the latest first.

use serde::Serialize;
use serde_json::Value;

use super::Outcome;
use crate::error::Result;
use crate::metadata::entries::{self, Filter};
use crate::metadata::{Entry, Session};
use crate::query::Instant;
use crate::query::fields::{self, Fields, Parsed, fault};

/// One page of the record.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The entries, the latest first.
    pub entries: Vec<Shown>,
    /// How many there are in all.
    pub total: u64,
    /// At most so many were asked for.
    pub limit: usize,
    /// So many were left out before those shown.
    pub offset: usize,
    /// Whether there are more behind those shown.
    pub has_more: bool,
}

/// An entry.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    /// Its number, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who: the id of the principal; empty where nobody was proved.
    pub who: String,
    /// In which role.
    pub role: String,
    /// From where.
    pub origin: String,
    /// The id of the request.
    pub request_id: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// `allowed`, `refused` or `failed`.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The hash of all this and of the entry before.
    pub hash: String,
}

/// The entries that `{"who", "action", "object", "outcome", "from", "to", "limit": 50, "offset": 0}` asks for.
///
/// # Errors
/// `validation_failed` with every field error at once.
pub fn list(session: &mut dyn Session, asked: &Value) -> Result<Listed> {
    let filter = parse(asked)?;
    let (found, total) = entries::find(session, &filter)?;
    let behind = filter.offset.saturating_add(found.len());
    Ok(Listed {
        has_more: (behind as u64) < total,
        entries: found.into_iter().map(Shown::from).collect(),
        total,
        limit: filter.limit,
        offset: filter.offset,
    })
}

fn parse(asked: &Value) -> Result<Filter> {
    let mut fields = Fields::of(asked)?;
    let outcomes = Outcome::ALL.map(|outcome| (outcome.name(), outcome));
    let mut filter = Filter {
        who: fields.optional("who", plain).unwrap_or_default(),
        action: fields.optional("action", plain).unwrap_or_default(),
        object: fields.optional("object", plain).unwrap_or_default(),
        outcome: fields
            .optional("outcome", |v| fields::one_of(v, &outcomes))
            .map_or_else(String::new, |outcome| outcome.name().to_owned()),
        from: fields.optional("from", fields::instant),
        to: fields.optional("to", fields::instant),
        ..Filter::default()
    };
    (filter.limit, filter.offset) = fields.page(1..=1_000, 50);
    fields.finish(Vec::new())?;
    Ok(filter)
}

/// Text that a store can hold.
fn plain(value: &Value) -> Parsed<String> {
    let text = fields::text(value)?;
    if text.chars().count() > super::LONGEST || text.contains('\0') {
        return fault("invalid_length", "must have at most 500 characters");
    }
    Ok(text.to_owned())
}

impl From<Entry> for Shown {
    fn from(entry: Entry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            who: entry.who,
            role: entry.role,
            origin: entry.origin,
            request_id: entry.request,
            action: entry.action,
            object: entry.object,
            outcome: entry.outcome,
            reason: entry.reason,
            hash: entry.hash,
        }
    }
}
