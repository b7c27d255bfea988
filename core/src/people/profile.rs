//! One person: who it is, and what they did, the latest first.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Person, person};
use crate::error::{Error, Result};
use crate::query::Instant;
use crate::query::fields::{self, Fields};
use crate::query::money::Money;
use crate::timeline::View;
use crate::warehouse::person::{self as stored, Detail};
use crate::warehouse::{Page, Warehouse};

/// Which events of a person are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether the id is a device's.
    pub anonymous: bool,
    /// Only events of this name.
    pub name: Option<String>,
    /// At most so many events, 1 to 1,000; 50 by default.
    pub limit: usize,
    /// How many to leave out before, counted from the latest.
    pub offset: usize,
    /// Nothing after this instant is seen; now by default (G2).
    pub as_of: Option<Instant>,
}

/// A person and some of their events.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Who it is.
    pub person: Person,
    /// All ids that are this person, users before devices; of a device also the users whom it is known to be.
    pub ids: Vec<Id>,
    /// How often each event occurred, the most frequent first.
    pub names: Vec<Named>,
    /// How many events there are of the name asked for, or in all.
    pub total: u64,
    /// How many were left out before those shown.
    pub offset: usize,
    /// Whether there are earlier ones than those shown.
    pub has_more: bool,
    /// Those shown, the latest first.
    pub events: Vec<Happening>,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
}

/// An id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Id {
    /// The id.
    pub id: String,
    /// Whether it is a device's.
    pub anonymous: bool,
}

/// How often an event occurred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// How often.
    pub events: u64,
}

/// One event.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Happening {
    /// When it happened.
    pub ts: Instant,
    /// What happened.
    pub name: String,
    /// Its id, as it was sent.
    pub event_id: Option<String>,
    /// The session it was sent with.
    pub session_id: Option<String>,
    /// Its amount, as decimal text.
    pub amount: Option<Money>,
    /// The currency of the amount.
    pub currency: Option<String>,
    /// Its properties.
    pub properties: Option<Box<RawValue>>,
}

impl Asked {
    /// Reads `{"anonymous": "true", "name": …, "limit": 50, "offset": 0, "asOf": …}`, all of them optional.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(asked: &Value, now: Instant) -> Result<Self> {
        let mut fields = Fields::of(asked)?;
        let anonymous = fields.optional("anonymous", fields::boolean);
        let name = fields.optional("name", fields::name);
        let (limit, offset) = fields.page(1..=1_000, 50);
        let as_of = fields.optional("asOf", fields::instant);
        fields.finish(Vec::new())?;
        Ok(Self {
            anonymous: anonymous.unwrap_or_default(),
            name,
            limit,
            offset,
            as_of: as_of.map(|at| at.min(now)),
        })
    }
}

/// The person of a key.
pub(crate) fn profile(
    key: u32,
    asked: &Asked,
    view: &View<'_>,
    warehouse: &dyn Warehouse,
) -> Result<Profile> {
    let key = view.timelines.identity().canonical(key);
    let page = Page {
        limit: 1,
        offset: 0,
    };
    let merged = view.timelines.merged_into(&[key]);
    let said = warehouse.people(&[key], &merged, &page, view.as_of)?;
    let said = said.into_iter().next();
    let person = person(
        said.ok_or_else(|| Error::internal("a user without an id"))?,
        view,
    )?;
    let (keys, _) = view.timelines.person(key);
    let ids = stored::ids(warehouse, &keys)?.into_iter();
    let ids = ids.map(|(id, anonymous)| Id { id, anonymous }).collect();

    let events = view.timelines.user(key).until(view.as_of.micros());
    let names = view.timelines.names();
    let called = |name: u16| names.get(usize::from(name)).map_or("", String::as_str);
    let mut counts: HashMap<u16, u64> = HashMap::new();
    for name in events.name {
        *counts.entry(*name).or_default() += 1;
    }
    let mut counted: Vec<Named> = counts
        .iter()
        .map(|(name, events)| Named {
            name: called(*name).to_owned(),
            events: *events,
        })
        .collect();
    counted.sort_by(|a, b| b.events.cmp(&a.events).then_with(|| a.name.cmp(&b.name)));

    let meant = |name: u16| {
        asked
            .name
            .as_deref()
            .is_none_or(|only| called(name) == only)
    };
    let total = match &asked.name {
        None => events.ts.len() as u64,
        Some(only) => counted
            .iter()
            .find(|n| n.name == *only)
            .map_or(0, |n| n.events),
    };
    let latest = events.ts.iter().zip(events.name).zip(events.row).rev();
    let shown: Vec<(i64, u16, u32)> = latest
        .map(|((ts, name), row)| (*ts, *name, *row))
        .filter(|(_, name, _)| meant(*name))
        .skip(asked.offset)
        .take(asked.limit)
        .collect();
    let rows: Vec<u32> = shown.iter().map(|(.., row)| *row).collect();
    let details = stored::details(warehouse, &rows)?.into_iter();
    let mut details: HashMap<u32, Detail> = details.map(|d| (d.row, d)).collect();
    // An event without a row was taken away after the timelines were read.
    let found = shown
        .iter()
        .filter_map(|(ts, name, row)| Some((ts, name, details.remove(row)?)));
    let events = found.map(|(ts, name, detail)| {
        let properties = detail.properties.map(RawValue::from_string);
        Ok(Happening {
            ts: Instant::saturating_from_micros(*ts),
            name: called(*name).to_owned(),
            event_id: detail.event_id,
            session_id: detail.session_id,
            amount: detail.amount,
            currency: detail.currency,
            properties: properties.transpose().map_err(Error::internal)?,
        })
    });
    let events = events.collect::<Result<Vec<_>>>()?;
    Ok(Profile {
        person,
        ids,
        names: counted,
        total,
        offset: asked.offset,
        has_more: ((asked.offset + rows.len()) as u64) < total,
        events,
        as_of: view.as_of,
    })
}
