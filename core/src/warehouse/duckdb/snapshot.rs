//! What timelines are built from, read from one transaction.

use ::duckdb::{Connection, Params, params};
use arrow::array::{Array, AsArray};
use arrow::datatypes::{TimestampMicrosecondType, UInt16Type, UInt32Type};

use super::{Duckdb, identity, read_head, unexpected};
use crate::error::Result;
use crate::query::Instant;
use crate::warehouse::{self, Happened, Head, Identities, Rows, Sink};

/// A transaction that only reads; it ends with its connection.
pub(super) struct Snapshot<'a> {
    home: &'a Duckdb,
    connection: Connection,
    head: Head,
}

impl<'a> Snapshot<'a> {
    pub(super) fn take(home: &'a Duckdb) -> Result<Self> {
        let connection = home.connect()?;
        let begin = || {
            connection.execute_batch("begin transaction")?;
            // The engine's transaction sees what was there at its first look.
            read_head(&connection)
        };
        let head = begin().map_err(|e| home.fault(e))?;
        Ok(Self {
            home,
            connection,
            head,
        })
    }

    /// Hands over what a statement gives: user key, time, name key, row key.
    fn pour(&self, sql: &str, values: impl Params, sink: &mut Sink<'_>) -> Result<()> {
        let fault = |e| self.home.fault(e);
        let mut statement = self.connection.prepare(sql).map_err(fault)?;
        drop(statement.stream_arrow(values).map_err(fault)?);
        // `step` gives errors where the iterator of the driver would panic.
        while let Some(batch) = statement.step().map_err(fault)? {
            let columns = batch.columns();
            let user = columns
                .first()
                .and_then(|c| c.as_primitive_opt::<UInt32Type>());
            let ts = columns
                .get(1)
                .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
            let name = columns
                .get(2)
                .and_then(|c| c.as_primitive_opt::<UInt16Type>());
            let row = columns
                .get(3)
                .and_then(|c| c.as_primitive_opt::<UInt32Type>());
            let (Some(user), Some(ts), Some(name), Some(row)) = (user, ts, name, row) else {
                return Err(unexpected());
            };
            if user.null_count() > 0 || row.null_count() > 0 {
                return Err(unexpected());
            }
            sink(Rows {
                user: user.values(),
                ts: ts.values(),
                name: name.values(),
                row: row.values(),
            })?;
        }
        Ok(())
    }
}

impl warehouse::Snapshot for Snapshot<'_> {
    fn head(&self) -> Head {
        self.head
    }

    fn scan(&self, after: u64, sink: &mut Sink<'_>) -> Result<()> {
        if after >= self.head.version {
            return Ok(());
        }
        // A condition costs a pass over the rows, so each is asked only where it can tell rows apart.
        match (after > 0, self.head.unattributed > 0) {
            (false, false) => self.pour(
                "select user_key, ts, name_key, row_key from events",
                [],
                sink,
            ),
            (false, true) => self.pour(
                "select user_key, ts, name_key, row_key from events where user_key is not null",
                [],
                sink,
            ),
            (true, _) => self.pour(
                "select user_key, ts, name_key, row_key from events
                 where user_key is not null and version > ?",
                [after],
                sink,
            ),
        }
    }

    fn of_users(&self, keys: &[u32], until: u64, sink: &mut Sink<'_>) -> Result<()> {
        self.home.ask_about(&self.connection, keys)?;
        self.pour(
            "select user_key, ts, name_key, row_key from events
             where user_key in (select key from asked) and version <= ?",
            [until],
            sink,
        )
    }

    fn ordered(&self, rows: &[u32]) -> Result<Vec<u32>> {
        identity::ordered(self.home, &self.connection, rows)
    }

    fn identities(&self) -> Result<Identities> {
        if self.head.identified {
            identity::read(self.home, &self.connection)
        } else {
            Ok(Identities::default())
        }
    }

    fn unattributed(&self, after: u64) -> Result<Vec<i64>> {
        let fault = |e| self.home.fault(e);
        let mut statement = self
            .connection
            .prepare("select ts from events where user_key is null and version > ?")
            .map_err(fault)?;
        drop(statement.stream_arrow(params![after]).map_err(fault)?);
        let mut times = Vec::new();
        while let Some(batch) = statement.step().map_err(fault)? {
            let column = batch
                .columns()
                .first()
                .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>())
                .ok_or_else(unexpected)?;
            times.extend_from_slice(column.values());
        }
        Ok(times)
    }

    fn names(&self) -> Result<Vec<String>> {
        self.home.names_of(&self.connection)
    }

    fn happened(
        &self,
        after: u64,
        since: Instant,
        sink: &mut dyn FnMut(Happened<'_>) -> Result<()>,
    ) -> Result<()> {
        let fault = |e| self.home.fault(e);
        let mut statement = self
            .connection
            .prepare(
                "select user_key, ts, name_key, amount, currency from events
                 where version > ? and ts > make_timestamp(?)",
            )
            .map_err(fault)?;
        let values = params![after, since.micros()];
        drop(statement.stream_arrow(values).map_err(fault)?);
        while let Some(batch) = statement.step().map_err(fault)? {
            sink(Happened::of(batch.columns()).ok_or_else(unexpected)?)?;
        }
        Ok(())
    }

    fn count_since(&self, since: Instant) -> Result<u64> {
        self.connection
            .query_row(
                "select count(*)::ubigint from events where ts > make_timestamp(?)",
                [since.micros()],
                |row| row.get(0),
            )
            .map_err(|e| self.home.fault(e))
    }
}
