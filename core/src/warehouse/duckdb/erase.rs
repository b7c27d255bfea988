//! Takes everything of some people away.
//!
//! Their keys stay given, so that others keep theirs, but no id leads to them any more: whoever comes with such an id again is
//! somebody new.

use ::duckdb::params;

use super::load::Change;
use crate::error::Result;
use crate::events::Table;
use crate::events::model::Kind;
use crate::warehouse::{Erased, Erasure};

/// Deletes all rows of `asked`, and gives how many; the change counts them.
pub(super) fn run(change: &Change<'_>, asked: &Erasure<'_>) -> Result<Erased> {
    let home = change.home();
    let connection = change.connection();
    let fault = |e| home.fault(e);
    let delete = |sql: &str| -> Result<u64> {
        let rows = connection.execute(sql, []).map_err(fault)?;
        Ok(rows as u64)
    };
    home.ask_about(connection, asked.users)?;
    // A device goes with its people where it was nobody else's.
    connection
        .execute_batch(
            "create or replace temp table erased as select key from asked;
             create or replace temp table devices as
             select anonymous_key as key from aliases where user_key in (select key from erased)
             union
             select anonymous_key from events
             where anonymous_key is not null and user_key in (select key from erased)",
        )
        .map_err(fault)?;
    home.ask_about(connection, asked.rows)?;
    let mut erased = Erased {
        events: delete(
            "delete from events
             where row_key in (select key from asked) or user_key in (select key from erased)",
        )?,
        ..Erased::default()
    };
    for table in Table::ALL {
        let theirs = table
            .columns()
            .iter()
            .filter(|c| matches!(c.kind, Kind::User | Kind::Known | Kind::Anonymous))
            .map(|c| format!("{} in (select key from erased)", c.name))
            .collect::<Vec<_>>()
            .join(" or ");
        if !theirs.is_empty() {
            erased.records += delete(&format!("delete from {} where {theirs}", table.name()))?;
        }
    }
    delete("delete from consents where user_key in (select key from erased)")?;
    delete(
        "delete from devices
         where
            key in (select user_key from events where user_key is not null)
            or key in (select anonymous_key from events where anonymous_key is not null)
            or key in (select anonymous_key from aliases where user_key is not null)",
    )?;
    erased.records +=
        delete("delete from aliases where anonymous_key in (select key from devices)")?;
    // Some of their events may have been refused before anything else of them was known.
    for id in asked.ids {
        let held = connection.execute(
            "delete from quarantine
             where json_extract_string(event, '$.userId') = $1 or json_extract_string(event, '$.anonymousId') = $1",
            [id],
        );
        erased.held += held.map_err(fault)? as u64;
    }
    erased.held += delete(
        "delete from quarantine
         where exists (
            select 1
            from users u
            where
                u.user_key in (select key from erased union all select key from devices)
                and u.id = json_extract_string(event, case when u.anonymous then '$.anonymousId' else '$.userId' end)
         )",
    )?;
    delete(
        "update users
         set id = ''
         where user_key in (select key from erased union all select key from devices)",
    )?;
    for (name, definition) in asked.cohorts {
        connection
            .execute(
                "update cohorts set definition = ? where name = ?",
                params![definition, name],
            )
            .map_err(fault)?;
    }
    Ok(erased)
}
