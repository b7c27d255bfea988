//! Brings a file to the present format: numbered SQL, forward only, each by its checksum.

use ::duckdb::Connection;
use sha2::{Digest, Sha256};

use super::fault;
use crate::error::{Error, ErrorKind};
use crate::query::Instant;

/// One step from a format to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    /// Its number; the format of a file is the number of its last migration.
    pub(super) number: i32,
    /// Its name.
    pub(super) name: &'static str,
    /// Its statements.
    pub(super) sql: &'static str,
}

/// All there are, in order.
pub(super) const ALL: &[Migration] = &[
    Migration {
        number: 1,
        name: "begin",
        sql: include_str!("../../../migrations/0001_begin.sql"),
    },
    Migration {
        number: 2,
        name: "row_keys",
        sql: include_str!("../../../migrations/0002_row_keys.sql"),
    },
    Migration {
        number: 3,
        name: "identity",
        sql: include_str!("../../../migrations/0003_identity.sql"),
    },
    Migration {
        number: 4,
        name: "intake",
        sql: include_str!("../../../migrations/0004_intake.sql"),
    },
];

/// What went wrong: an error of DuckDB's, or one of ours about the file.
pub(super) enum Fault {
    /// DuckDB's.
    Engine(::duckdb::Error),
    /// Ours.
    Ours(Error),
}

impl From<::duckdb::Error> for Fault {
    fn from(error: ::duckdb::Error) -> Self {
        Self::Engine(error)
    }
}

/// Applies what is missing, each in a transaction of its own, and tells whether anything was; a file opened only to read must
/// have all.
pub(super) fn run(
    connection: &Connection,
    all: &[Migration],
    file: &str,
    read_only: bool,
    now: Instant,
) -> Result<bool, Fault> {
    let refuse = |(kind, code, message): (ErrorKind, &'static str, String)| {
        Err(Fault::Ours(Error::new(kind, code, message)))
    };
    let foreign = || {
        refuse((
            ErrorKind::Corrupt,
            "not_travelsense",
            format!("{file} is a DuckDB file without the tables of travelsense"),
        ))
    };

    // A file that is up to date says so at once; looking through the engine's catalogue takes longer than all else.
    if applied(connection).is_ok_and(|applied| {
        let known = all.iter().map(|m| (m.number, checksum(m.sql)));
        applied.into_iter().eq(known)
    }) {
        return Ok(false);
    }
    let (ours, tables): (bool, bool) = connection.query_row(
        "select count(*) filter (table_name = 'migrations' and schema_name = 'main') > 0, count(*) > 0
         from duckdb_tables() where not internal",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if !ours {
        if read_only || tables {
            return foreign();
        }
        connection.execute_batch(
            "create table migrations (
                number integer not null,
                name varchar not null,
                checksum varchar not null,
                applied_at timestamp not null
            )",
        )?;
    } else if exists(
        connection,
        "select 1 where (select count(*) from duckdb_columns()
         where table_name = 'migrations' and column_name in ('number', 'name', 'checksum', 'applied_at')) < 4",
    )? {
        return foreign();
    }

    let applied = applied(connection)?;
    if applied
        .iter()
        .any(|(number, _)| all.iter().all(|m| m.number != *number))
    {
        return refuse(fault::newer(file));
    }
    let mut changed = false;
    for migration in all {
        let checksum = checksum(migration.sql);
        match applied
            .iter()
            .find(|(number, _)| *number == migration.number)
        {
            Some((_, known)) if *known == checksum => {}
            Some(_) => {
                return refuse((
                    ErrorKind::Corrupt,
                    "corrupt",
                    format!(
                        "{file} was set up by another edition of migration {}",
                        migration.number
                    ),
                ));
            }
            None if read_only => {
                return refuse((
                    ErrorKind::Storage,
                    "older_format",
                    format!(
                        "{file} has an older format; open it once for writing to bring it up to date"
                    ),
                ));
            }
            None => {
                apply(connection, migration, &checksum, now)?;
                changed = true;
            }
        }
    }
    Ok(changed)
}

fn apply(
    connection: &Connection,
    migration: &Migration,
    checksum: &str,
    now: Instant,
) -> Result<(), Fault> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(migration.sql)?;
    transaction.execute(
        "insert into migrations values (?, ?, ?, make_timestamp(?))",
        ::duckdb::params![migration.number, migration.name, checksum, now.micros()],
    )?;
    if migration.number == 1 {
        transaction.execute(
            "insert into meta values (1, 0, 0, 0, 0, 0, null, make_timestamp(?))",
            [now.micros()],
        )?;
    }
    transaction.execute("update meta set format = ?", [migration.number])?;
    transaction.commit()?;
    Ok(())
}

/// The migrations that a file has had, by their numbers, with their checksums.
fn applied(connection: &Connection) -> Result<Vec<(i32, String)>, ::duckdb::Error> {
    let mut statement =
        connection.prepare("select number, checksum from migrations order by number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn exists(connection: &Connection, sql: &str) -> Result<bool, ::duckdb::Error> {
    connection.prepare(sql)?.exists([])
}

fn checksum(sql: &str) -> String {
    Sha256::digest(sql.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
