//! A table of PostgreSQL, row after row by a column that grows.

use travelsense::pull::{Place, Pull, Pulled};
use travelsense::{Error, Window};

use super::{Feed, Lies, Next, Notes, Piece, Result, Taken, Trouble, short};

/// For so many seconds the end of a table is not believed, where nothing else is asked for.
const LAG: u32 = 1;

/// A table and our place in it.
#[derive(Debug)]
pub(super) struct Table {
    pull: Pull,
    source: String,
    notes: Notes,
    /// The place of what was given, and the name under which it is noted.
    given: Option<(String, Place)>,
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
        let mut source = format!("postgres {table}");
        if notes.announced(&source, from) > 1 {
            // Tables of several servers that are called the same are told apart by where they are; who reads them is not told.
            let place = start.rsplit('@').next().unwrap_or_default();
            let place = place.rsplit("://").next().unwrap_or_default();
            source = format!("{source} of {place}");
        }
        notes.announced(pull.older_name(), from);
        Ok(Self {
            pull,
            source: short(&source),
            notes: notes.clone(),
            given: None,
        })
    }

    /// How far the table of that name was read, by the note of an older version too, which did not know one server from another.
    fn place(&self, name: &str) -> Result<Place> {
        if self.notes.has(name) {
            return self.notes.get(name);
        }
        let older = self.pull.older_name();
        if !self.notes.has(older) {
            return Ok(Place::default());
        }
        if self.notes.sources(older) > 1 {
            return Err(Trouble::Wrong(format!(
                "an older version noted how far `{}` was read, and nobody knows of which of its servers: follow the one alone whose rows \
                 are stored, once, and then all",
                self.source
            )));
        }
        let place = Place {
            named: Some(older.to_owned()),
            ..self.notes.get(older)?
        };
        self.notes.rename(older, name, &place)?;
        Ok(place)
    }
}

impl Feed for Table {
    fn next(&mut self) -> Result<Next> {
        let name = self.pull.name()?;
        let place = self.place(&name)?;
        Ok(match self.pull.next(&place)? {
            Pulled::Rows(rows) => {
                self.given = Some((name, rows.last));
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

    fn taken(&mut self, _: Taken) -> Result<()> {
        match self.given.take() {
            Some((name, place)) => self.notes.put(&name, &place),
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
        // Two servers that have the same table are two sources.
        for (host, source) in [
            ("one", "postgres t"),
            ("two", "postgres t of two/d"),
            ("one", "postgres t of one/d"),
        ] {
            let url = format!("postgres://u:hunter2@{host}/d?table=t&cursor=id");
            assert_eq!(Table::read(&url, &notes).unwrap().source, source);
        }
    }

    #[test]
    fn a_note_of_an_older_version_is_taken_over_by_the_only_source_that_it_can_be_of() {
        let folder = tempfile::TempDir::new().unwrap();
        let notes = Notes::beside(&folder.path().join("a.db")).unwrap();
        let url = |host: &str| format!("postgres://{host}/d?table=t&cursor=id");
        let one = Table::read(&url("one"), &notes).unwrap();
        let older = one.pull.older_name().to_owned();
        notes
            .put(&older, &serde_json::json!({ "after": "7" }))
            .unwrap();
        let place = one.place("the one server").unwrap();
        assert_eq!(
            (place.after.as_deref(), place.named.as_ref()),
            (Some("7"), Some(&older))
        );
        assert_eq!(one.place("the one server").unwrap(), place);
        let two = Table::read(&url("two"), &notes).unwrap();
        assert_eq!(two.place("the other server").unwrap(), Place::default());
        notes
            .put(&older, &serde_json::json!({ "after": "7" }))
            .unwrap();
        assert!(matches!(
            two.place("the other server"),
            Err(Trouble::Wrong(_))
        ));
    }
}
