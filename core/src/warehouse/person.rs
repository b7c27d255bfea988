//! One user and what stands in their events, in a warehouse that speaks DuckDB's SQL.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Decimal128Type, UInt32Type};

use super::{Parameter, Warehouse};
use crate::error::{Error, Result};
use crate::query::money::Money;

/// What stands in an event beside its user, its time and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Its row key.
    pub row: u32,
    /// Its id, as it was sent.
    pub event_id: Option<String>,
    /// The session it was sent with.
    pub session_id: Option<String>,
    /// Its promoted amount.
    pub amount: Option<Money>,
    /// The currency of the amount.
    pub currency: Option<String>,
    /// Its properties, as a JSON object.
    pub properties: Option<String>,
}

// Whoever was forgotten has no id left.
const KEY: &str = "select user_key from users where id = ? and id <> '' and anonymous = (? = 1)";

// Rows of one user lie anywhere; the bounds let the engine pass over what cannot hold them.
const DETAILS: &str = "
select
    row_key, coalesce(event_id_text, event_id::varchar), session_id, amount, currency, properties
from events
where row_key between ? and ? and row_key in (select unnest(from_json(?, '[\"UINTEGER\"]')))
";

const NAMES: &str = "
with theirs as (
    select unnest(from_json(?, '[\"UINTEGER\"]')) as key
),
known as (
    select key from theirs
    union
    select anonymous_key from aliases where user_key in (select key from theirs)
    union
    select anonymous_key from events where user_key in (select key from theirs)
    union
    select user_key from aliases where anonymous_key in (select key from theirs)
    union
    select user_key from events where anonymous_key in (select key from theirs)
)
select user_key, id, anonymous::integer::uinteger as anonymous
from users
where user_key in (select key from known) and id <> ''
order by anonymous, id
";

/// The key of the user with an id, or of the device with an anonymous id.
pub(crate) fn key(warehouse: &dyn Warehouse, id: &str, anonymous: bool) -> Result<Option<u32>> {
    let asked = [
        Parameter::Text(id.to_owned()),
        Parameter::Integer(i64::from(anonymous)),
    ];
    for batch in warehouse.select(KEY, &asked)? {
        if let Some(key) = whole(&batch, 0)?.values().first() {
            return Ok(Some(*key));
        }
    }
    Ok(None)
}

/// What stands in the events of these row keys, in any order.
pub(crate) fn details(warehouse: &dyn Warehouse, rows: &[u32]) -> Result<Vec<Detail>> {
    let (Some(first), Some(last)) = (rows.iter().min(), rows.iter().max()) else {
        return Ok(Vec::new());
    };
    let asked = [
        Parameter::Integer(i64::from(*first)),
        Parameter::Integer(i64::from(*last)),
        Parameter::Text(serde_json::to_string(rows).map_err(Error::internal)?),
    ];
    let mut found = Vec::with_capacity(rows.len());
    for batch in warehouse.select(DETAILS, &asked)? {
        let keys = whole(&batch, 0)?;
        for (at, row) in keys.values().iter().enumerate() {
            found.push(Detail {
                row: *row,
                event_id: text(&batch, 1, at)?,
                session_id: text(&batch, 2, at)?,
                amount: amount(&batch, 3, at)?,
                currency: text(&batch, 4, at)?,
                properties: text(&batch, 5, at)?,
            });
        }
    }
    Ok(found)
}

/// The ids of these keys, of the devices that are known to be theirs, and, of a device, of those whom it is known to be; and whether
/// each is a device's. Users first.
pub(crate) fn ids(warehouse: &dyn Warehouse, keys: &[u32]) -> Result<Vec<(String, bool)>> {
    let asked = serde_json::to_string(keys).map_err(Error::internal)?;
    let mut found = Vec::with_capacity(keys.len());
    for batch in warehouse.select(NAMES, &[Parameter::Text(asked)])? {
        let anonymous = whole(&batch, 2)?;
        for (at, anonymous) in anonymous.values().iter().enumerate() {
            found.push((text(&batch, 1, at)?.unwrap_or_default(), *anonymous == 1));
        }
    }
    Ok(found)
}

fn whole(batch: &RecordBatch, at: usize) -> Result<&arrow::array::UInt32Array> {
    let column = batch.columns().get(at);
    let column = column.and_then(|c| c.as_primitive_opt::<UInt32Type>());
    column.ok_or_else(shape)
}

fn amount(batch: &RecordBatch, at: usize, row: usize) -> Result<Option<Money>> {
    let column = batch.columns().get(at);
    let column = column.and_then(|c| c.as_primitive_opt::<Decimal128Type>());
    let column = column.ok_or_else(shape)?;
    // Stored in ten-thousandths.
    let value = column.is_valid(row).then(|| column.value(row));
    Ok(value.map(|v| Money(v * 100_000_000)))
}

fn text(batch: &RecordBatch, at: usize, row: usize) -> Result<Option<String>> {
    let column = batch.columns().get(at);
    let column = column.and_then(|c| c.as_string_opt::<i32>());
    let column = column.ok_or_else(shape)?;
    Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
}

fn shape() -> Error {
    Error::internal("a user's events came in another shape")
}
