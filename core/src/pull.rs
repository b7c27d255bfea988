//! Rows of a PostgreSQL table in the order of one column, each once, as they come to be there.
//!
//! Transactions end in another order than they take their numbers, so that a row with a smaller number may appear after one with a larger.
//! A row is therefore given only once every transaction that was writing when the end of the table was looked up has ended.
//!
//! Rows may come later that have the place of the last row, such as a day or a second, unless the column is unique. Those of that place
//! are looked at again: a mark is made of how many there are, and of their primary keys where the table has one, and only where it has
//! changed they are all given again, each by the name that it had. A look at a large group is no more than a twentieth of the work: the
//! next one is after twenty times as long as the last one took, and its rows to be stored; and there is one, the last, before rows behind
//! that place are given.

use std::collections::HashMap;
use std::fmt;

use postgres::config::Host;
use postgres::error::SqlState;
use postgres::{Client, Config, IsolationLevel, NoTls, Row, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// So many rows are given at once, and those of the same place as the last of them.
const ROWS: i64 = 5_000;

/// The last place is looked at again after so many times as long as the last look took.
const REST: f64 = 20.0;

/// A table of PostgreSQL 13 or later, and the column by which it grows.
pub struct Pull {
    config: Config,
    /// Quoted.
    table: String,
    column: String,
    /// The column's name as it is.
    raw: String,
    /// What the server says of the table, and what it is called there; known once it was asked.
    known: Option<Known>,
    /// By what an earlier version knew it, which did not ask which server it is.
    older: String,
    /// For so many seconds the end of the table is not believed.
    lag: u32,
    client: Option<Client>,
    /// How far the table surely holds all that it will ever hold.
    settled: Option<String>,
    doubtful: Option<End>,
    look: Look,
}

/// What a server says of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    name: String,
    /// The column's type.
    kind: String,
    /// Whether no two rows have the same place.
    unique: bool,
    /// The primary key of a row `t` as text, where there is one.
    key: Option<String>,
}

/// When the rows of the last place were looked at.
#[derive(Clone, Debug, Default)]
struct Look {
    /// In seconds of the server's clock.
    at: f64,
    /// How long it took.
    took: f64,
    /// Whether they were given again, so that it takes until the next rows are asked for.
    given: bool,
    /// A place whose mark was not noted, and what it was first.
    first: Option<(String, String)>,
}

/// How far a table was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The place of the last row; none before the first.
    pub after: Option<String>,
    /// A mark of the rows that have this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tied: Option<String>,
    /// By what its rows are known, where that is the older name of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
}

/// The end of a table when it was looked up.
#[derive(Clone, Debug)]
struct End {
    last: String,
    /// The first transaction that had not begun then.
    next: String,
    /// When that was, in seconds of the server's clock.
    at: f64,
}

/// What a table has behind a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Rows.
    Rows(Rows),
    /// Nothing.
    Nothing,
    /// Something, before which more may appear.
    Soon,
}

/// Some rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Each row as a JSON object in a line.
    pub lines: Vec<u8>,
    /// By what each is known where it has no id: the table, its place, and its primary key or its content where the place is not its
    /// own alone.
    pub names: Vec<String>,
    /// The place of the last.
    pub last: Place,
}

impl Pull {
    /// Reads `table`, or `schema.table`, by a column that is larger for every new row, such as an identity; rows where it is null are
    /// never seen. Where the column is a time that a transaction takes at its beginning, `lag` is longer than any transaction. Rows that
    /// come later at the place of the last row are seen, too; without a primary key one that is changed there is taken for another.
    ///
    /// # Errors
    /// `invalid_url`; what is wrong with the names. The server is asked when the first rows are.
    pub fn new(url: &str, table: &str, column: &str, lag: u32) -> Result<Self> {
        // What was given may hold a password, and is not repeated.
        let config: Config = url.parse().map_err(|e: postgres::Error| {
            Error::field(
                "url",
                "invalid_url",
                "must be such as postgres://user@host/database",
            )
            .caused_by(e)
        })?;
        let named = |field, name: &str| {
            if name.is_empty() || name.contains('\0') {
                return Err(Error::field(field, "invalid_length", "must name one"));
            }
            Ok(())
        };
        named("table", table)?;
        named("cursor", column)?;
        let parts: Vec<String> = table.split('.').map(quoted).collect();
        let database = config.get_dbname().unwrap_or_default();
        Ok(Self {
            older: format!("postgres\n{database}\n{table}\n{column}"),
            config,
            table: parts.join("."),
            column: quoted(column),
            raw: column.to_owned(),
            known: None,
            lag,
            client: None,
            settled: None,
            doubtful: None,
            look: Look::default(),
        })
    }

    /// The name under which a place in it is noted: which server it is, the database, the table and the column. A server is known by the
    /// number that it and its replicas have, or by its host and port where it does not tell that number.
    ///
    /// # Errors
    /// As [`Pull::next`].
    pub fn name(&mut self) -> Result<String> {
        let client = self.connected()?;
        self.client = Some(client);
        Ok(self.known()?.name.clone())
    }

    /// The name under which an earlier version noted a place in it, whichever server it was.
    pub fn older_name(&self) -> &str {
        &self.older
    }

    /// What comes behind a place, or from the beginning; `Soon` where another server answers than the one whose name was asked for.
    ///
    /// # Errors
    /// `unreachable`; `not_found` for a table or a column that is not there; `restarted` where all that the table has lies before the
    /// place; the server's own.
    pub fn next(&mut self, place: &Place) -> Result<Pulled> {
        let before = self.known.as_ref().map(|known| known.name.clone());
        let mut client = self.connected()?;
        let known = self.known()?.clone();
        let pulled = match before.is_none_or(|before| before == known.name) {
            true => self.rows(&mut client, &known, place),
            false => Ok(Pulled::Soon),
        };
        // Where something went wrong, another connection is made.
        if pulled.is_ok() {
            self.client = Some(client);
        }
        pulled
    }

    fn known(&self) -> Result<&Known> {
        let nobody = || Error::internal("a table is read before it is known");
        self.known.as_ref().ok_or_else(nobody)
    }

    /// The connection, made where there is none.
    fn connected(&mut self) -> Result<Client> {
        if let Some(client) = self.client.take().filter(|client| !client.is_closed()) {
            return Ok(client);
        }
        let mut client = self.connect()?;
        let known = self.ask(&mut client)?;
        if self.known.as_ref() != Some(&known) {
            // What was believed of the end was of another table.
            self.settled = None;
            self.doubtful = None;
            self.look = Look::default();
            self.known = Some(known);
        }
        Ok(client)
    }

    fn connect(&self) -> Result<Client> {
        let mut client = self.config.connect(NoTls).map_err(fault)?;
        // Times are written with their offset, which is then none; floating point to its last digit.
        client
            .batch_execute(
                "set time zone 'UTC'; set datestyle to 'ISO'; set extra_float_digits to 3",
            )
            .map_err(fault)?;
        Ok(client)
    }

    /// What the server says of the table.
    fn ask(&self, client: &mut Client) -> Result<Known> {
        let asked = "select format_type(a.atttypid, a.atttypmod), \
                     exists (select 1 from pg_index i where i.indrelid = a.attrelid and i.indisunique and i.indisvalid \
                     and i.indpred is null and i.indnkeyatts = 1 and i.indkey[0] = a.attnum), \
                     (select 'row(' || string_agg(format('t.%I', k.attname), ', ' order by k.attnum) || ')::text' \
                     from pg_index i join pg_attribute k on k.attrelid = i.indrelid and k.attnum = any(i.indkey) \
                     where i.indrelid = a.attrelid and i.indisprimary), current_database()::text \
                     from pg_attribute a \
                     where a.attrelid = to_regclass($1) and a.attname = $2 and a.attnum > 0 and not a.attisdropped";
        let found = client
            .query(asked, &[&self.table, &self.raw])
            .map_err(fault)?;
        let Some(found) = found.first() else {
            return Err(Error::new(
                ErrorKind::NotFound,
                "not_found",
                format!(
                    "there is no table {} with a column {}",
                    self.table, self.column
                ),
            ));
        };
        let database = text(found, 3)?;
        let numbered = "select system_identifier::text from pg_control_system()";
        let server = match client.query_one(numbered, &[]) {
            Ok(row) => text(&row, 0)?,
            // A server that does not tell this is known by where it is; one that does not answer now is not known.
            Err(error) => match error.code() {
                Some(code)
                    if [
                        SqlState::INSUFFICIENT_PRIVILEGE,
                        SqlState::UNDEFINED_FUNCTION,
                    ]
                    .contains(code) =>
                {
                    self.address()
                }
                _ => return Err(fault(error)),
            },
        };
        let (table, column) = (&self.table, &self.column);
        Ok(Known {
            name: format!("postgres\n{server}\n{database}\n{table}\n{column}"),
            kind: text(found, 0)?,
            unique: found.try_get(1).map_err(fault)?,
            key: found.try_get(2).map_err(fault)?,
        })
    }

    /// Where the server is, as the URL says.
    fn address(&self) -> String {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        });
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string);
        let ports = self.config.get_ports().iter().map(ToString::to_string);
        let parts: Vec<String> = hosts.chain(addresses).chain(ports).collect();
        parts.join(",")
    }

    fn rows(&mut self, client: &mut Client, known: &Known, place: &Place) -> Result<Pulled> {
        let after = place.after.as_deref();
        let now = self.settle(client, known, after)?;
        // What is asked of the rows of the last place and of those behind it is of one moment.
        let mut client = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .map_err(fault)?;
        let more = self.settled.is_some() && self.settled.as_deref() != after;
        let named = place.named.as_deref();
        if let Some(after) = after.filter(|_| !known.unique)
            && self.is_due(now, more)
            && let Some(rows) = self.tied(&mut client, known, (after, place), now)?
        {
            return Ok(Pulled::Rows(rows));
        }
        let doubtful = self.doubtful.as_ref();
        let Some(settled) = self.settled.as_ref() else {
            return Ok(match doubtful {
                Some(_) => Pulled::Soon,
                None => Pulled::Nothing,
            });
        };
        let (column, kind) = (&self.column, &known.kind);
        let behind = match after {
            Some(_) => format!("t.{column} > $2::text::{kind}"),
            None => "$2::text is null".to_owned(),
        };
        let wanted = format!(
            "{} where t.{column} <= $1::text::{kind} and {behind} \
             order by t.{column} fetch first {ROWS} rows with ties",
            self.select(known, named)
        );
        let found = client.query(&wanted, &[settled, &after]).map_err(fault)?;
        if found.is_empty() {
            let more = doubtful.is_some_and(|end| end.last != *settled);
            return Ok(if more { Pulled::Soon } else { Pulled::Nothing });
        }
        let mut rows = gathered(&found, known, named)?;
        if let Some(last) = rows.last.after.as_deref().filter(|_| !known.unique) {
            rows.last.tied = Some(self.mark(&mut client, known, named, last)?.0);
        }
        Ok(Pulled::Rows(rows))
    }

    /// Asks for the place of rows, for themselves, and for what tells those of one place apart.
    fn select(&self, known: &Known, named: Option<&str>) -> String {
        let (table, column) = (&self.table, &self.column);
        let key = known.key_for(named).unwrap_or("null::text");
        format!("select t.{column}::text, row_to_json(t)::text, {key} from {table} t")
    }

    /// Whether it is time to look at the rows of the last place: always once before any behind it are given.
    fn is_due(&mut self, now: f64, more: bool) -> bool {
        let given = std::mem::take(&mut self.look.given);
        if given {
            self.look.took = now - self.look.at;
        }
        // A place to which rows come all the time does not keep those behind it; a clock that was put back is not waited for.
        more && !given || now < self.look.at || now - self.look.at >= REST * self.look.took
    }

    /// The rows of the last place, where others are there than were given.
    fn tied(
        &mut self,
        client: &mut Transaction<'_>,
        known: &Known,
        (after, place): (&str, &Place),
        now: f64,
    ) -> Result<Option<Rows>> {
        let named = place.named.as_deref();
        let (mark, then) = self.mark(client, known, named, after)?;
        self.look.at = now;
        self.look.took = (then - now).max(0.0);
        let before = match (&place.tied, &self.look.first) {
            (Some(noted), _) => noted.clone(),
            (None, Some((of, first))) if of == after => first.clone(),
            // An older note says nothing of them: those that are there now were given.
            (None, _) => {
                self.look.first = Some((after.to_owned(), mark));
                return Ok(None);
            }
        };
        if before == mark {
            return Ok(None);
        }
        let wanted = format!(
            "{} where t.{} = $1::text::{}",
            self.select(known, named),
            self.column,
            known.kind
        );
        let found = client.query(&wanted, &[&after]).map_err(fault)?;
        if found.is_empty() {
            // They were deleted.
            return Ok(None);
        }
        self.look.given = true;
        let mut rows = gathered(&found, known, named)?;
        rows.last.tied = Some(mark);
        Ok(Some(rows))
    }

    /// A mark of the rows of a place, and what time it is then.
    fn mark(
        &self,
        client: &mut Transaction<'_>,
        known: &Known,
        named: Option<&str>,
        place: &str,
    ) -> Result<(String, f64)> {
        let (table, column, kind) = (&self.table, &self.column, &known.kind);
        let keys = match known.key_for(named) {
            Some(key) => format!("coalesce(sum(hashtext({key})::bigint), 0)::text"),
            None => "''".to_owned(),
        };
        let asked = format!(
            "select count(*)::text || ' ' || {keys}, extract(epoch from clock_timestamp())::float8 \
             from {table} t where t.{column} = $1::text::{kind}"
        );
        let row = client.query_one(&asked, &[&place]).map_err(fault)?;
        Ok((text(&row, 0)?, row.try_get(1).map_err(fault)?))
    }

    /// Looks up the end of the table, and believes an earlier one that nothing can come before any more; what time it is there.
    fn settle(&mut self, client: &mut Client, known: &Known, after: Option<&str>) -> Result<f64> {
        let (table, column, kind) = (&self.table, &self.column, &known.kind);
        let asked = format!(
            "select e.last::text, pg_snapshot_xmax(pg_current_snapshot())::text, \
             pg_snapshot_xmin(pg_current_snapshot())::text, extract(epoch from clock_timestamp())::float8, \
             coalesce(e.last < $1::text::{kind}, false) \
             from (select max({column}) as last from {table}) as e"
        );
        let row = client.query_one(&asked, &[&after]).map_err(fault)?;
        let last: Option<String> = row.try_get(0).map_err(fault)?;
        let (next, oldest) = (text(&row, 1)?, text(&row, 2)?);
        let at: f64 = row.try_get(3).map_err(fault)?;
        if let (true, Some(last), Some(after)) = (row.try_get(4).map_err(fault)?, &last, after) {
            // What was believed of the end is over.
            self.settled = None;
            self.doubtful = None;
            return Err(Error::new(
                ErrorKind::Conflict,
                "restarted",
                format!(
                    "{table} was read up to {column} {after}, and now ends at {last}: it was emptied, or its numbers begin anew; \
                     what is at or before {after} is not read until there is something behind it"
                ),
            ));
        }
        let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
        if let Some(end) = &self.doubtful
            && number(&oldest) >= number(&end.next)
            && at - end.at >= f64::from(self.lag)
        {
            self.settled = Some(end.last.clone());
            self.doubtful = None;
        }
        let new = last.filter(|last| self.settled.as_ref() != Some(last));
        if let (None, Some(last)) = (&self.doubtful, new) {
            self.doubtful = Some(End { last, next, at });
        }
        Ok(at)
    }
}

impl Known {
    /// What tells rows of one place apart; an earlier version told them apart by their content alone.
    fn key_for(&self, named: Option<&str>) -> Option<&str> {
        self.key.as_deref().filter(|_| named.is_none())
    }
}

/// Rows as they are given: places, contents and keys.
fn gathered(found: &[Row], known: &Known, named: Option<&str>) -> Result<Rows> {
    let read = found.iter().map(|row| {
        let key: Option<String> = row.try_get(2).map_err(fault)?;
        Ok((text(row, 0)?, text(row, 1)?, key))
    });
    let read: Vec<(String, String, Option<String>)> = read.collect::<Result<_>>()?;
    Ok(told(&read, known, named))
}

fn told(found: &[(String, String, Option<String>)], known: &Known, named: Option<&str>) -> Rows {
    let mut rows = Rows::default();
    let table = named.unwrap_or(&known.name);
    for same in found.chunk_by(|a, b| a.0 == b.0) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (place, row, key) in same {
            rows.lines.extend_from_slice(row.as_bytes());
            rows.lines.push(b'\n');
            let mut name = format!("{table}\n{place}");
            // Whether others have the same place now says nothing of later.
            if !known.unique {
                let key = key.as_ref().unwrap_or(row);
                // Rows of one place come in no order; equal ones are any of each other.
                let count = seen.entry(key).or_default();
                name.push_str(&format!("\n{count}\n{key}"));
                *count += 1;
            }
            rows.names.push(name);
        }
        rows.last.after = same.last().map(|(place, ..)| place.clone());
    }
    rows.last.named = named.map(ToOwned::to_owned);
    rows
}

impl fmt::Debug for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull")
            .field("table", &self.table)
            .field("column", &self.column)
            .finish_non_exhaustive()
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(row: &Row, at: usize) -> Result<String> {
    row.try_get(at).map_err(fault)
}

fn fault(error: postgres::Error) -> Error {
    match error.as_db_error() {
        Some(said) => Error::new(ErrorKind::Storage, "postgres", said.message().to_owned()),
        None => Error::new(
            ErrorKind::Storage,
            "unreachable",
            "PostgreSQL does not answer",
        ),
    }
    .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(unique: bool) -> Known {
        Known {
            name: "t".to_owned(),
            kind: "date".to_owned(),
            unique,
            key: None,
        }
    }

    fn row(place: &str, row: &str, key: Option<&str>) -> (String, String, Option<String>) {
        (place.to_owned(), row.to_owned(), key.map(ToOwned::to_owned))
    }

    #[test]
    fn a_row_has_the_same_name_whoever_else_has_its_place() {
        let alone = told(&[row("1", "{}", None)], &known(false), None);
        let both = told(
            &[row("1", "{\"a\": 1}", None), row("1", "{}", None)],
            &known(false),
            None,
        );
        assert!(both.names.contains(&alone.names[0]), "{both:?}");
        let twice = told(
            &[row("1", "{}", None), row("1", "{}", None)],
            &known(false),
            None,
        );
        assert_eq!(twice.names, ["t\n1\n0\n{}", "t\n1\n1\n{}"]);
        // One that has a key is the same however it is changed.
        let changed = |text: &str| told(&[row("1", text, Some("(7)"))], &known(false), None).names;
        assert_eq!(changed("{}"), changed("{\"a\": 1}"));
        let unique = told(
            &[row("1", "{}", None), row("2", "{}", None)],
            &known(true),
            Some("old"),
        );
        assert_eq!(unique.names, ["old\n1", "old\n2"]);
        assert_eq!(unique.last.after.as_deref(), Some("2"));
        assert_eq!(unique.last.named.as_deref(), Some("old"));
    }
}
