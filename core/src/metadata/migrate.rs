//! Brings a store of metadata to the present format: numbered SQL, forward only, each by its checksum. It runs within one change, so
//! that of two processes that start at once the second waits and then finds everything done.

use sha2::{Digest, Sha256};

use super::{MetadataStore, Session, change, read};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

/// One step from a format to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    pub(super) number: i64,
    /// In the dialect that both engines share; empty where there is nothing to do for both.
    pub(super) sql: &'static str,
    /// What only PostgreSQL needs beside it.
    pub(super) postgres: &'static str,
}

/// All there are, in order.
pub(super) const ALL: &[Migration] = &[
    Migration {
        number: 1,
        sql: include_str!("../../migrations/metadata/0001_begin.sql"),
        postgres: include_str!("../../migrations/metadata/0001_begin.postgres.sql"),
    },
    Migration {
        number: 2,
        sql: include_str!("../../migrations/metadata/0002_alerts.sql"),
        postgres: include_str!("../../migrations/metadata/0002_alerts.postgres.sql"),
    },
    Migration {
        number: 3,
        sql: include_str!("../../migrations/metadata/0003_keys.sql"),
        postgres: include_str!("../../migrations/metadata/0003_keys.postgres.sql"),
    },
    Migration {
        number: 4,
        sql: include_str!("../../migrations/metadata/0004_models.sql"),
        postgres: include_str!("../../migrations/metadata/0004_models.postgres.sql"),
    },
    Migration {
        number: 5,
        sql: "",
        postgres: include_str!("../../migrations/metadata/0005_record.postgres.sql"),
    },
    Migration {
        number: 6,
        sql: include_str!("../../migrations/metadata/0006_expiries.sql"),
        postgres: include_str!("../../migrations/metadata/0006_expiries.postgres.sql"),
    },
];

const EXISTS: &str = "
select count(*)
from information_schema.tables
where table_name = 'metadata_migrations' and table_schema = current_schema()";

/// Applies what is missing; a store opened only to read must have all.
pub(super) fn run(store: &dyn MetadataStore, all: &[Migration], now: Instant) -> Result<()> {
    if store.read_only() {
        return read(store, |session| {
            match begun(session)? && missing(session, all)?.is_empty() {
                true => Ok(()),
                false => Err(Error::new(
                    ErrorKind::Storage,
                    "older_format",
                    "the store of dashboards has an older format; open it once for writing to bring it up to date",
                )),
            }
        });
    }
    change(store, |session| {
        if !begun(session)? {
            session.batch(
                "create table metadata_migrations (number bigint not null, checksum text not null, applied_at bigint not null)",
            )?;
        }
        for migration in missing(session, all)? {
            if !migration.sql.is_empty() {
                session.batch(migration.sql)?;
            }
            if store.dialect() == "postgres" {
                session.batch(migration.postgres)?;
            }
            session.execute(
                "insert into metadata_migrations values ($1, $2, $3)",
                &[
                    migration.number.into(),
                    checksum(&migration).into(),
                    now.into(),
                ],
            )?;
        }
        Ok(())
    })
}

/// Whether anything was ever applied.
fn begun(session: &mut dyn Session) -> Result<bool> {
    let found = session.query(EXISTS, &[])?;
    let count = found.first().map(|row| row.integer(0)).transpose()?;
    Ok(count != Some(0))
}

/// Those not applied yet, once those that are have been looked at.
fn missing(session: &mut dyn Session, all: &[Migration]) -> Result<Vec<Migration>> {
    let applied = session
        .query(
            "select number, checksum from metadata_migrations order by number",
            &[],
        )?
        .iter()
        .map(|row| Ok((row.integer(0)?, row.text(1)?)))
        .collect::<Result<Vec<_>>>()?;
    for (number, known) in &applied {
        match all.iter().find(|m| m.number == *number) {
            None => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    "newer_format",
                    "the store of dashboards was written by a newer version of travelsense; that version or a later one can open it",
                ));
            }
            Some(migration) if checksum(migration) != *known => {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    "corrupt",
                    format!(
                        "the store of dashboards was set up by another edition of migration {number}"
                    ),
                ));
            }
            Some(_) => {}
        }
    }
    let done = |m: &&Migration| applied.iter().any(|(number, _)| *number == m.number);
    Ok(all.iter().filter(|m| !done(m)).copied().collect())
}

fn checksum(migration: &Migration) -> String {
    let hash = Sha256::digest([migration.sql, migration.postgres].concat());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
