//! Cohorts, and the keys of users by their ids.

use std::collections::HashMap;

use ::duckdb::params;
use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, UInt32Type};

use super::{Duckdb, unexpected};
use crate::error::{Error, Result};
use crate::query::Instant;
use crate::warehouse::{Named, Parameter, Warehouse};

pub(super) fn read(home: &Duckdb) -> Result<Vec<Named>> {
    let connection = home.connect()?;
    let mut statement = connection
        .prepare("select name, definition, epoch_us(created_at) from cohorts order by name")
        .map_err(|e| home.fault(e))?;
    statement
        .query_map([], |row| {
            Ok(Named {
                name: row.get(0)?,
                definition: row.get(1)?,
                created_at: Instant::saturating_from_micros(row.get(2)?),
            })
        })
        .and_then(Iterator::collect)
        .map_err(|e| home.fault(e))
}

pub(super) fn write(
    home: &Duckdb,
    name: &str,
    definition: Option<&str>,
    at: Instant,
) -> Result<bool> {
    home.refuse_read_only()?;
    let writer = home.writer()?;
    let changed = match definition {
        Some(definition) => writer.connection.execute(
            "insert into cohorts
             select ?, ?, make_timestamp(?)
             where not exists (select 1 from cohorts where name = ?)",
            params![name, definition, at.micros(), name],
        ),
        None => writer
            .connection
            .execute("delete from cohorts where name = ?", [name]),
    };
    changed.map(|rows| rows > 0).map_err(|e| home.fault(e))
}

pub(super) fn user_keys(home: &Duckdb, ids: &[&str]) -> Result<HashMap<String, u32>> {
    let asked = serde_json::to_string(ids).map_err(Error::internal)?;
    let mut keys = HashMap::new();
    for batch in home.select(
        "select user_key, id
         from users
         where not anonymous and id in (select unnest(from_json(?, '[\"VARCHAR\"]')))",
        &[Parameter::Text(asked)],
    )? {
        let users = batch
            .columns()
            .first()
            .and_then(|c| c.as_primitive_opt::<UInt32Type>());
        let ids = batch
            .columns()
            .get(1)
            .and_then(|c| c.as_string_opt::<i32>());
        let (Some(users), Some(ids)) = (users, ids) else {
            return Err(unexpected());
        };
        let pairs = ids.iter().zip(users.values());
        keys.extend(pairs.map(|(id, key)| (id.unwrap_or_default().to_owned(), *key)));
    }
    Ok(keys)
}

pub(super) fn users(home: &Duckdb, tell: &mut dyn FnMut(u32, &str, bool)) -> Result<()> {
    for batch in home.select("select user_key, id, anonymous::integer from users", &[])? {
        let [keys, ids, anonymous] = batch.columns() else {
            return Err(unexpected());
        };
        let keys = keys.as_primitive_opt::<UInt32Type>();
        let (ids, anonymous) = (
            ids.as_string_opt::<i32>(),
            anonymous.as_primitive_opt::<Int32Type>(),
        );
        let (Some(keys), Some(ids), Some(anonymous)) = (keys, ids, anonymous) else {
            return Err(unexpected());
        };
        for ((key, id), anonymous) in keys.values().iter().zip(ids).zip(anonymous) {
            tell(*key, id.unwrap_or_default(), anonymous == Some(1));
        }
    }
    Ok(())
}

pub(super) fn user_ids(home: &Duckdb, keys: &[u32]) -> Result<Vec<String>> {
    let connection = home.connect()?;
    home.ask_about(&connection, keys)?;
    let mut statement = connection
        .prepare("select id from users where user_key in (select key from asked) order by id")
        .map_err(|e| home.fault(e))?;
    statement
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(|e| home.fault(e))
}
