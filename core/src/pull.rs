//! Rows of a PostgreSQL table in the order of one column, each once, as they come to be there.
//!
//! Transactions end in another order than they take their numbers, so that a row with a smaller number may appear after one with a larger.
//! A row is therefore given only once every transaction that was writing when the end of the table was looked up has ended.

use std::collections::HashMap;
use std::fmt;

use postgres::config::Host;
use postgres::{Client, Config, NoTls, Row};

use crate::error::{Error, ErrorKind, Result};

/// So many rows are given at once, and those of the same place as the last of them.
const ROWS: i64 = 5_000;

/// A table of PostgreSQL 13 or later, and the column by which it grows.
pub struct Pull {
    config: Config,
    /// Quoted.
    table: String,
    column: String,
    /// The column's name as it is.
    raw: String,
    /// The column's type.
    kind: String,
    name: String,
    /// For so many seconds the end of the table is not believed.
    lag: u32,
    client: Option<Client>,
    /// How far the table surely holds all that it will ever hold.
    settled: Option<String>,
    doubtful: Option<End>,
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
    /// By what each is known where it has no id: the table, its place, and among rows of one place its content.
    pub names: Vec<String>,
    /// The place of the last.
    pub last: String,
}

impl Pull {
    /// Reads `table`, or `schema.table`, by a column that is larger for every new row, such as an identity; rows where it is null are
    /// never seen. Where the column is a time that a transaction takes at its beginning, `lag` is longer than any transaction.
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
        let hosts = config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let ports = config.get_ports().iter().map(u16::to_string);
        let server: Vec<String> = hosts.chain(ports).collect();
        let server = server.join(" ");
        let database = config.get_dbname().or(config.get_user());
        let database = database.unwrap_or_default();
        Ok(Self {
            name: format!("postgres\n{server}\n{database}\n{table}\n{column}"),
            config,
            table: parts.join("."),
            column: quoted(column),
            raw: column.to_owned(),
            kind: String::new(),
            lag,
            client: None,
            settled: None,
            doubtful: None,
        })
    }

    /// The name under which a place in it is noted.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What comes behind a place, or from the beginning.
    ///
    /// # Errors
    /// `unreachable`; `not_found` for a table or a column that is not there; the server's own.
    pub fn next(&mut self, after: Option<&str>) -> Result<Pulled> {
        let mut client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect()?,
        };
        let pulled = self.rows(&mut client, after);
        // Where something went wrong, another connection is made.
        if pulled.is_ok() {
            self.client = Some(client);
        }
        pulled
    }

    fn connect(&mut self) -> Result<Client> {
        let mut client = self.config.connect(NoTls).map_err(fault)?;
        // Times are written with their offset, which is then none; floating point to its last digit.
        client
            .batch_execute(
                "set time zone 'UTC'; set datestyle to 'ISO'; set extra_float_digits to 3",
            )
            .map_err(fault)?;
        let kind = "select format_type(atttypid, atttypmod) from pg_attribute \
                    where attrelid = to_regclass($1) and attname = $2 and attnum > 0 and not attisdropped";
        let found = client
            .query(kind, &[&self.table, &self.raw])
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
        self.kind = text(found, 0)?;
        Ok(client)
    }

    fn rows(&mut self, client: &mut Client, after: Option<&str>) -> Result<Pulled> {
        self.settle(client)?;
        let Some(settled) = self.settled.clone() else {
            return Ok(match self.doubtful {
                Some(_) => Pulled::Soon,
                None => Pulled::Nothing,
            });
        };
        let (table, column, kind) = (&self.table, &self.column, &self.kind);
        let behind = match after {
            Some(_) => format!("t.{column} > $2::text::{kind}"),
            None => "$2::text is null".to_owned(),
        };
        let wanted = format!(
            "select t.{column}::text, row_to_json(t)::text from {table} t \
             where t.{column} <= $1::text::{kind} and {behind} \
             order by t.{column} fetch first {ROWS} rows with ties"
        );
        let found = client.query(&wanted, &[&settled, &after]).map_err(fault)?;
        if found.is_empty() {
            let more = self
                .doubtful
                .as_ref()
                .is_some_and(|end| end.last != settled);
            return Ok(if more { Pulled::Soon } else { Pulled::Nothing });
        }
        let read = found.iter().map(|row| Ok((text(row, 0)?, text(row, 1)?)));
        Ok(Pulled::Rows(
            self.gathered(&read.collect::<Result<Vec<_>>>()?),
        ))
    }

    /// Looks up the end of the table, and believes an earlier one that nothing can come before any more.
    fn settle(&mut self, client: &mut Client) -> Result<()> {
        let (table, column) = (&self.table, &self.column);
        let asked = format!(
            "select (select max({column})::text from {table}), \
             pg_snapshot_xmax(pg_current_snapshot())::text, pg_snapshot_xmin(pg_current_snapshot())::text, \
             extract(epoch from clock_timestamp())::float8"
        );
        let row = client.query_one(&asked, &[]).map_err(fault)?;
        let last: Option<String> = row.try_get(0).map_err(fault)?;
        let (next, oldest) = (text(&row, 1)?, text(&row, 2)?);
        let at: f64 = row.try_get(3).map_err(fault)?;
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
        Ok(())
    }

    fn gathered(&self, found: &[(String, String)]) -> Rows {
        let mut rows = Rows::default();
        for same in found.chunk_by(|a, b| a.0 == b.0) {
            let mut seen: HashMap<&str, usize> = HashMap::new();
            for (place, row) in same {
                rows.lines.extend_from_slice(row.as_bytes());
                rows.lines.push(b'\n');
                let mut name = format!("{}\n{place}", self.name);
                if same.len() > 1 {
                    // Rows of one place come in no order; equal ones are any of each other.
                    let count = seen.entry(row).or_default();
                    name.push_str(&format!("\n{count}\n{row}"));
                    *count += 1;
                }
                rows.names.push(name);
                rows.last.clone_from(place);
            }
        }
        rows
    }
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
