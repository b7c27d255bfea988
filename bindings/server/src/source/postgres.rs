//! A table of PostgreSQL, row after row by a column that grows.

use serde::{Deserialize, Serialize};
use travelsense::pull::{Pull, Pulled};
use travelsense::{Error, Window};

use super::{Feed, Lies, Next, Notes, Piece, Result, Trouble, short};

/// For so many seconds the end of a table is not believed, where nothing else is asked for.
const LAG: u32 = 1;

/// A table and our place in it.
#[derive(Debug)]
pub(super) struct Table {
    pull: Pull,
    source: String,
    notes: Notes,
    /// The place of what was given.
    given: Option<String>,
}

/// How far a table was read.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Place {
    after: Option<String>,
}

impl Table {
    /// Reads `postgres://user@host/database?table=NAME&cursor=COLUMN[&lag=1s]`; other parameters are the connection's.
    pub(super) fn read(from: &str, notes: &Notes) -> Result<Self> {
        let wrong = |why: &str| {
            Trouble::Wrong(format!(
                "{why}: a table is named as postgres://user@host/database?table=NAME&cursor=COLUMN, and &lag=1s behind it where it is wanted"
            ))
        };
        let (start, query) = from.split_once('?').unwrap_or((from, ""));
        let (mut table, mut cursor, mut lag, mut rest) = (None, None, LAG, Vec::new());
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let value = || {
                let url = reqwest::Url::parse(&format!("x:?{part}")).ok()?;
                url.query_pairs().next().map(|pair| pair.1.into_owned())
            };
            match part.split('=').next().unwrap_or_default() {
                "table" => table = value(),
                "cursor" => cursor = value(),
                "lag" => {
                    let length = value().as_deref().and_then(Window::parse);
                    let length = length.ok_or_else(|| wrong("`lag` is not a length of time"))?;
                    lag = u32::try_from(length.micros() / 1_000_000).unwrap_or(u32::MAX);
                }
                _ => rest.push(part),
            }
        }
        let table = table.ok_or_else(|| wrong("`table` is missing"))?;
        let cursor = cursor.ok_or_else(|| wrong("`cursor` is missing"))?;
        let mut url = start.to_owned();
        if !rest.is_empty() {
            url = format!("{url}?{}", rest.join("&"));
        }
        let pull = Pull::new(&url, &table, &cursor, lag).map_err(|error: Error| {
            let fields = error.field_errors().iter();
            let said: Vec<String> = fields
                .map(|f| format!("{} {}", f.field, f.message))
                .collect();
            wrong(&said.join("; "))
        })?;
        Ok(Self {
            pull,
            source: short(&format!("postgres {table}")),
            notes: notes.clone(),
            given: None,
        })
    }
}

impl Feed for Table {
    fn next(&mut self) -> Result<Next> {
        let place: Place = self.notes.get(self.pull.name())?;
        Ok(match self.pull.next(place.after.as_deref())? {
            Pulled::Rows(rows) => {
                self.given = Some(rows.last);
                Next::Piece(Piece {
                    source: self.source.clone(),
                    body: rows.lines,
                    names: Lies::At(rows.names),
                    ..Piece::default()
                })
            }
            Pulled::Nothing => Next::Nothing,
            Pulled::Soon => Next::Soon,
        })
    }

    fn taken(&mut self) -> Result<()> {
        match self.given.take() {
            Some(last) => {
                let place = Place { after: Some(last) };
                self.notes.put(self.pull.name(), &place)
            }
            None => Ok(()),
        }
    }

    fn source(&self) -> String {
        self.source.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_table_is_said_and_a_password_is_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let notes = Notes::beside(&folder.path().join("a.db")).unwrap();
        for url in [
            "postgres://u:hunter2@host/d",
            "postgres://u:hunter2@host/d?table=t",
            "postgres://u:hunter2@host/d?cursor=id",
            "postgres://u:hunter2@host/d?table=t&cursor=id&lag=soon",
            "postgres://u:hunter2@[host/d?table=t&cursor=id",
            "postgres://u:hunter2@host/d?table=t&cursor=id&colour=red",
        ] {
            let Err(Trouble::Wrong(why)) = Table::read(url, &notes) else {
                panic!("{url}");
            };
            assert!(!why.contains("hunter2"), "{why}");
        }
        let url = "postgres:///d?host=/tmp&user=u&table=app.my%20events&cursor=id&lag=2m";
        assert_eq!(
            Table::read(url, &notes).unwrap().source,
            "postgres app.my events"
        );
    }
}
