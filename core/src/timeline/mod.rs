//! Timelines: the events of each user in time order, in compact columns, derived from the warehouse and rebuilt at will.

mod build;
mod codes;
pub(crate) mod column;
mod days;
mod identity;
mod meaning;
mod members;
mod membership;
mod part;
mod partition;
mod save;
mod sparse;
mod stop;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::error::Result;
use crate::query::{Instant, Selector, Zone, answer::Versions};
use crate::warehouse::{Head, Warehouse};

pub use column::Columns;
pub(crate) use column::Needs;
pub(crate) use days::{Day, Days};
pub(crate) use meaning::{Judge, Meaning, Rows as RowSet};
pub use members::Members;
pub use membership::Membership;
use partition::Partition;
pub use save::Ahead;
pub use stop::{Course, Halt, Progress, Stop};

/// All users' events, ordered by (time, client_seq, event_id or content hash) within each user (G2).
///
/// Fourteen bytes an event: a time, an event name and a row key. Users stand in partitions of 32,768, built, updated and read in parallel.
#[derive(Clone, Debug)]
pub struct Timelines {
    partitions: Vec<Arc<Partition>>,
    names: Arc<Vec<String>>,
    /// The times of the events without a user, ascending.
    unattributed: Arc<Vec<i64>>,
    identity: Arc<identity::Identity>,
    /// Whether they are larger than memory may be, so that what was read is given back at once.
    release: bool,
    /// Whether there is memory for what is read from them besides.
    spare: bool,
    head: Head,
}

/// The timelines as one question sees them.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The events.
    pub timelines: &'a Timelines,
    /// Later events are invisible.
    pub as_of: Instant,
    /// Keys of the users on a premium plan as of the question's `to`, ascending; only segments need them.
    pub premium: &'a [u32],
    /// By user key, whether the sample has the user; nothing where everyone counts.
    pub sampled: Option<&'a [bool]>,
    /// The properties and amounts that the question needs.
    pub columns: &'a Columns,
    /// Tells when to give up.
    pub stop: Stop<'a>,
    /// Is told how far the pass at hand is.
    pub progress: Progress<'a>,
}

impl<'a> View<'a> {
    /// A view without premium users and columns, which never gives up.
    pub fn new(timelines: &'a Timelines, as_of: Instant) -> Self {
        Self {
            timelines,
            as_of,
            premium: &[],
            sampled: None,
            columns: &column::NONE,
            stop: Stop::default(),
            progress: Progress::default(),
        }
    }

    /// The versions of what an answer over this view is computed from.
    pub(crate) fn versions(&self) -> Versions {
        self.timelines.head.versions(self.timelines.identity.hash)
    }

    fn sees(&self, user: u32) -> bool {
        let sampled = self.sampled;
        sampled.is_none_or(|sampled| sampled.get(user as usize).is_some_and(|seen| *seen))
    }

    /// One pass over all users that have events visible to this view, in parallel; `merge` must not depend on order.
    ///
    /// A kernel that looks at `stop` itself, in the middle of a user, may return with anything once it says so: nobody sees it.
    ///
    /// # Errors
    /// `cancelled` or `timed_out` where the view was told to stop.
    pub(crate) fn fold<A: Send>(
        &self,
        empty: impl Fn() -> A + Sync + Send,
        user: impl Fn(&mut A, Timeline<'a>) + Sync + Send,
        merge: impl Fn(A, A) -> A + Sync + Send,
    ) -> Result<A> {
        self.pass(
            empty,
            |seen, partition, pace| self.each(seen, partition, pace, &user),
            merge,
        )
    }

    /// The same where local days of a zone tell all that is needed of a user: a partition whose days are known, and all of whose
    /// users and events are visible, is given to `days` as a whole, the users of any other to `user`.
    ///
    /// # Errors
    /// As `fold`.
    pub(crate) fn fold_days<A: Send>(
        &self,
        zone: &Zone,
        empty: impl Fn() -> A + Sync + Send,
        days: impl Fn(&mut A, &Days) + Sync + Send,
        user: impl Fn(&mut A, Timeline<'a>) + Sync + Send,
        merge: impl Fn(A, A) -> A + Sync + Send,
    ) -> Result<A> {
        let as_of = self.as_of.micros();
        self.pass(
            empty,
            |seen, partition, pace| {
                let whole = self.timelines.spare && self.sampled.is_none();
                let known = whole.then(|| partition.days(zone)).flatten();
                match known.filter(|known| known.end_by(as_of)) {
                    Some(known) => {
                        days(seen, &known);
                        pace.go_on(partition.events());
                    }
                    None => self.each(seen, partition, pace, &user),
                }
            },
            merge,
        )
    }

    /// Visits all partitions in parallel.
    fn pass<A: Send>(
        &self,
        empty: impl Fn() -> A + Sync + Send,
        visit: impl Fn(&mut A, &'a Partition, &Pace<'a>) + Sync + Send,
        merge: impl Fn(A, A) -> A + Sync + Send,
    ) -> Result<A> {
        let pace = Pace {
            stop: self.stop,
            progress: self.progress,
            done: AtomicU64::new(0),
            all: self.timelines.events(),
        };
        let empty = &empty;
        self.timelines
            .partitions
            .par_iter()
            .try_fold(empty, |mut seen, partition| {
                self.stop.check()?;
                visit(&mut seen, partition, &pace);
                self.stop.check()?;
                if self.timelines.release {
                    partition.release();
                }
                Ok(seen)
            })
            .try_reduce(empty, |a, b| Ok(merge(a, b)))
    }

    /// Visits the users of a partition that have visible events, until it is told to stop.
    #[inline]
    fn each<A>(
        &self,
        seen: &mut A,
        partition: &'a Partition,
        pace: &Pace<'a>,
        user: &impl Fn(&mut A, Timeline<'a>),
    ) {
        let as_of = self.as_of.micros();
        let (mut events, mut stopped) = (0, false);
        partition.for_each(|timeline| {
            events += timeline.ts.len();
            if events >= PATIENCE {
                stopped |= pace.go_on(events);
                events = 0;
            }
            let timeline = timeline.until(as_of);
            if !timeline.ts.is_empty() && !stopped && self.sees(timeline.user) {
                user(seen, timeline);
            }
        });
        pace.go_on(events);
    }
}

/// After so many events a pass looks whether it is to go on, and tells how far it is.
const PATIENCE: usize = 1 << 16;

/// How far a pass is.
struct Pace<'a> {
    stop: Stop<'a>,
    progress: Progress<'a>,
    done: AtomicU64,
    all: u64,
}

impl Pace<'_> {
    /// So many events more are seen; tells whether it is time to stop.
    fn go_on(&self, events: usize) -> bool {
        let events = events as u64;
        let done = events + self.done.fetch_add(events, Ordering::Relaxed);
        if events > 0 {
            self.progress.tell(done as f64 / self.all as f64);
        }
        self.stop.check().is_err()
    }
}

/// The events of one user in order: `ts[i]` (µs), `name[i]` and `row[i]` are the i-th event.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'a> {
    /// The user's key.
    pub user: u32,
    /// Times in microseconds, ascending.
    pub ts: &'a [i64],
    /// Keys of event names.
    pub name: &'a [u16],
    /// Row keys, by which properties are found.
    pub row: &'a [u32],
}

impl<'a> Timeline<'a> {
    /// The events of `[from, to)`.
    pub(crate) fn between(self, from: i64, to: i64) -> Self {
        let start = self.ts.partition_point(|t| *t < from);
        let end = self.ts.partition_point(|t| *t < to).max(start);
        Self {
            ts: self.ts.get(start..end).unwrap_or_default(),
            name: self.name.get(start..end).unwrap_or_default(),
            row: self.row.get(start..end).unwrap_or_default(),
            ..self
        }
    }

    /// The events at or before an instant.
    #[inline]
    pub(crate) fn until(self, as_of: i64) -> Self {
        match self.ts.last() {
            Some(last) if *last > as_of => {
                let n = self.ts.partition_point(|t| *t <= as_of);
                Self {
                    ts: self.ts.get(..n).unwrap_or_default(),
                    name: self.name.get(..n).unwrap_or_default(),
                    row: self.row.get(..n).unwrap_or_default(),
                    ..self
                }
            }
            _ => self,
        }
    }
}

impl Timelines {
    /// Builds all timelines from a warehouse.
    ///
    /// # Errors
    /// `memory_limit` where they would need more than `limit` bytes and there is no file beside which they could be built
    /// piece by piece; whatever the warehouse raises.
    pub fn build(
        warehouse: &dyn Warehouse,
        limit: Option<u64>,
        course: Course<'_>,
    ) -> Result<Self> {
        build::from_warehouse(warehouse, limit, course)
    }

    /// These timelines and the events added to the warehouse since; a full build where stored events were replaced or removed.
    ///
    /// # Errors
    /// As `build`.
    pub fn updated(
        &self,
        warehouse: &dyn Warehouse,
        limit: Option<u64>,
        course: Course<'_>,
    ) -> Result<Self> {
        build::update(self, warehouse, limit, course)
    }

    /// Timelines saved beside a warehouse, where they can be trusted; they may lack what was stored since.
    ///
    /// # Errors
    /// Whatever the warehouse raises.
    pub fn saved(warehouse: &dyn Warehouse, limit: Option<u64>) -> Result<Option<Self>> {
        save::load(warehouse, limit, None)
    }

    /// Begins to look through what is saved beside a store that is still to be opened; nothing where nothing is.
    pub fn ahead(store: &Path) -> Option<Ahead> {
        Ahead::begin(store)
    }

    /// The same as `saved`, where it was looked at ahead.
    ///
    /// # Errors
    /// Whatever the warehouse raises.
    pub fn saved_ahead(
        warehouse: &dyn Warehouse,
        limit: Option<u64>,
        ahead: Option<Ahead>,
    ) -> Result<Option<Self>> {
        save::load(warehouse, limit, ahead)
    }

    /// Saves them beside the warehouse; `false` where that could not be done, which costs no more than building them again.
    ///
    /// # Errors
    /// Whatever the warehouse raises.
    pub fn save(&self, warehouse: &dyn Warehouse) -> Result<bool> {
        save::save(self, warehouse)
    }

    /// Takes the file of saved timelines away, so that nothing of it can be read any more.
    ///
    /// # Errors
    /// `not_erased` where the file system refuses; whatever the warehouse raises.
    pub(crate) fn forget(warehouse: &dyn Warehouse) -> Result<()> {
        save::forget(warehouse)
    }

    /// All keys that are the user of this key, ascending, and the row keys of all events that count for them.
    pub(crate) fn person(&self, user: u32) -> (Vec<u32>, &[u32]) {
        let user = self.identity.canonical(user);
        (self.identity.keys_of(user), self.user(user).row)
    }

    /// The keys of all users that one of these, which ascend, stands for, each with that one.
    pub(crate) fn merged_into(&self, users: &[u32]) -> Vec<(u32, u32)> {
        self.identity.merged_into(users)
    }

    /// Timelines of rows (user key, time in µs, key into `names`) without a warehouse; rows of one user and time keep their order.
    ///
    /// # Errors
    /// `unknown_name` for a key that `names` does not have.
    pub fn from_rows(
        names: Vec<String>,
        rows: impl IntoIterator<Item = (u32, i64, u16)>,
    ) -> Result<Self> {
        build::from_rows(names, rows)
    }

    /// Who is who.
    pub(crate) fn identity(&self) -> &identity::Identity {
        &self.identity
    }

    /// The state of the warehouse they were built from.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How many events of users they hold.
    pub fn events(&self) -> u64 {
        self.partitions.iter().map(|p| p.events() as u64).sum()
    }

    /// Stored events without a user at or before an instant, which no timeline holds (I4).
    pub fn unattributed(&self, as_of: Instant) -> u64 {
        self.unattributed
            .partition_point(|ts| *ts <= as_of.micros()) as u64
    }

    /// The time of the earliest stored event, in microseconds.
    pub fn first(&self) -> Option<i64> {
        self.head.first
    }

    /// The memory they take, in bytes, with what was read from them.
    pub fn bytes(&self) -> u64 {
        let times = 8 * self.unattributed.len() as u64;
        self.partitions.iter().map(|p| p.bytes()).sum::<u64>() + times
    }

    /// Whether there is memory for what is read from them besides.
    pub(crate) fn has_room(&self) -> bool {
        self.spare
    }

    /// Whether beside so many bytes of timelines there is memory for what is read from them.
    fn spares(bytes: u64, limit: Option<u64>) -> bool {
        limit.is_none_or(|limit| bytes.saturating_add(bytes / 4) <= limit)
    }

    /// One user's events; none for a key without events.
    pub fn user(&self, user: u32) -> Timeline<'_> {
        self.partitions
            .get((user / partition::USERS) as usize)
            .map_or(
                Timeline {
                    user,
                    ts: &[],
                    name: &[],
                    row: &[],
                },
                |p| p.user(user),
            )
    }

    /// For each name key, whether the selector means it; `None` where it means every event.
    pub(crate) fn matching(&self, selector: &Selector) -> Option<Vec<bool>> {
        match selector {
            Selector::Any => None,
            other => Some(self.names.iter().map(|n| other.matches(n)).collect()),
        }
    }

    /// The event names by key.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// One pass over all users that have events, in parallel by partition; `merge` must not depend on order.
    pub(crate) fn fold<A: Send>(
        &self,
        empty: impl Fn() -> A + Sync + Send,
        user: impl Fn(&mut A, Timeline<'_>) + Sync + Send,
        merge: impl Fn(A, A) -> A + Sync + Send,
    ) -> A {
        self.partitions
            .par_iter()
            .fold(&empty, |mut seen, partition| {
                partition.for_each(|timeline| user(&mut seen, timeline));
                seen
            })
            .reduce(&empty, merge)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_pass_tells_how_far_it_is_within_a_partition() {
        let rows = (0..300_000_u32).map(|i| (i / 1_000, i64::from(i), 0));
        let timelines = Timelines::from_rows(vec!["a".to_owned()], rows).unwrap();
        let told = Mutex::new(Vec::new());
        let hear = |share| told.lock().unwrap().push(share);
        let view = View {
            progress: Progress::to(&hear),
            ..View::new(&timelines, Instant::MAX)
        };
        let users = view.fold(|| 0, |users, _| *users += 1, |a, b| a + b);
        assert_eq!(users.unwrap(), 300);
        let told = told.into_inner().unwrap();
        assert!(told.len() > 3 && told.is_sorted(), "{told:?}");
        assert_eq!(told.last(), Some(&1.0));
    }
}
