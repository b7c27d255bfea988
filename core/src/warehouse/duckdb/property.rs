//! Properties of events and users, as canonical JSON text.

use ::duckdb::params;
use arrow::array::{AsArray, StringArray};
use arrow::datatypes::{TimestampMicrosecondType, UInt32Type, UInt64Type};

use super::catalogue::pointer;
use super::{Duckdb, unexpected};
use crate::error::Result;
use crate::warehouse::{EventProperty, Said};

pub(super) fn of_events(
    home: &Duckdb,
    property: &EventProperty,
    first: u32,
    sink: &mut dyn FnMut(&[u32], &StringArray) -> Result<()>,
) -> Result<()> {
    let connection = home.connect()?;
    let fault = |error| home.fault(error);
    let mut statement = match property {
        // Most events lack most properties, and to look for the key's letters costs far less than to parse the JSON.
        EventProperty::Named(_) => connection.prepare(
            "select row_key, value
             from (
                select row_key, json_extract(properties, ?)::varchar as value
                from events
                where row_key >= ? and user_key is not null and contains(properties, ?)
             )
             where value is not null",
        ),
        EventProperty::Session => connection.prepare(
            "select row_key, to_json(session_id)::varchar as value
             from events
             where row_key >= ? and user_key is not null and session_id is not null",
        ),
    }
    .map_err(fault)?;
    drop(
        match property {
            EventProperty::Named(name) => {
                let key = serde_json::Value::from(name.as_str()).to_string();
                statement.stream_arrow(params![pointer(name), first, key])
            }
            EventProperty::Session => statement.stream_arrow(params![first]),
        }
        .map_err(fault)?,
    );
    while let Some(rows) = statement.step().map_err(fault)? {
        let [keys, values] = rows.columns() else {
            return Err(unexpected());
        };
        let (Some(keys), Some(values)) = (
            keys.as_primitive_opt::<UInt32Type>(),
            values.as_string_opt::<i32>(),
        ) else {
            return Err(unexpected());
        };
        sink(keys.values(), values)?;
    }
    Ok(())
}

pub(super) fn of_users(home: &Duckdb, name: &str) -> Result<Vec<Said>> {
    let connection = home.connect()?;
    let fault = |error| home.fault(error);
    let mut statement = connection
        .prepare(
            "select user_key, ts, value, content_hash
             from (
                select
                    user_key,
                    ts,
                    content_hash,
                    case when ? = 'plan' then coalesce(to_json(plan), json_extract(properties, ?))
                    else json_extract(properties, ?) end::varchar as value
                from profiles
             )
             where value is not null
             order by user_key, ts, content_hash",
        )
        .map_err(fault)?;
    drop(
        statement
            .stream_arrow(params![name, pointer(name), pointer(name)])
            .map_err(fault)?,
    );
    let mut said = Vec::new();
    while let Some(rows) = statement.step().map_err(fault)? {
        let [users, times, values, hashes] = rows.columns() else {
            return Err(unexpected());
        };
        let (Some(users), Some(times), Some(values), Some(hashes)) = (
            users.as_primitive_opt::<UInt32Type>(),
            times.as_primitive_opt::<TimestampMicrosecondType>(),
            values.as_string_opt::<i32>(),
            hashes.as_primitive_opt::<UInt64Type>(),
        ) else {
            return Err(unexpected());
        };
        let keys = users.values().iter().zip(times.values());
        let rows = keys.zip(hashes.values()).zip(values);
        said.extend(rows.map(|(((user, ts), hash), value)| Said {
            user: *user,
            ts: *ts,
            hash: *hash,
            value: value.unwrap_or_default().to_owned(),
        }));
    }
    Ok(said)
}
