//! One change: staged, checked against what is stored, and committed as a whole.

mod settle;

use std::sync::{Arc, MutexGuard};

use ::duckdb::{Connection, params};
use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::UInt8Type;

use self::settle::Exchanged;
use super::batch::{self, Keys};
use super::catalogue;
use super::intern::{Names, Users};
use super::seen::Seen;
use super::{Duckdb, erase, lock, unexpected};
use crate::error::{Error, ErrorKind, Result};
use crate::events::model::Kind;
use crate::events::{Datum, EventBatch, Held, Record, Table};
use crate::warehouse::{Answers, Arrived, Committed, Erased, Erasure, Head, Keyed, Load};

/// The one connection that writes, and what it knows of what is stored.
pub(super) struct Writer {
    pub(super) connection: Connection,
    known: Option<Known>,
}

/// The keys given and the ids seen; read from the file at the first change.
struct Known {
    users: Users,
    names: Names,
    seen: Seen,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            known: None,
        }
    }
}

/// A change under way.
pub(super) struct Change<'a> {
    home: &'a Duckdb,
    writer: MutexGuard<'a, Writer>,
    before: Head,
    names_before: usize,
    open: bool,
    // Of the events that no filter stopped.
    fresh: u64,
    hash: u64,
    unattributed: u64,
    first: Option<i64>,
    contested: u64,
    settled: u64,
    /// What became of the sums where rows gave way to others; nothing where they have to be made anew.
    exchanged: Option<Exchanged>,
    identified: bool,
    held: u64,
    released: u64,
    position: Option<u64>,
    erased: Option<Erased>,
    staged: Vec<(Table, u64)>,
    /// The events that no filter stopped, as long as they are few.
    added: Option<Vec<RecordBatch>>,
    /// How many threads the engine had before it was left with one.
    threads: Option<u64>,
}

/// Of more events in a change nobody is told which they are.
const TOLD: u64 = 100_000;

/// From so many events on a change is appended by one thread of the engine: with more it keeps all that it has written to the file in
/// memory as well, uncompressed, until the end of the transaction (DuckDB 1.5.6).
const LARGE: u64 = 250_000;

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Its id was never seen, or it has none.
    Fresh,
    /// Its id may have been seen.
    Contested,
    /// Its name would be one too many.
    Refused,
}

impl<'a> Change<'a> {
    /// Waits for its turn and begins.
    pub(super) fn begin(home: &'a Duckdb) -> Result<Self> {
        let mut writer = home.writer()?;
        let before = *lock(&home.head);
        if writer.known.is_none() {
            let known = know(&writer.connection, &before).map_err(|e| home.fault(e))??;
            writer.known = Some(known);
        }
        writer
            .connection
            .execute_batch("begin transaction")
            .map_err(|e| home.fault(e))?;
        let names_before = writer.known.as_ref().map_or(0, |k| k.names.all().len());
        *lock(&home.writing) = Some(std::thread::current().id());
        Ok(Self {
            home,
            writer,
            before,
            names_before,
            open: true,
            fresh: 0,
            hash: 0,
            unattributed: 0,
            first: None,
            contested: 0,
            settled: 0,
            exchanged: Some(Exchanged::default()),
            identified: false,
            held: 0,
            released: 0,
            position: None,
            erased: None,
            staged: Vec::new(),
            added: Some(Vec::new()),
            threads: None,
        })
    }

    pub(super) fn home(&self) -> &'a Duckdb {
        self.home
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.writer.connection
    }

    fn version(&self) -> u64 {
        self.before.version + 1
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.writer
            .connection
            .execute_batch(sql)
            .map_err(|e| self.home.fault(e))
    }

    /// Commits. Where the engine could only not write its file anew afterwards, the change is durable all the same.
    fn end(&self) -> Result<()> {
        match self.writer.connection.execute_batch("commit") {
            Err(error) if !is_durable(&error.to_string()) => Err(self.home.fault(error)),
            _ => Ok(()),
        }
    }

    fn number(&self, sql: &str) -> Result<u64> {
        self.writer
            .connection
            .query_row(sql, [], |row| row.get(0))
            .map_err(|e| self.home.fault(e))
    }

    /// Appends to a table of the file, or of this connection alone.
    fn append(&self, table: &str, temporary: bool, batches: Vec<RecordBatch>) -> Result<()> {
        let connection = &self.writer.connection;
        let append = || {
            let mut appender = if temporary {
                connection.appender_to_catalog_and_db(table, "temp", "main")?
            } else {
                connection.appender(table)?
            };
            for rows in batches.into_iter().filter(|rows| rows.num_rows() > 0) {
                appender.append_record_batch(rows)?;
            }
            appender.flush()
        };
        append().map_err(|e| self.home.fault(e))
    }

    /// Appends events, but not the columns that are empty in all of them: most have no sequence, no amount, and so on,
    /// and a null costs the appender more than a value.
    fn append_events(&self, batches: &[RecordBatch]) -> Result<()> {
        let full = |place: usize| {
            batches
                .iter()
                .filter_map(|rows| rows.columns().get(place))
                .any(|column| column.null_count() < column.len())
        };
        let places: Vec<usize> = (0..batch::EVENTS.len())
            .filter(|place| full(*place))
            .collect();
        if places.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = places
            .iter()
            .filter_map(|place| batch::EVENTS.get(*place))
            .copied()
            .collect();
        let connection = &self.writer.connection;
        let mut appender = connection
            .appender_with_columns("events", &names)
            .map_err(|e| self.home.fault(e))?;
        for rows in batches {
            let rows = rows.project(&places).map_err(Error::internal)?;
            if rows.num_rows() > 0 {
                appender
                    .append_record_batch(rows)
                    .map_err(|e| self.home.fault(e))?;
            }
        }
        appender.flush().map_err(|e| self.home.fault(e))
    }

    /// Leaves the engine with one thread.
    fn alone(&mut self) -> Result<()> {
        if self.threads.is_none() {
            self.threads = Some(self.number("select current_setting('threads')::ubigint")?);
            self.run("set threads = 1")?;
        }
        Ok(())
    }

    /// Gives the engine its threads back.
    fn together(&mut self) -> Result<()> {
        match self.threads.take() {
            Some(threads) => self.run(&format!("set threads = {threads}")),
            None => Ok(()),
        }
    }

    /// Gives the users and names of events their keys, and looks whose id may have been seen before.
    fn key(
        &mut self,
        events: &EventBatch,
        refused: &mut Vec<u64>,
    ) -> Result<(RecordBatch, Vec<Fate>)> {
        let version = self.version();
        let known = self.writer.known.as_mut().ok_or_else(unexpected)?;
        let names: Vec<Option<u16>> = events
            .name
            .iter()
            .map(|name| known.names.key(name.unwrap_or_default()))
            .collect();
        // An event that is refused gives its users no keys.
        let given = |ids: &'_ StringArray| -> Vec<bool> {
            names
                .iter()
                .enumerate()
                .map(|(row, name)| name.is_some() && ids.is_valid(row))
                .collect()
        };
        let mut keys = |ids: &StringArray, anonymous| {
            let ids = ids
                .iter()
                .zip(given(ids))
                .map(|(id, given)| id.filter(|_| given));
            known.users.keys(ids, anonymous).ok_or_else(too_many_users)
        };
        let mut anonymous = keys(&events.anonymous, true)?;
        let mut user = keys(&events.user, false)?;
        let mut fates = Vec::with_capacity(events.len());
        let mut row_keys = Vec::with_capacity(events.len());
        let hashes = events.content_hash().ok_or_else(unexpected)?;
        for (row, (user, anonymous)) in user.iter_mut().zip(&mut anonymous).enumerate() {
            match user {
                Some(_) => self.identified |= anonymous.is_some(),
                None => *user = anonymous.take(),
            }
            row_keys.push(None);
            fates.push(if names.get(row).is_none_or(Option::is_none) {
                refused.extend(events.lines.get(row));
                Fate::Refused
            } else if events.id(row).is_some_and(|id| known.seen.insert(id)) {
                Fate::Contested
            } else {
                row_keys.pop();
                row_keys.push(Some(row_key(self.before.rows, self.fresh)?));
                self.fresh += 1;
                self.unattributed += u64::from(user.is_none());
                let ts = events.ts.values().get(row).copied();
                self.first = [self.first, ts].into_iter().flatten().min();
                let hash = hashes.values().get(row).copied().unwrap_or_default();
                self.hash = self
                    .hash
                    .wrapping_add(hash)
                    .wrapping_add(ts.unwrap_or_default() as u64);
                Fate::Fresh
            });
        }
        let name = names.into_iter().map(Option::unwrap_or_default).collect();
        let keys = Keys {
            user,
            anonymous,
            name,
            row: row_keys,
        };
        Ok((batch::events(events, keys, version)?, fates))
    }

    /// Moves staged rows of a platform table into it: of a key the last row stays, the same content is a duplicate.
    fn move_records(&self, table: Table, staged: u64, result: &mut Committed) -> Result<()> {
        let name = table.name();
        let key = table.key();
        if key.is_empty() {
            self.run(&format!(
                "insert into {name} select * exclude (line) from stage_{name}"
            ))?;
            result.accepted += staged;
            return Ok(());
        }
        let columns = key.join(", ");
        let complete = key
            .iter()
            .map(|c| format!("{c} is not null"))
            .collect::<Vec<_>>()
            .join(" and ");
        let same = key
            .iter()
            .map(|c| format!("t.{c} = s.{c}"))
            .collect::<Vec<_>>()
            .join(" and ");
        // Without its key a row is told from no other.
        self.run(&format!(
            "create or replace temp table last_{name} as
             select * from stage_{name} where not ({complete})
             union all
             (select * from stage_{name} where {complete}
              qualify row_number() over (partition by {columns} order by line desc) = 1);
             delete from last_{name} s
             where exists (select 1 from {name} t where {same} and t.content_hash = s.content_hash)",
        ))?;
        let accepted = self.number(&format!("select count(*)::ubigint from last_{name}"))?;
        let replaced =
            self.number(&format!("select count(*)::ubigint from {name} t where exists (select 1 from last_{name} s where {same})"))?;
        self.run(&format!(
            "delete from {name} t where exists (select 1 from last_{name} s where {same});
             insert into {name} select * exclude (line) from last_{name}"
        ))?;
        result.accepted += accepted;
        result.duplicates += staged.saturating_sub(accepted);
        result.replaced += replaced;
        Ok(())
    }

    /// Writes the keys given in this change.
    fn write_keys(&self) -> Result<()> {
        let Some(known) = &self.writer.known else {
            return Ok(());
        };
        const PIECE: usize = 1 << 16;
        let mut start = self.before.users as usize;
        while start < known.users.len() {
            let end = known.users.len().min(start + PIECE);
            let ids = (start..end).filter_map(|key| known.users.id(key));
            self.append("users", false, vec![batch::users(start, ids)?])?;
            start = end;
        }
        if let Some(new) = known
            .names
            .all()
            .get(self.names_before..)
            .filter(|new| !new.is_empty())
        {
            self.append("names", false, vec![batch::names(self.names_before, new)?])?;
        }
        Ok(())
    }

    /// What the file holds with this change.
    fn after(&self, events: &Committed) -> Result<Head> {
        let before = self.before;
        let mut head = Head {
            version: self.version(),
            epoch: before.epoch,
            events: (before.events + events.accepted)
                .saturating_sub(self.erased.map_or(0, |e| e.events)),
            unattributed: before.unattributed + self.unattributed,
            users: self
                .writer
                .known
                .as_ref()
                .map_or(before.users, |k| k.users.len() as u32),
            first: [before.first, self.first].into_iter().flatten().min(),
            rows: row_key(before.rows, self.fresh + self.settled)?,
            events_hash: before.events_hash.wrapping_add(self.hash),
            records_hash: before.records_hash,
            identified: before.identified || self.identified,
        };
        if events.replaced > 0 || self.erased.is_some() {
            head.epoch += 1;
        }
        let Some(exchanged) = self.exchanged.filter(|_| self.erased.is_none()) else {
            // What is left has to be looked at.
            let all = self.sums("true")?;
            head.unattributed = all.unattributed.unsigned_abs();
            (head.first, head.events_hash) = (all.first, all.hash);
            return Ok(head);
        };
        head.unattributed = head
            .unattributed
            .saturating_add_signed(exchanged.unattributed);
        head.events_hash = head.events_hash.wrapping_add(exchanged.hash);
        head.first = [head.first, exchanged.first].into_iter().flatten().min();
        Ok(head)
    }

    /// Writes what the file holds now, and up to where the log is in it. All are numbers: bound as parameters they would cost the engine
    /// as much again, and there is one such statement in each change.
    fn write_head(&self, head: &Head) -> Result<()> {
        let first = head.first.map_or_else(
            || "null".to_owned(),
            |first| format!("make_timestamp({first})"),
        );
        let position = self.position.map_or_else(String::new, |position| {
            format!(", log_position = {position}")
        });
        let Head {
            version,
            epoch,
            events,
            unattributed,
            users,
            rows,
            events_hash,
            records_hash,
            identified,
            ..
        } = head;
        self.run(&format!(
            "update meta set version = {version}, epoch = {epoch}, events = {events}, unattributed = {unattributed}, \
             users = {users}, first_event = {first}, row_keys = {rows}, events_hash = {events_hash}::ubigint, \
             records_hash = {records_hash}::ubigint, identified = {identified}{position}"
        ))
    }
}

impl Load for Change<'_> {
    fn events(&mut self, batches: &[EventBatch]) -> Result<Vec<u64>> {
        let mut refused = Vec::new();
        let (mut fresh, mut contested) = (Vec::with_capacity(batches.len()), Vec::new());
        for events in batches {
            let (rows, fates) = self.key(events, &mut refused)?;
            if fates.iter().all(|fate| *fate == Fate::Fresh) {
                fresh.push(rows);
                continue;
            }
            let of = |wanted: Fate| {
                let mask: BooleanArray = fates.iter().map(|fate| Some(*fate == wanted)).collect();
                filter_record_batch(&rows, &mask).map_err(Error::internal)
            };
            fresh.push(of(Fate::Fresh)?);
            contested.push(of(Fate::Contested)?);
        }
        if self.fresh > LARGE {
            self.alone()?;
        }
        self.append_events(&fresh)?;
        if let Some(added) = self.added.as_mut().filter(|_| self.fresh <= TOLD) {
            for rows in &fresh {
                added.push(rows.project(&batch::TOLD).map_err(Error::internal)?);
            }
        } else {
            self.added = None;
        }
        let rows: usize = contested.iter().map(RecordBatch::num_rows).sum();
        if rows > 0 {
            if self.contested == 0 {
                self.run("create or replace temp table contested as select *, 0::ubigint as line from events limit 0")?;
            }
            self.contested += rows as u64;
            self.append("contested", true, contested)?;
        }
        Ok(refused)
    }

    fn records(&mut self, table: Table, records: &[(u64, Record)]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let name = table.name();
        let columns = table.columns();
        let mut users = Vec::new();
        for (place, column) in columns.iter().enumerate() {
            let anonymous = match column.kind {
                Kind::User | Kind::Known => false,
                Kind::Anonymous => true,
                _ => continue,
            };
            let known = self.writer.known.as_mut().ok_or_else(unexpected)?;
            let keys = records
                .iter()
                .map(|(_, record)| match record.values.get(place) {
                    Some(Datum::Text(id)) => known
                        .users
                        .key(id, anonymous)
                        .map(Some)
                        .ok_or_else(too_many_users),
                    _ => Ok(None),
                });
            users.push(keys.collect::<Result<Vec<_>>>()?);
        }
        if self.staged.iter().all(|s| s.0 != table) {
            self.run(&format!(
                "create or replace temp table stage_{name} as select *, 0::ubigint as line from {name} limit 0"
            ))?;
            self.staged.push((table, 0));
        }
        if let Some(staged) = self.staged.iter_mut().find(|s| s.0 == table) {
            staged.1 += records.len() as u64;
        }
        self.append(
            &format!("stage_{name}"),
            true,
            vec![batch::records(columns, records, &users)?],
        )
    }

    fn erase(&mut self, asked: &Erasure<'_>) -> Result<Erased> {
        let erased = erase::run(self, asked)?;
        self.erased = Some(erased);
        Ok(erased)
    }

    fn hold(&mut self, held: &[Held]) -> Result<()> {
        if held.is_empty() {
            return Ok(());
        }
        if self.held == 0 {
            self.run("create or replace temp table held as select * from quarantine limit 0")?;
        }
        self.held += held.len() as u64;
        self.append("held", true, vec![batch::held(held)?])
    }

    fn release(&mut self, hashes: &[u64]) -> Result<()> {
        for hash in hashes {
            let released = self
                .writer
                .connection
                .execute("delete from quarantine where content_hash = ?", [hash])
                .map_err(|e| self.home.fault(e))?;
            self.released += released as u64;
        }
        Ok(())
    }

    fn position(&mut self, position: u64) {
        self.position = Some(position);
    }

    fn commit_answering(mut self: Box<Self>, answers: &mut Answers<'_>) -> Result<Committed> {
        self.together()?;
        let mut result = Committed {
            accepted: self.fresh,
            ..Committed::default()
        };
        if self.contested > 0 {
            self.settle(&mut result)?;
        }
        let erased = self.erased.is_some();
        let mut head = self.after(&result)?;
        let mut changed = result.accepted + result.replaced > 0 || erased;
        let staged = std::mem::take(&mut self.staged);
        let records_moved = !staged.is_empty() || erased;
        for (table, staged) in staged {
            head.identified |= matches!(table, Table::Aliases | Table::Merges);
            let mut records = Committed::default();
            self.move_records(table, staged, &mut records)?;
            changed |= records.accepted > 0;
            result.accepted += records.accepted;
            result.duplicates += records.duplicates;
            result.replaced += records.replaced;
        }
        if records_moved {
            let sums = Table::ALL
                .iter()
                .map(|t| format!("select sum(content_hash) as hash from {}", t.name()))
                .collect::<Vec<_>>()
                .join(" union all ");
            let records: u64 = self.number(&format!(
                "select (coalesce(sum(hash), 0) & 18446744073709551615::hugeint)::ubigint from ({sums})"
            ))?;
            head.records_hash =
                records.wrapping_add(catalogue::hash(&catalogue::stored(self.home)?));
        }
        if self.held > 0 {
            // The same event sent again is not kept aside twice.
            let kept = self
                .writer
                .connection
                .execute(
                    "insert into quarantine
                     select * from held h
                     where not exists (select 1 from quarantine q where q.content_hash = h.content_hash)
                     qualify row_number() over (partition by h.content_hash order by h.received_at, h.event) = 1",
                    [],
                )
                .map_err(|e| self.home.fault(e))?;
            changed |= kept > 0;
        }
        changed |= self.released > 0;
        if !changed {
            // What was staged is taken back; the file and its version stay as they were.
            result.version = self.before.version;
            let kept = answers(&result)?;
            if !kept.is_empty() || self.position.is_some() {
                self.run("rollback; begin transaction")?;
                self.keep_answers(&kept)?;
                if let Some(position) = self.position {
                    self.run(&format!("update meta set log_position = {position}"))?;
                }
                self.end()?;
                self.roll_back_keys();
                self.open = false;
            }
            return Ok(result);
        }
        result.version = head.version;
        let kept = answers(&result)?;
        self.keep_answers(&kept)?;
        self.write_keys()?;
        head.users = self
            .writer
            .known
            .as_ref()
            .map_or(head.users, |k| k.users.len() as u32);
        self.write_head(&head)?;
        self.end()?;
        self.open = false;
        *lock(&self.home.head) = head;
        if self.contested == 0 && !records_moved {
            result.arrived = self.arrived(head).map(Arc::new);
        }
        if erased {
            // Who has which key is read again, without the erased; and the engine is asked to write its file anew where it
            // can, which it does of itself sooner or later.
            self.writer.known = None;
            let _ = self.writer.connection.execute_batch("checkpoint");
        }
        Ok(result)
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        *lock(&self.home.writing) = None;
        if !self.open {
            return;
        }
        // Where even this fails the engine has given the transaction up by itself.
        let _ = self.writer.connection.execute_batch("rollback");
        let _ = self.together();
        self.roll_back_keys();
    }
}

impl Change<'_> {
    /// Takes back the keys that this change gave.
    fn roll_back_keys(&mut self) {
        let (users, names) = (self.before.users as usize, self.names_before);
        if let Some(known) = &mut self.writer.known {
            known.users.truncate(users);
            known.names.truncate(names);
        }
    }

    /// The events of this change, for whoever keeps some of them in memory.
    fn arrived(&mut self, head: Head) -> Option<Arrived> {
        let known = self.writer.known.as_ref()?;
        Some(Arrived {
            head,
            names: known.names.all().get(self.names_before..)?.to_vec(),
            rows: self.added.take()?,
        })
    }

    /// Writes what was answered to batches with keys.
    fn keep_answers(&self, answers: &[(Keyed, String)]) -> Result<()> {
        let connection = &self.writer.connection;
        let write = || {
            for (keyed, answer) in answers {
                connection.execute(
                    "insert into intake_keys values (?, ?, make_timestamp(?), ?)",
                    params![
                        keyed.key.cast_signed(),
                        keyed.body.cast_signed(),
                        keyed.at.micros(),
                        answer
                    ],
                )?;
            }
            Ok(())
        };
        write().map_err(|e| self.home.fault(e))
    }
}

/// Whether an error of a commit says that nothing of the change is missing.
pub(super) fn is_durable(error: &str) -> bool {
    error.contains("COMMIT succeeded and is durable")
}

/// The key `count` after `first`.
fn row_key(first: u32, count: u64) -> Result<u32> {
    u32::try_from(u64::from(first) + count).map_err(|_| {
        Error::new(
            ErrorKind::Limit,
            "too_many_events",
            "a file holds 4,294,967,295 events at most",
        )
    })
}

fn too_many_users() -> Error {
    Error::new(
        ErrorKind::Limit,
        "too_many_users",
        "there are 4,294,967,295 users already, and this would be one more",
    )
}

/// Reads the keys given and the ids stored.
fn know(connection: &Connection, head: &Head) -> ::duckdb::Result<Result<Known>> {
    let mut known = Known {
        users: Users::default(),
        names: Names::default(),
        seen: Seen::with_room(usize::try_from(head.events).unwrap_or_default() / 2 * 3),
    };
    let mut statement =
        connection.prepare("select id, anonymous::utinyint from users order by user_key")?;
    drop(statement.stream_arrow([])?);
    while let Some(rows) = statement.step()? {
        let [ids, anonymous] = rows.columns() else {
            return Ok(Err(unexpected()));
        };
        let (Some(ids), Some(anonymous)) = (
            ids.as_string_opt::<i32>(),
            anonymous.as_primitive_opt::<UInt8Type>(),
        ) else {
            return Ok(Err(unexpected()));
        };
        for (id, anonymous) in ids.iter().zip(anonymous.values()) {
            match id.unwrap_or_default() {
                "" => known.users.skip(*anonymous != 0),
                id => drop(known.users.key(id, *anonymous != 0)),
            }
        }
    }
    let mut statement = connection.prepare("select name from names order by name_key")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        known.names.key(&row.get::<_, String>(0)?);
    }
    let mut statement =
        connection.prepare("select event_id from events where event_id is not null")?;
    drop(statement.stream_arrow([])?);
    while let Some(rows) = statement.step()? {
        let Some(ids) = rows
            .columns()
            .first()
            .and_then(|c| c.as_fixed_size_binary_opt())
        else {
            return Ok(Err(unexpected()));
        };
        let ids = ids.iter().flatten();
        let ids = ids.filter_map(|id| id.try_into().ok().map(u128::from_be_bytes));
        known.seen.extend(ids);
    }
    Ok(Ok(known))
}
