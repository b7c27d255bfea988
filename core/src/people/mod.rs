//! The people behind a number (D1): the users that a cell of an answer counts, by the very plan that counted them.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result};
use crate::query::Instant;
use crate::query::fields::{self, Fields};
use crate::timeline::View;
use crate::warehouse::{Page, Profiled, Warehouse};

pub mod profile;

/// Whose users are asked for, and which of them are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct People {
    /// The word that was asked, for example `funnel`.
    pub word: String,
    /// Its question.
    pub question: Value,
    /// The cell of its answer, as the word names its cells.
    pub cell: Value,
    /// At most so many users, 1 to 10,000; 100 by default.
    pub limit: usize,
    /// How many to leave out before.
    pub offset: usize,
}

/// Users that a cell counts, in the order of their ids.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeopleAnswer {
    /// How many users the cell counts: its number.
    pub total: u64,
    /// How many were left out before those shown.
    pub offset: usize,
    /// Whether there are more behind those shown.
    pub has_more: bool,
    /// Those shown.
    pub users: Vec<Person>,
    /// Nothing after this instant was seen.
    pub as_of: Instant,
}

/// One user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The id.
    pub user_id: String,
    /// Whether it is the id of a device that nobody is known on.
    pub anonymous: bool,
    /// The time of the first event.
    pub first_seen: Option<Instant>,
    /// The time of the last event.
    pub last_seen: Option<Instant>,
    /// How many events.
    pub events: u64,
    /// The plan that the latest profile states.
    pub plan: Option<String>,
    /// The properties of the latest profile that has any.
    pub properties: Option<Box<RawValue>>,
}

impl People {
    /// Reads `{"word": …, "question": …, "cell": …, "limit": 100, "offset": 0}`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(request: &Value) -> Result<Self> {
        let mut fields = Fields::of(request)?;
        let word = fields.required("word", |v| fields::text(v).map(str::to_owned));
        let question = fields.required("question", |v| Ok(v.clone()));
        let cell = fields.required("cell", |v| Ok(v.clone()));
        let (limit, offset) = fields.page(1..=10_000, 100);
        fields.finish(Vec::new())?;
        Ok(Self {
            word,
            question,
            cell,
            limit,
            offset,
        })
    }
}

/// Shows some of the users of these keys, which ascend.
pub(crate) fn answer(
    keys: &[u32],
    people: &People,
    view: &View<'_>,
    warehouse: &dyn Warehouse,
) -> Result<PeopleAnswer> {
    let rows = warehouse.people(
        keys,
        &view.timelines.merged_into(keys),
        &Page {
            limit: people.limit,
            offset: people.offset,
        },
        view.as_of,
    )?;
    let users = rows.into_iter().map(|row| person(row, view));
    let users = users.collect::<Result<Vec<_>>>()?;
    Ok(PeopleAnswer {
        total: keys.len() as u64,
        offset: people.offset,
        has_more: people.offset + users.len() < keys.len(),
        users,
        as_of: view.as_of,
    })
}

/// A user by what is stored of them and what they did.
fn person(row: Profiled, view: &View<'_>) -> Result<Person> {
    let events = view.timelines.user(row.user).until(view.as_of.micros());
    let at = |ts: Option<&i64>| ts.map(|ts| Instant::saturating_from_micros(*ts));
    let properties = row.properties.map(RawValue::from_string);
    Ok(Person {
        user_id: row.id,
        anonymous: row.anonymous,
        first_seen: at(events.ts.first()),
        last_seen: at(events.ts.last()),
        events: events.ts.len() as u64,
        plan: row.plan,
        properties: properties.transpose().map_err(Error::internal)?,
    })
}
