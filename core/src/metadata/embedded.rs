//! Metadata in a DuckDB file of its own beside the warehouse, or in memory.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::duckdb::types::{ToSqlOutput, Value as Cell, ValueRef};
use ::duckdb::{Connection, ToSql, params_from_iter};

use super::held::{Held as Documents, Holding};
use super::{Kind, MetadataStore, Row, Session, Value, Work, migrate};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;
use crate::warehouse::Open;
use crate::warehouse::duckdb::{Held, connect, explain, seal, settle, whole};

/// How many connections wait for the next question; more are opened and closed as they are needed.
const IDLE: usize = 16;

/// A store in a DuckDB file, or in memory.
pub struct Embedded {
    writer: Mutex<Connection>,
    // Connections keep the statements they have prepared.
    idle: Mutex<Vec<Connection>>,
    holding: Holding,
    path: Option<PathBuf>,
    read_only: bool,
    // INVARIANT: declared last, so that the file is given up after the last connection is closed.
    _held: Option<Held>,
}

impl Embedded {
    /// Opens a file, creating it where it is absent, or memory. What is not there is empty to one who only reads.
    ///
    /// # Errors
    /// As opening a warehouse.
    pub fn open(path: Option<PathBuf>, read_only: bool, now: Instant) -> Result<Self> {
        whole(path.clone().as_deref(), || {
            Self::open_here(path, read_only, now)
        })
    }

    fn open_here(path: Option<PathBuf>, read_only: bool, now: Instant) -> Result<Self> {
        let absent = read_only && path.as_deref().is_none_or(|p| !p.exists());
        let open = Open {
            path: path.filter(|_| !absent),
            read_only: read_only && !absent,
            threads: Some(1),
            memory_limit: None,
            now,
        };
        let (connection, held) = connect(&open).map_err(advised)?;
        let mut store = Self {
            writer: Mutex::new(connection),
            idle: Mutex::default(),
            holding: Holding::default(),
            path: open.path,
            read_only: open.read_only,
            _held: held,
        };
        migrate::run(&store, migrate::ALL, now)?;
        {
            let writer = lock(&store.writer);
            if !store.read_only {
                settle(&writer).map_err(|e| store.fault(e))?;
            }
            // Statements are planned once and kept, and DuckDB 1.5 does not plan them anew when the widest text or the largest
            // number that they rest upon has grown: it then reads what is not there.
            writer
                .execute_batch(
                    "set disabled_optimizers = 'statistics_propagation,compressed_materialization'",
                )
                .map_err(|e| store.fault(e))?;
            seal(&writer).map_err(|e| store.fault(e))?;
        }
        store.read_only = read_only;
        Ok(store)
    }

    fn fault(&self, error: ::duckdb::Error) -> Error {
        explain(error, self.path.as_deref())
    }
}

/// What to do about a file that is damaged: nothing else has what it holds, so that it is never replaced silently.
fn advised(error: Error) -> Error {
    if !matches!(error.code(), "corrupt" | "not_a_database") {
        return error;
    }
    let said = format!(
        "{}; it holds the dashboards, alert rules, exports and the record of who did what: put a backup in its place, or move it \
         away, and what is named after it, to begin without them",
        error.message()
    );
    Error::new(error.kind(), error.code(), said).caused_by(error)
}

impl MetadataStore for Embedded {
    fn look(&self, work: &mut Work<'_>) -> Result<()> {
        let connection = match lock(&self.idle).pop() {
            Some(connection) => connection,
            None => lock(&self.writer).try_clone().map_err(|e| self.fault(e))?,
        };
        let done = work(&mut Running::of(self, &connection, true));
        let mut idle = lock(&self.idle);
        if idle.len() < IDLE {
            idle.push(connection);
        }
        done
    }

    fn alter(&self, work: &mut Work<'_>) -> Result<()> {
        if self.read_only {
            return Err(Error::new(
                ErrorKind::Storage,
                "read_only",
                "the store was opened only to read; open it for writing to change it",
            ));
        }
        let writer = lock(&self.writer);
        let transaction = writer.unchecked_transaction().map_err(|e| self.fault(e))?;
        let mut running = Running::of(self, &writer, false);
        work(&mut running)?;
        let changed = running.changed;
        transaction.commit().map_err(|e| self.fault(e))?;
        if changed {
            self.holding.change();
        }
        Ok(())
    }

    fn dialect(&self) -> &'static str {
        "duckdb"
    }

    fn read_only(&self) -> bool {
        self.read_only
    }

    fn memory(&self) -> Result<u64> {
        super::read(self, |session| {
            let asked =
                "select cast(coalesce(sum(memory_usage_bytes), 0) as bigint) from duckdb_memory()";
            let rows = session.query(asked, &[])?;
            let held = rows.first().map_or(Ok(0), |row| row.integer(0))?;
            Ok(held.unsigned_abs())
        })
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("path", &self.path)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

struct Running<'a> {
    home: &'a Embedded,
    connection: &'a Connection,
    /// Whether it only looks: who changes something sees it in the engine alone until it is kept.
    looks: bool,
    /// Whether documents, or with whom they are shared, were changed.
    changed: bool,
}

impl<'a> Running<'a> {
    fn of(home: &'a Embedded, connection: &'a Connection, looks: bool) -> Self {
        Self {
            home,
            connection,
            looks,
            changed: false,
        }
    }
}

impl Session for Running<'_> {
    fn query(&mut self, statement: &'static str, values: &[Value]) -> Result<Vec<Row>> {
        let run = || {
            let mut prepared = self.connection.prepare_cached(statement)?;
            let mut rows = prepared.query(params_from_iter(values))?;
            let mut read = Vec::new();
            while let Some(row) = rows.next()? {
                let count = row.as_ref().column_count();
                let cells: ::duckdb::Result<Vec<Cell>> = (0..count).map(|i| row.get(i)).collect();
                read.push(cells?);
            }
            Ok(read)
        };
        let rows = run().map_err(|e| self.home.fault(e))?;
        rows.into_iter().map(row).collect()
    }

    fn execute(&mut self, statement: &'static str, values: &[Value]) -> Result<u64> {
        // By its text, so that no writer can forget to say so.
        if statement.contains("documents") || statement.contains("shares") {
            self.changed = true;
        }
        self.connection
            .prepare_cached(statement)
            .and_then(|mut prepared| prepared.execute(params_from_iter(values)))
            .map(|rows| rows as u64)
            .map_err(|e| self.home.fault(e))
    }

    fn batch(&mut self, statements: &'static str) -> Result<()> {
        self.changed = true;
        self.connection
            .execute_batch(statements)
            .map_err(|e| self.home.fault(e))
    }

    fn held(&mut self, kind: Kind) -> Result<Option<Arc<Documents>>> {
        if !self.looks {
            return Ok(None);
        }
        let home = self.home;
        home.holding.of(kind, self)
    }
}

fn row(cells: Vec<Cell>) -> Result<Row> {
    let value = |cell| match cell {
        Cell::Null => Ok(Value::Null),
        Cell::Text(text) => Ok(Value::Text(text)),
        Cell::BigInt(number) => Ok(Value::Integer(number)),
        Cell::Int(number) => Ok(Value::Integer(number.into())),
        Cell::Boolean(truth) => Ok(Value::Truth(truth)),
        // The lossless way from the engine to Arrow, by which all our connections are set up, makes bytes of truth values.
        Cell::TinyInt(byte) => Ok(Value::Truth(byte != 0)),
        other => Err(Error::internal(format!("a cell is {other:?}"))),
    };
    cells.into_iter().map(value).collect::<Result<_>>().map(Row)
}

impl ToSql for Value {
    fn to_sql(&self) -> ::duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::BigInt(*number),
            Self::Truth(truth) => ValueRef::Boolean(*truth),
        }))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
