//! What the file knows of the log beside it, of batches with keys, and of events kept aside.

use ::duckdb::{OptionalExt as _, Row, params};

use super::Duckdb;
use crate::error::Result;
use crate::query::Instant;
use crate::warehouse::{Answered, Aside, Keyed, Logged, Page};

pub(super) fn logged(home: &Duckdb) -> Result<Logged> {
    home.connect()?
        .query_row("select store::varchar, log_position from meta", [], |row| {
            Ok(Logged {
                store: number(&row.get::<_, String>(0)?),
                position: row.get(1)?,
            })
        })
        .map_err(|e| home.fault(e))
}

pub(super) fn answered(home: &Duckdb, key: u128) -> Result<Option<Answered>> {
    home.connect()?
        .query_row(
            "select body::varchar, answer, epoch_us(answered_at) from intake_keys where key = ? order by answered_at desc limit 1",
            [key.cast_signed()],
            |row| {
                Ok(Answered {
                    body: number(&row.get::<_, String>(0)?),
                    answer: row.get(1)?,
                    at: Instant::saturating_from_micros(row.get(2)?),
                })
            },
        )
        .optional()
        .map_err(|e| home.fault(e))
}

pub(super) fn keys_since(home: &Duckdb, since: Instant) -> Result<Vec<Keyed>> {
    let connection = home.connect()?;
    let read = || {
        let mut statement = connection.prepare(
            "select key::varchar, body::varchar, epoch_us(answered_at) from intake_keys where answered_at >= make_timestamp(?) order by answered_at",
        )?;
        let rows = statement.query_map([since.micros()], |row| {
            Ok(Keyed {
                key: number(&row.get::<_, String>(0)?),
                body: number(&row.get::<_, String>(1)?),
                at: Instant::saturating_from_micros(row.get(2)?),
            })
        })?;
        rows.collect::<::duckdb::Result<Vec<_>>>()
    };
    read().map_err(|e| home.fault(e))
}

/// So many characters of an event are listed; one that is longer is cut, and so shown as its text.
const SHOWN: i64 = 64 << 10;

pub(super) fn quarantine(home: &Duckdb, page: &Page) -> Result<(u64, Vec<Aside>)> {
    let connection = home.connect()?;
    let read = || {
        let total =
            connection.query_row("select count(*) from quarantine", [], |row| row.get(0))?;
        let mut statement = connection.prepare(
            "select content_hash, left(event, ?), code, message, epoch_us(received_at) from quarantine
             order by received_at desc, content_hash limit ? offset ?",
        )?;
        let asked = params![SHOWN, page.limit as u64, page.offset as u64];
        let rows = statement.query_map(asked, aside)?;
        Ok((total, rows.collect::<::duckdb::Result<Vec<_>>>()?))
    };
    read().map_err(|e| home.fault(e))
}

pub(super) fn quarantined(home: &Duckdb) -> Result<Vec<(u64, u64)>> {
    let connection = home.connect()?;
    let read = || {
        let mut statement = connection.prepare(
            "select content_hash, strlen(event)::ubigint from quarantine order by received_at desc, content_hash",
        )?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<::duckdb::Result<Vec<_>>>()
    };
    read().map_err(|e| home.fault(e))
}

pub(super) fn of_quarantine(home: &Duckdb, ids: &[u64]) -> Result<Vec<Aside>> {
    let connection = home.connect()?;
    let read = || {
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        let mut statement = connection.prepare(&format!(
            "select content_hash, event, code, message, epoch_us(received_at) from quarantine
             where content_hash in ({}) order by received_at desc, content_hash",
            ids.join(", ")
        ))?;
        let rows = statement.query_map([], aside)?;
        rows.collect::<::duckdb::Result<Vec<_>>>()
    };
    read().map_err(|e| home.fault(e))
}

/// An event of the quarantine; one that cannot be read is its text, so that the others are still seen.
fn aside(row: &Row<'_>) -> ::duckdb::Result<Aside> {
    let event: String = row.get(1)?;
    Ok(Aside {
        id: format!("{:016x}", row.get::<_, u64>(0)?),
        event: serde_json::from_str(&event).unwrap_or_else(|_| event.into()),
        code: row.get(2)?,
        message: row.get(3)?,
        received_at: Instant::saturating_from_micros(row.get(4)?),
    })
}

pub(super) fn memory(home: &Duckdb) -> Result<u64> {
    let asked = "select coalesce(sum(memory_usage_bytes), 0)::ubigint from duckdb_memory()";
    home.connect()?
        .query_row(asked, [], |row| row.get(0))
        .map_err(|e| home.fault(e))
}

/// Writes what the write-ahead log holds into the file itself, and forgets keys of before an instant.
pub(super) fn checkpoint(home: &Duckdb, keys_before: Instant) -> Result<bool> {
    // A change on this very thread would wait for itself.
    let Ok(writer) = home.writer() else {
        return Ok(false);
    };
    writer
        .connection
        .execute(
            "delete from intake_keys where answered_at < make_timestamp(?)",
            [keys_before.micros()],
        )
        .map_err(|e| home.fault(e))?;
    Ok(writer.connection.execute_batch("checkpoint").is_ok())
}

/// The 128 bits of a number as text, which is how the driver gives them unchanged.
fn number(text: &str) -> u128 {
    text.parse::<i128>().unwrap_or_default().cast_unsigned()
}
