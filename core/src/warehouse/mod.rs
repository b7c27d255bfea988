//! Where events live. The trait says what the words need; `duckdb.rs` is the engine inside this process.

use crate::error::Result;

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
}

/// Receives rows, batch by batch.
pub type Sink<'a> = dyn FnMut(Rows<'_>) -> Result<()> + 'a;

/// The store of events, as the words need it.
pub trait Warehouse: Send + Sync + std::fmt::Debug {
    /// What it holds now; cheap.
    fn head(&self) -> Result<Head>;

    /// Hands over all events that have a user and were added after data version `after`, in any order,
    /// and the head they belong to (one snapshot).
    fn scan(&self, after: u64, sink: &mut Sink<'_>) -> Result<Head>;

    /// Hands over the events at exactly these (user key, time) pairs, each pair's events together
    /// and in the order (client_seq, event_id, content hash), pairs ascending (G2).
    fn ordered(&self, pairs: &[(u32, i64)], sink: &mut Sink<'_>) -> Result<()>;

    /// All event names by key: `names[key]`.
    fn names(&self) -> Result<Vec<String>>;

    /// The keys of the users on a premium plan as of the instant `before` (its microseconds), ascending.
    fn premium(&self, before: i64) -> Result<Vec<u32>>;
}
