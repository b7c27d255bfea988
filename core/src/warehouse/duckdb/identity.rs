//! The exact order of events at one time, and who is who.

use std::collections::HashMap;

use ::duckdb::Connection;
use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{TimestampMicrosecondType, UInt32Type};

use super::{Duckdb, unexpected};
use crate::error::Result;
use crate::warehouse::Identities;

pub(super) fn ordered(home: &Duckdb, connection: &Connection, rows: &[u32]) -> Result<Vec<u32>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    home.ask_about(connection, rows)?;
    let batches = home.rows(
        connection,
        "select row_key
         from events
         where row_key in (select key from asked)
         order by ts, client_seq nulls first, event_id nulls first, content_hash, row_key",
    )?;
    let mut keys = Vec::with_capacity(rows.len());
    for batch in &batches {
        keys.extend_from_slice(column(batch, 0)?.values());
    }
    Ok(keys)
}

pub(super) fn read(home: &Duckdb, connection: &Connection) -> Result<Identities> {
    let mut known = Identities::default();
    // An event that comes with both ids says who the device is, as an alias does.
    marks(
        home,
        connection,
        "select anonymous_key, ts, user_key from aliases
         union all
         select anonymous_key, ts, user_key
         from events
         where
            anonymous_key is not null
            and user_key is not null
            and anonymous_key in (
                select user_key from events
                where user_key in (select user_key from users where anonymous)
            )",
        &mut known,
    )?;
    known.marks.sort_unstable();
    known.marks.dedup();
    untie(home, connection, &mut known.marks)?;
    for batch in home.rows(
        connection,
        "select merged_user_key, user_key from merges where user_key is not null",
    )? {
        let pairs = column(&batch, 0)?.values().iter().copied();
        known
            .merges
            .extend(pairs.zip(column(&batch, 1)?.values().iter().copied()));
    }
    if !known.merges.is_empty() {
        merged(home, connection, &mut known)?;
    }
    known.hash = connection
        .query_row(
            "select (coalesce(sum(content_hash), 0) & 18446744073709551615::hugeint)::ubigint
             from (select content_hash from aliases union all select content_hash from merges)",
            [],
            |row| row.get(0),
        )
        .map_err(|e| home.fault(e))?;
    Ok(known)
}

fn marks(home: &Duckdb, connection: &Connection, sql: &str, known: &mut Identities) -> Result<()> {
    for batch in home.rows(connection, sql)? {
        let times = batch
            .columns()
            .get(1)
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
            .ok_or_else(unexpected)?;
        let (devices, users) = (column(&batch, 0)?, column(&batch, 2)?);
        let rows = devices.values().iter().zip(times.values()).zip(users);
        known
            .marks
            .extend(rows.map(|((device, ts), user)| (*device, *ts, user)));
    }
    Ok(())
}

/// Puts the users that a device is known to be at one and the same time in the order of their ids, since keys depend on what
/// was loaded first.
fn untie(
    home: &Duckdb,
    connection: &Connection,
    marks: &mut [(u32, i64, Option<u32>)],
) -> Result<()> {
    type Mark = (u32, i64, Option<u32>);
    let same = |a: &Mark, b: &Mark| (a.0, a.1) == (b.0, b.1);
    let tied = marks.chunk_by(same).filter(|marks| marks.len() > 1);
    let mut users: Vec<u32> = tied.flatten().filter_map(|mark| mark.2).collect();
    if users.is_empty() {
        return Ok(());
    }
    users.sort_unstable();
    users.dedup();
    home.ask_about(connection, &users)?;
    let mut ids = HashMap::new();
    for batch in home.rows(
        connection,
        "select user_key, id from users where user_key in (select key from asked)",
    )? {
        let names = batch.columns().get(1);
        let names = names
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(unexpected)?;
        let names = names.iter().map(|id| id.unwrap_or_default().to_owned());
        ids.extend(column(&batch, 0)?.values().iter().copied().zip(names));
    }
    for marks in marks.chunk_by_mut(same) {
        marks.sort_by_key(|mark| mark.2.map(|user| ids.get(&user).cloned()));
    }
    Ok(())
}

fn merged(home: &Duckdb, connection: &Connection, known: &mut Identities) -> Result<()> {
    for batch in home.rows(
        connection,
        "with concerned as (
            select merged_user_key as user_key from merges
            union
            select user_key from merges where user_key is not null
         ),
         firsts as (
            select user_key, min(ts) as ts
            from events
            where user_key in (select user_key from concerned)
            group by user_key
         )
         select c.user_key, f.ts, u.id
         from concerned c
         join users u using (user_key)
         left join firsts f using (user_key)",
    )? {
        let times = batch
            .columns()
            .get(1)
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        let ids = batch
            .columns()
            .get(2)
            .and_then(|c| c.as_string_opt::<i32>());
        let (Some(times), Some(ids)) = (times, ids) else {
            return Err(unexpected());
        };
        let rows = column(&batch, 0)?.values().iter().zip(times).zip(ids);
        known
            .merged
            .extend(rows.map(|((user, ts), id)| (*user, ts, id.unwrap_or_default().to_owned())));
    }
    Ok(())
}

fn column(batch: &RecordBatch, place: usize) -> Result<&UInt32Array> {
    batch
        .columns()
        .get(place)
        .and_then(|c| c.as_primitive_opt::<UInt32Type>())
        .ok_or_else(unexpected)
}
