//! Events from where they come to lie: files that grow, a stream of NATS, a table of PostgreSQL. All go one way: what comes next is
//! read, stored durably, and only then called taken, so that whoever is stopped in between reads it again.
//!
//! An event without an id is known by where it lay, so that it is stored once however often it is read.

mod files;
mod follow;
mod nats;
mod notes;
mod postgres;
mod records;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::events::{Mapping, Names};
use travelsense::{Analytics, Error, Principal};

pub(crate) use self::follow::{Following, read};
pub(crate) use self::notes::Notes;

/// A source and which of its columns is what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Follow {
    /// A file, a folder, `nats://host/STREAM` or `postgres://host/database?table=…&cursor=…`.
    pub(crate) from: String,
    /// A mapping in its JSON form, as `import` takes it.
    #[serde(flatten)]
    pub(crate) mapping: Map<String, Value>,
}

impl FromStr for Follow {
    type Err = std::convert::Infallible;

    fn from_str(from: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            from: from.to_owned(),
            mapping: Map::new(),
        })
    }
}

impl Follow {
    /// Its mapping.
    ///
    /// # Errors
    /// As [`Mapping::parse`].
    pub(crate) fn mapping(&self) -> travelsense::Result<Mapping> {
        Mapping::parse(&Value::Object(self.mapping.clone()))
    }
}

/// Why a source gives nothing.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is asked for wrongly: trying again changes nothing.
    Wrong(String),
    /// It cannot be read now.
    Broken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Wrong(why) | Self::Broken(why)) = self;
        f.write_str(why)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let fields = error.field_errors().iter();
        let said: Vec<String> = fields
            .map(|f| format!("{} {}", f.field, f.message))
            .collect();
        match said.is_empty() {
            true => Self::Broken(error.to_string()),
            false => Self::Wrong(said.join("; ")),
        }
    }
}

type Result<T, E = Trouble> = std::result::Result<T, E>;

/// What a source has next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Events.
    Piece(Piece),
    /// Nothing more for now.
    Nothing,
    /// There is something, of which it is not sure yet that nothing comes before it.
    Soon,
}

/// Some events of a source.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// Of which source they count, for its freshness.
    source: String,
    /// A JSON object a line, or records of CSV.
    body: Vec<u8>,
    /// For records: the line that names the columns, and what separates them.
    records: Option<(String, u8)>,
    names: Lies,
    /// How much more there is, where the source tells.
    behind: Option<u64>,
}

/// Where the events of a piece lay.
#[derive(Debug)]
enum Lies {
    /// One behind the other in what has this name, the first at this place.
    From(String, u64),
    /// Each at a place of its own.
    At(Vec<String>),
}

impl Default for Lies {
    fn default() -> Self {
        Self::At(Vec::new())
    }
}

/// Where events come from, piece by piece.
pub(crate) trait Feed: Send {
    /// What comes next; it may wait a moment for it. The same again, where it was not taken.
    fn next(&mut self) -> Result<Next>;

    /// What came last is stored, or put beside the store.
    fn taken(&mut self, became: Taken) -> Result<()>;

    /// How much there is that does not come, where there is nothing next and the source tells.
    fn left(&self) -> Option<u64> {
        Some(0)
    }

    /// What of it cannot be read, while the rest is.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// By which it is named where it is told how it does.
    fn source(&self) -> String;
}

/// The source of that name.
///
/// # Errors
/// What is wrong with the name; whoever answers is asked only when the first piece is wanted.
pub(crate) fn feed(from: &str, notes: &Notes) -> Result<Box<dyn Feed>> {
    match from.split_once("://").map(|(scheme, _)| scheme) {
        Some("nats") => Ok(Box::new(nats::Stream::read(from)?)),
        Some("postgres" | "postgresql") => Ok(Box::new(postgres::Table::read(from, notes)?)),
        Some(other) => Err(Trouble::Wrong(format!(
            "`{other}://` is no source of events; nats:// and postgres:// are, and so are files and folders"
        ))),
        None => Ok(Box::new(files::Files::new(Path::new(from), notes)?)),
    }
}

/// Whether a name is that of a source that is no file.
pub(crate) fn is_remote(from: &str) -> bool {
    from.contains("://")
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) accepted: u64,
    pub(crate) duplicates: u64,
    pub(crate) refused: u64,
    /// Of the duplicates those of another content than what is stored.
    pub(crate) conflicts: u64,
    /// Whether it could not be stored and was put beside the file, from where it is stored later.
    pub(crate) parked: bool,
}

impl std::ops::AddAssign for Taken {
    fn add_assign(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.duplicates += more.duplicates;
        self.refused += more.refused;
        self.conflicts += more.conflicts;
        self.parked |= more.parked;
    }
}

/// Stores a piece; once it is there it is durable.
///
/// # Errors
/// As [`Analytics::ingest_batch`], but for what was parked.
pub(crate) fn store(
    analytics: &Analytics,
    mapping: &Mapping,
    piece: &Piece,
) -> travelsense::Result<Taken> {
    let batch = IngestBatch {
        body: &piece.body,
        form: match &piece.records {
            Some((header, delimiter)) => BatchForm::Records {
                header: header.as_bytes(),
                delimiter: *delimiter,
            },
            None => BatchForm::Lines,
        },
        mapping: Some(mapping),
        source: &piece.source,
        key: None,
        names: match &piece.names {
            Lies::From(name, first) => Names::From(name, *first),
            Lies::At(places) => Names::Each(places),
        },
        most: usize::MAX,
    };
    let who = Principal::new("follow", "collector");
    let answer = match analytics.ingest_batch(&who, &batch) {
        Err(error) if error.code() == "parked" => {
            return Ok(Taken {
                parked: true,
                ..Taken::default()
            });
        }
        answer => answer?,
    };
    let answer: Value = serde_json::from_str(&answer).map_err(Error::internal)?;
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    Ok(Taken {
        accepted: count("accepted"),
        duplicates: count("duplicates"),
        refused: count("refused"),
        conflicts: count("conflicts"),
        parked: false,
    })
}

/// At most so many characters, as the name of a source.
fn short(name: &str) -> String {
    name.chars().take(100).collect()
}
