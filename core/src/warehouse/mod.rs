//! Where events live. The trait says what the words need; `duckdb.rs` is the engine inside this process.

pub(crate) mod dataset;
pub mod duckdb;
pub(crate) mod person;
mod platform;
mod realtime;
mod series;
mod worth;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, Decimal128Array, RecordBatch, StringArray, UInt32Array,
};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType, UInt16Type, UInt32Type};

use crate::error::Result;
use crate::events::{Catalogue, EventBatch, Held, Record, Table};
use crate::query::{Instant, answer::Versions};

pub use self::duckdb::Duckdb;
pub use self::platform::{Cell, Figures, Subject, Sum};
pub use self::realtime::{Amount, Count, Counted, DailyRate, Live, Recent, Tally};
pub use self::series::{Bucketed, Buckets};

/// What a warehouse holds at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The data version: grows by 1 with every committed change.
    pub version: u64,
    /// Changes only when stored rows were replaced or removed, so that what was derived must be rebuilt.
    pub epoch: u64,
    /// How many events are stored.
    pub events: u64,
    /// How many of them have no user (I4).
    pub unattributed: u64,
    /// How many user keys were given; keys are `0..users`.
    pub users: u32,
    /// The earliest event time, in microseconds.
    pub first: Option<i64>,
    /// How many row keys were given to events; keys are `0..rows`.
    pub rows: u32,
    /// The sum of the content hashes and times of all events, whatever their order.
    pub events_hash: u64,
    /// The sum of the content hashes of everything else.
    pub records_hash: u64,
    /// Whether anything is known of who is who (I5).
    pub identified: bool,
}

impl Head {
    /// The versions of an answer over it, where aliases and merges have this hash.
    pub(crate) fn versions(&self, identities: u64) -> Versions {
        Versions::new(
            self.events,
            [self.events_hash, self.records_hash],
            identities,
        )
    }
}

/// Some stored events of users, column by column and of equal lengths.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// User keys.
    pub user: &'a [u32],
    /// Event times in microseconds.
    pub ts: &'a [i64],
    /// Keys of event names.
    pub name: &'a [u16],
    /// Row keys.
    pub row: &'a [u32],
}

/// Some stored events as real-time figures need them, column by column and of equal lengths.
#[derive(Clone, Copy, Debug)]
pub struct Happened<'a> {
    /// User keys; none for an event without a user.
    pub user: &'a UInt32Array,
    /// Event times in microseconds.
    pub ts: &'a [i64],
    /// Keys of event names.
    pub name: &'a [u16],
    /// Promoted amounts, in ten-thousandths.
    pub amount: &'a Decimal128Array,
    /// Promoted currencies.
    pub currency: &'a StringArray,
}

/// Receives rows, batch by batch.
pub type Sink<'a> = dyn FnMut(Rows<'_>) -> Result<()> + 'a;

/// Something that an event has beside its user, its time and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventProperty {
    /// A property by its name.
    Named(String),
    /// The id of its session.
    Session,
}

/// What an event is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// So much in 10^-12 of the base currency.
    Base(i128),
    /// Unknown, for want of this rate of [`Worths::missing`].
    Missing(u32),
}

/// What events are worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Worths {
    /// Row keys, ascending, with the worth of each.
    pub rows: Vec<(u32, Worth)>,
    /// Currencies and the days on which, and before which, there is no rate.
    pub missing: Vec<(String, String)>,
}

/// A cohort as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its definition, as JSON text.
    pub definition: String,
    /// When it was made.
    pub created_at: Instant,
}

/// Some of many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many.
    pub limit: usize,
    /// After leaving out so many.
    pub offset: usize,
}

/// A user and what the latest profile says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profiled {
    /// The user's key.
    pub user: u32,
    /// The id.
    pub id: String,
    /// Whether it is an anonymous id.
    pub anonymous: bool,
    /// The latest plan stated.
    pub plan: Option<String>,
    /// The latest properties stated, as a JSON object.
    pub properties: Option<String>,
}

/// The file beside a store in which timelines are saved.
pub(crate) fn timelines_beside(store: &Path) -> PathBuf {
    let mut name = store.to_owned().into_os_string();
    name.push(".timelines");
    name.into()
}

/// Where timelines are saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Their file.
    pub path: PathBuf,
    /// The seal of those saved last.
    pub seal: Option<String>,
    /// Whether they may only be read.
    pub read_only: bool,
}

/// What a profile said of a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The user's key.
    pub user: u32,
    /// From when on, in microseconds.
    pub ts: i64,
    /// The content hash of the profile.
    pub hash: u64,
    /// The value as canonical JSON text.
    pub value: String,
}

/// What is known of who is who.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    /// The key of a device's anonymous id, a time in microseconds, and the user it was then known to be; none where it was signed out. Those of
    /// one device and time are in the order of the users' ids, after none.
    pub marks: Vec<(u32, i64, Option<u32>)>,
    /// Keys of known users that are one and the same.
    pub merges: Vec<(u32, u32)>,
    /// For each merged user its key, the time of its first event, and its id.
    pub merged: Vec<(u32, Option<i64>, String)>,
    /// The sum of the content hashes of aliases and merges.
    pub hash: u64,
}

/// A value bound to a `?` of a statement; values never become part of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// An instant.
    Time(Instant),
}

/// Where a warehouse is and how it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its file; `None` keeps everything in memory.
    pub path: Option<PathBuf>,
    /// Opens an existing file only to read it; several processes may do so at once.
    pub read_only: bool,
    /// How many threads the engine may use; `None` is one for each core.
    pub threads: Option<usize>,
    /// How many bytes of memory the engine may use, at least 64 MiB; `None` is the engine's own limit.
    pub memory_limit: Option<u64>,
    /// The time written to what is created.
    pub now: Instant,
}

/// The store of events, as the words need it.
pub trait Warehouse: Send + Sync + std::fmt::Debug {
    /// What it holds now; cheap.
    fn head(&self) -> Result<Head>;

    /// All that timelines are built from, as it is now.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;

    /// Hands over a property of all events with row key `first` or later that have it: row keys, in any order, and the values as
    /// canonical JSON text.
    fn property(
        &self,
        property: &EventProperty,
        first: u32,
        sink: &mut dyn FnMut(&[u32], &StringArray) -> Result<()>,
    ) -> Result<()>;

    /// What profiles said of a property of users, in the order (user, time, content hash); a profile without the property
    /// says nothing of it.
    fn user_property(&self, name: &str) -> Result<Vec<Said>>;

    /// Some of the users of these keys, in the order of their ids, with what their profiles said by an instant, and those of the
    /// users that are the same: `merged` holds their keys, each with the one that stands for it.
    fn people(
        &self,
        keys: &[u32],
        merged: &[(u32, u32)],
        page: &Page,
        as_of: Instant,
    ) -> Result<Vec<Profiled>>;

    /// What all events with an amount are worth in the catalogue's base currency, at the latest rate on or before their day.
    fn worths(&self) -> Result<Worths>;

    /// All event names by key: `names[key]`.
    fn names(&self) -> Result<Vec<String>>;

    /// All rates by currency and day, in order.
    fn rates(&self) -> Result<Vec<DailyRate>>;

    /// Counts the events of a window that ends now and of the window before it, all of one snapshot.
    fn recent(&self, asked: &Recent<'_>) -> Result<Live>;

    /// Counts the events of equal buckets, and adds their amounts up where `money` is asked for; all counts are of one snapshot.
    fn bucketed(&self, asked: &Buckets<'_>, money: bool) -> Result<Bucketed>;

    /// The time of the newest event up to an instant.
    fn newest(&self, as_of: Instant) -> Result<Option<Instant>>;

    /// Figures of the platform's tables over time and by groups, in order.
    fn figures(&self, asked: &Figures<'_>) -> Result<Vec<Cell>>;

    /// The money among them by currency and day, in order.
    fn sums(&self, asked: &Figures<'_>) -> Result<Vec<Sum>>;

    /// The rows of a fixed `select` over the tables of `migrations/`, its values bound to `?` in order.
    fn select(&self, statement: &'static str, values: &[Parameter]) -> Result<Vec<RecordBatch>>;

    /// Where timelines may be saved, and the seal of those saved last; nothing for a warehouse in memory.
    fn saved(&self) -> Result<Option<Saved>>;

    /// Remembers the seal of saved timelines; `false` where a change is under way, which goes first.
    fn seal(&self, seal: &str) -> Result<bool>;

    /// All cohorts by name.
    fn cohorts(&self) -> Result<Vec<Named>>;

    /// Stores a cohort, or takes the one of that name away where it has no definition; `false` where nothing changed: a name
    /// that is taken, or is not there.
    fn set_cohort(&self, name: &str, definition: Option<&str>, at: Instant) -> Result<bool>;

    /// The keys of those of these user ids that are known.
    fn user_keys(&self, ids: &[&str]) -> Result<HashMap<String, u32>>;

    /// Tells the key and the id of every user, and whether it is a device's, in any order.
    fn users(&self, tell: &mut dyn FnMut(u32, &str, bool)) -> Result<()>;

    /// The ids of these users.
    fn user_ids(&self, keys: &[u32]) -> Result<Vec<String>>;

    /// Which events mean what.
    fn catalogue(&self) -> Result<Catalogue>;

    /// Changes which events mean what; what the catalogue promotes to columns is read again from every event.
    fn set_catalogue(&self, catalogue: &Catalogue) -> Result<()>;

    /// Which store it is and how much of the log beside it it holds.
    fn logged(&self) -> Result<Logged>;

    /// What was answered to the batch of a key, and the hash of that batch.
    fn answered(&self, key: u128) -> Result<Option<Answered>>;

    /// All keys of batches answered at `since` or later, the oldest first.
    fn keys_since(&self, since: Instant) -> Result<Vec<Keyed>>;

    /// Events that were refused but kept, the latest first.
    fn quarantine(&self, page: &Page) -> Result<(u64, Vec<Aside>)>;

    /// The ids of events that were refused but kept, and how many bytes each has, the latest received first.
    fn quarantined(&self) -> Result<Vec<(u64, u64)>>;

    /// Those of these ids, whole, in the same order.
    fn of_quarantine(&self, ids: &[u64]) -> Result<Vec<Aside>>;

    /// Makes the file whole without its write-ahead log, once no change is under way, and forgets keys of before an instant;
    /// `false` where that cannot be.
    fn checkpoint(&self, keys_before: Instant) -> Result<bool>;

    /// How many bytes of memory the engine holds, its cache among them.
    fn memory(&self) -> Result<u64>;

    /// Whether a change is under way on this very thread.
    fn changing(&self) -> bool;

    /// Waits until no change is under way, but for one on this very thread.
    fn idle(&self);

    /// Begins a change; only one is under way at a time, others wait.
    fn load(&self) -> Result<Box<dyn Load + '_>>;

    /// A digest of all stored events that neither their order nor the keys and versions given to them can change.
    fn content_digest(&self) -> Result<String>;
}

/// What a warehouse holds at one moment, whatever changes while it is read.
pub trait Snapshot {
    /// The state at that moment.
    fn head(&self) -> Head;

    /// Hands over all events that have a user and were added after data version `after`, in any order.
    fn scan(&self, after: u64, sink: &mut Sink<'_>) -> Result<()>;

    /// Hands over the events of these user keys that were added up to data version `until`, in any order.
    fn of_users(&self, keys: &[u32], until: u64, sink: &mut Sink<'_>) -> Result<()>;

    /// The same row keys, those of one time in the order (client_seq, event_id, content hash) (G2).
    ///
    /// An event without a `client_seq` comes before those with one, one without an id before those with one.
    fn ordered(&self, rows: &[u32]) -> Result<Vec<u32>>;

    /// What is known of who is who (I5).
    fn identities(&self) -> Result<Identities>;

    /// The times, in microseconds and in any order, of the events without a user that were added after data version `after`.
    fn unattributed(&self, after: u64) -> Result<Vec<i64>>;

    /// All event names by key: `names[key]`.
    fn names(&self) -> Result<Vec<String>>;

    /// Hands over the events that happened after an instant and were added after data version `after`, in any order.
    fn happened(
        &self,
        after: u64,
        since: Instant,
        sink: &mut dyn FnMut(Happened<'_>) -> Result<()>,
    ) -> Result<()>;

    /// How many events happened after an instant.
    fn count_since(&self, since: Instant) -> Result<u64>;
}

/// A change under way: nothing of it is seen before `commit`, and nothing of it is kept where it is dropped.
pub trait Load {
    /// Takes events with their numbers, ascending over all calls; gives the numbers of those whose name would be one too
    /// many, which were not taken.
    fn events(&mut self, batches: &[EventBatch]) -> Result<Vec<u64>>;

    /// Takes rows of a platform table with their numbers, ascending over all calls.
    fn records(&mut self, table: Table, records: &[(u64, Record)]) -> Result<()>;

    /// Takes everything of some people away.
    fn erase(&mut self, asked: &Erasure<'_>) -> Result<Erased>;

    /// Takes refused events that are kept aside.
    fn hold(&mut self, held: &[Held]) -> Result<()>;

    /// Takes events out of quarantine, by the hashes of their contents.
    fn release(&mut self, hashes: &[u64]) -> Result<()>;

    /// Notes, with whatever else changes, up to where the log is in the file.
    fn position(&mut self, position: u64);

    /// Decides which are duplicates (I1), makes the rest durable, and tells.
    fn commit(self: Box<Self>) -> Result<Committed> {
        self.commit_answering(&mut |_| Ok(Vec::new()))
    }

    /// The same, and what `answers` makes of it is kept with it, under the keys of batches.
    fn commit_answering(self: Box<Self>, answers: &mut Answers<'_>) -> Result<Committed>;
}

/// How a store and the log beside it know each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logged {
    /// The id of the store, of chance; given once.
    pub store: u128,
    /// The position of the last frame of the log that the store holds.
    pub position: u64,
}

/// A batch that came with a key, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The hash of the batch.
    pub body: u128,
    /// The answer as JSON.
    pub answer: String,
    /// When it was answered.
    pub at: Instant,
}

/// A batch that came with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The hash of the key and of who sent it.
    pub key: u128,
    /// The hash of the batch.
    pub body: u128,
    /// When it was answered.
    pub at: Instant,
}

/// An event that was refused but kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Aside {
    /// The id to release it by: the hash of its content.
    pub id: String,
    /// The event as JSON.
    pub event: serde_json::Value,
    /// Why it was refused.
    pub code: String,
    /// The same as a sentence.
    pub message: String,
    /// When it was received.
    pub received_at: Instant,
}

/// What is answered to batches with keys, once it is known what becomes of their events.
pub type Answers<'a> = dyn FnMut(&Committed) -> Result<Vec<(Keyed, String)>> + 'a;

/// Whom to erase.
#[derive(Clone, Copy, Debug, Default)]
pub struct Erasure<'a> {
    /// The ids that were asked for, known or not.
    pub ids: &'a [&'a str],
    /// All their user keys.
    pub users: &'a [u32],
    /// The row keys of the events that count for them, whichever device they came from.
    pub rows: &'a [u32],
    /// Cohorts by name, and their definitions without these users.
    pub cohorts: &'a [(String, String)],
}

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many events.
    pub events: u64,
    /// How many rows of the platform's tables.
    pub records: u64,
    /// How many events that had been kept aside.
    pub held: u64,
}

/// What a change brought that did nothing but add events.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrived {
    /// What the file holds with them.
    pub head: Head,
    /// The names that are new, in the order of their keys.
    pub names: Vec<String>,
    /// The events: user key, time, name key, amount and currency.
    pub rows: Vec<RecordBatch>,
}

impl Arrived {
    /// How many bytes of memory its events take.
    pub fn bytes(&self) -> usize {
        let rows = self.rows.iter().map(RecordBatch::get_array_memory_size);
        rows.sum()
    }
}

impl Happened<'_> {
    /// Columns of user keys, times, name keys, amounts and currencies; nothing where they are others.
    pub fn of(columns: &[ArrayRef]) -> Option<Happened<'_>> {
        let column = |at: usize| columns.get(at);
        Some(Happened {
            user: column(0)?.as_primitive_opt::<UInt32Type>()?,
            ts: column(1)?
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .values(),
            name: column(2)?.as_primitive_opt::<UInt16Type>()?.values(),
            amount: column(3)?.as_primitive_opt::<Decimal128Type>()?,
            currency: column(4)?.as_string_opt::<i32>()?,
        })
    }
}

/// What became of what a change brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Committed {
    /// The data version afterwards; unchanged where nothing was new.
    pub version: u64,
    /// How many were new.
    pub accepted: u64,
    /// How many were there already.
    pub duplicates: u64,
    /// How many rows of the same id and another content were kept out.
    pub conflicts: u64,
    /// How many stored rows gave way.
    pub replaced: u64,
    /// The numbers of the events that were there already, ascending; of the first million.
    pub repeated: Vec<u64>,
    /// The number of an event for each of `conflicts`: the one kept out, or the one for which a stored one was; of the first million.
    pub conflicting: Vec<u64>,
    /// The number of an event for each of `replaced` events: the one that took the place; of the first million.
    pub replacing: Vec<u64>,
    /// The events themselves, where the change did nothing but add them and they are not too many.
    pub arrived: Option<Arc<Arrived>>,
}
