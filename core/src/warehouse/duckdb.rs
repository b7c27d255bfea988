//! The engine inside this process: one DuckDB file, or memory. Only here and in `duckdb/` is the driver named.

mod batch;
mod catalogue;
mod cohort;
mod digest;
mod erase;
mod fault;
mod identity;
mod intake;
mod intern;
mod load;
mod migrate;
mod open;
pub(crate) mod parquet;
mod people;
mod property;
mod seen;
mod snapshot;
#[cfg(test)]
mod tests;

pub(crate) use self::fault::{of as explain, opening};
pub(crate) use self::open::{Held, connect, seal, settle, whole};

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::duckdb::types::{TimeUnit, Value};
use ::duckdb::{Connection, params_from_iter};
use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt32Array};

use super::{
    Answered, Aside, Bucketed, Buckets, Cell, DailyRate, EventProperty, Figures, Head, Keyed, Live,
    Load, Logged, Named, Open, Page, Parameter, Profiled, Recent, Said, Saved, Sum, Warehouse,
    Worths, platform, realtime, series, timelines_beside, worth,
};
use crate::error::{Error, ErrorKind, Result};
use crate::events::Catalogue;
use crate::query::Instant;

/// A warehouse in a DuckDB file, or in memory.
pub struct Duckdb {
    // Only ever cloned: each question has a connection of its own, so that none waits for another.
    root: Mutex<Connection>,
    // INVARIANT: locked before `head`, and held for as long as a change is under way.
    writer: Mutex<load::Writer>,
    // The thread that has the writer: it would wait for itself for ever.
    writing: Mutex<Option<std::thread::ThreadId>>,
    head: Mutex<Head>,
    /// The stored catalogue, once it was read: every question looks at it.
    catalogue: Mutex<Option<Catalogue>>,
    path: Option<PathBuf>,
    read_only: bool,
    // INVARIANT: declared last, so that the file is given up after the last connection is closed.
    _held: Option<open::Held>,
}

impl std::fmt::Debug for Duckdb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duckdb")
            .field("path", &self.path)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

impl Duckdb {
    /// Opens a file, creating it where it is absent, or memory.
    ///
    /// # Errors
    /// `locked` where another process or handle has the file; `not_found`, `is_a_folder`, `read_only`, `disk_full`
    /// for what the file system refuses; `not_a_database`, `not_travelsense`, `newer_format`, `corrupt` for what the
    /// file holds.
    pub fn open(options: &Open) -> Result<Self> {
        let (connection, held) = open::open(options)?;
        let failed = |error| fault::of(error, options.path.as_deref());
        let head = read_head(&connection).map_err(failed)?;
        let writer = connection.try_clone().map_err(failed)?;
        Ok(Self {
            root: Mutex::new(connection),
            writer: Mutex::new(load::Writer::new(writer)),
            writing: Mutex::default(),
            head: Mutex::new(head),
            catalogue: Mutex::default(),
            path: options.path.clone(),
            read_only: options.read_only,
            _held: held,
        })
    }

    /// The file, or `None` for memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether it was opened only to read.
    pub fn read_only(&self) -> bool {
        self.read_only
    }

    /// A connection of its own for one piece of work.
    fn connect(&self) -> Result<Connection> {
        lock(&self.root).try_clone().map_err(|e| self.fault(e))
    }

    /// The connection that writes, when it is free; an error inside a change of the same thread, such as in the progress
    /// callback of an import.
    fn writer(&self) -> Result<MutexGuard<'_, load::Writer>> {
        if *lock(&self.writing) == Some(std::thread::current().id()) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "change_under_way",
                "an import is under way on this very thread; another change can begin when it has ended",
            ));
        }
        Ok(lock(&self.writer))
    }

    fn fault(&self, error: ::duckdb::Error) -> Error {
        fault::of(error, self.path.as_deref())
    }
}

impl Warehouse for Duckdb {
    fn head(&self) -> Result<Head> {
        Ok(*lock(&self.head))
    }

    fn snapshot(&self) -> Result<Box<dyn super::Snapshot + '_>> {
        Ok(Box::new(snapshot::Snapshot::take(self)?))
    }

    fn property(
        &self,
        property: &EventProperty,
        first: u32,
        sink: &mut dyn FnMut(&[u32], &StringArray) -> Result<()>,
    ) -> Result<()> {
        property::of_events(self, property, first, sink)
    }

    fn user_property(&self, name: &str) -> Result<Vec<Said>> {
        property::of_users(self, name)
    }

    fn people(
        &self,
        keys: &[u32],
        merged: &[(u32, u32)],
        page: &Page,
        as_of: Instant,
    ) -> Result<Vec<Profiled>> {
        people::read(self, keys, merged, page, as_of)
    }

    fn worths(&self) -> Result<Worths> {
        worth::read(self, &self.catalogue()?.base_currency)
    }

    fn names(&self) -> Result<Vec<String>> {
        self.names_of(&self.connect()?)
    }

    fn rates(&self) -> Result<Vec<DailyRate>> {
        realtime::rates(self)
    }

    fn recent(&self, asked: &Recent<'_>) -> Result<Live> {
        realtime::recent(self, asked)
    }

    fn bucketed(&self, asked: &Buckets<'_>, money: bool) -> Result<Bucketed> {
        series::bucketed(self, asked, money)
    }

    fn newest(&self, as_of: Instant) -> Result<Option<Instant>> {
        series::newest(self, as_of)
    }

    fn figures(&self, asked: &Figures<'_>) -> Result<Vec<Cell>> {
        platform::cells(self, asked)
    }

    fn sums(&self, asked: &Figures<'_>) -> Result<Vec<Sum>> {
        platform::sums(self, asked)
    }

    fn select(&self, statement: &'static str, values: &[Parameter]) -> Result<Vec<RecordBatch>> {
        let connection = self.connect()?;
        let mut prepared = connection.prepare(statement).map_err(|e| self.fault(e))?;
        let values = values.iter().map(|value| match value {
            Parameter::Integer(number) => Value::BigInt(*number),
            Parameter::Text(text) => Value::Text(text.clone()),
            Parameter::Time(at) => Value::Timestamp(TimeUnit::Microsecond, at.micros()),
        });
        drop(
            prepared
                .stream_arrow(params_from_iter(values))
                .map_err(|e| self.fault(e))?,
        );
        let mut batches = Vec::new();
        while let Some(rows) = prepared.step().map_err(|e| self.fault(e))? {
            batches.push(RecordBatch::from(rows));
        }
        Ok(batches)
    }

    fn saved(&self) -> Result<Option<Saved>> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let seal = self
            .connect()?
            .query_row("select timelines from meta", [], |row| row.get(0))
            .map_err(|e| self.fault(e))?;
        Ok(Some(Saved {
            path: timelines_beside(path),
            seal,
            read_only: self.read_only,
        }))
    }

    fn seal(&self, seal: &str) -> Result<bool> {
        let Ok(writer) = self.writer.try_lock() else {
            return Ok(false);
        };
        writer
            .connection
            .execute("update meta set timelines = ?", [seal])
            .map_err(|e| self.fault(e))?;
        Ok(true)
    }

    fn cohorts(&self) -> Result<Vec<Named>> {
        cohort::read(self)
    }

    fn set_cohort(&self, name: &str, definition: Option<&str>, at: Instant) -> Result<bool> {
        cohort::write(self, name, definition, at)
    }

    fn user_keys(&self, ids: &[&str]) -> Result<HashMap<String, u32>> {
        cohort::user_keys(self, ids)
    }

    fn users(&self, tell: &mut dyn FnMut(u32, &str, bool)) -> Result<()> {
        cohort::users(self, tell)
    }

    fn user_ids(&self, keys: &[u32]) -> Result<Vec<String>> {
        cohort::user_ids(self, keys)
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let mut known = lock(&self.catalogue);
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let read = catalogue::read(self)?;
        *known = Some(read.clone());
        Ok(read)
    }

    fn set_catalogue(&self, catalogue: &Catalogue) -> Result<()> {
        catalogue::write(self, catalogue)
    }

    fn logged(&self) -> Result<Logged> {
        intake::logged(self)
    }

    fn answered(&self, key: u128) -> Result<Option<Answered>> {
        intake::answered(self, key)
    }

    fn keys_since(&self, since: Instant) -> Result<Vec<Keyed>> {
        intake::keys_since(self, since)
    }

    fn quarantine(&self, page: &Page) -> Result<(u64, Vec<Aside>)> {
        intake::quarantine(self, page)
    }

    fn quarantined(&self) -> Result<Vec<(u64, u64)>> {
        intake::quarantined(self)
    }

    fn of_quarantine(&self, ids: &[u64]) -> Result<Vec<Aside>> {
        intake::of_quarantine(self, ids)
    }

    fn checkpoint(&self, keys_before: Instant) -> Result<bool> {
        intake::checkpoint(self, keys_before)
    }

    fn memory(&self) -> Result<u64> {
        intake::memory(self)
    }

    fn changing(&self) -> bool {
        *lock(&self.writing) == Some(std::thread::current().id())
    }

    fn idle(&self) {
        drop(self.writer());
    }

    fn load(&self) -> Result<Box<dyn Load + '_>> {
        self.refuse_read_only()?;
        Ok(Box::new(load::Change::begin(self)?))
    }

    fn content_digest(&self) -> Result<String> {
        digest::of_events(self)
    }
}

impl Duckdb {
    fn refuse_read_only(&self) -> Result<()> {
        if !self.read_only {
            return Ok(());
        }
        let file = self
            .path
            .as_deref()
            .map(|p| p.display().to_string())
            .unwrap_or_default();
        Err(Error::new(
            ErrorKind::Storage,
            "read_only",
            format!("`{file}` was opened only to read; open it for writing to change it"),
        ))
    }

    /// Puts keys into the table `asked (key)` of a connection.
    fn ask_about(&self, connection: &Connection, keys: &[u32]) -> Result<()> {
        self.put(connection, "asked", &[("key", keys)])
    }

    /// Puts columns of keys into a temporary table of a connection, made anew.
    fn put(&self, connection: &Connection, table: &str, columns: &[(&str, &[u32])]) -> Result<()> {
        let column = |keys: &[u32]| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(keys.iter().copied()))
        };
        let columns = columns
            .iter()
            .map(|(name, keys)| (*name, column(keys), false));
        let rows = RecordBatch::try_from_iter_with_nullable(columns).map_err(Error::internal)?;
        let types: Vec<String> = rows
            .schema()
            .fields()
            .iter()
            .map(|field| format!("{} uinteger not null", field.name()))
            .collect();
        let made = format!(
            "create or replace temp table {table} ({})",
            types.join(", ")
        );
        let append = || {
            connection.execute_batch(&made)?;
            if rows.num_rows() == 0 {
                return Ok(());
            }
            let mut appender = connection.appender_to_catalog_and_db(table, "temp", "main")?;
            appender.append_record_batch(rows)?;
            appender.flush()
        };
        append().map_err(|e| self.fault(e))
    }

    /// All rows of a statement without values.
    fn rows(&self, connection: &Connection, sql: &str) -> Result<Vec<RecordBatch>> {
        let mut statement = connection.prepare(sql).map_err(|e| self.fault(e))?;
        drop(statement.stream_arrow([]).map_err(|e| self.fault(e))?);
        let mut batches = Vec::new();
        while let Some(rows) = statement.step().map_err(|e| self.fault(e))? {
            batches.push(RecordBatch::from(rows));
        }
        Ok(batches)
    }

    fn names_of(&self, connection: &Connection) -> Result<Vec<String>> {
        let mut statement = connection
            .prepare("select name from names order by name_key")
            .map_err(|e| self.fault(e))?;
        statement
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect)
            .map_err(|e| self.fault(e))
    }
}

/// What the file says of itself.
fn read_head(connection: &Connection) -> ::duckdb::Result<Head> {
    connection.query_row(
        "select version, epoch, events, unattributed, users, epoch_us(first_event), row_keys, events_hash, records_hash,
            identified
         from meta",
        [],
        |row| {
            Ok(Head {
                version: row.get(0)?,
                epoch: row.get(1)?,
                events: row.get(2)?,
                unattributed: row.get(3)?,
                users: row.get(4)?,
                first: row.get(5)?,
                rows: row.get(6)?,
                events_hash: row.get(7)?,
                records_hash: row.get(8)?,
                identified: row.get(9)?,
            })
        },
    )
}

fn unexpected() -> Error {
    Error::internal("a column has another type than its table says")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
