//! Building and updating timelines: rows are dealt to partitions as they stream in, then each partition is sorted on its own.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::Timelines;
use super::identity::Identity;
use super::partition::{Partition, Row, USERS};
use super::save::Writer;
use super::stop::Course;
use crate::error::{Error, ErrorKind, Result};
use crate::warehouse::{Head, Rows, Snapshot, Warehouse};

/// Rows waiting for their partitions.
struct Deal {
    /// The partitions that are dealt to; rows of others are left out.
    of: Range<usize>,
    partitions: Vec<Vec<Row>>,
}

impl Default for Deal {
    fn default() -> Self {
        Self {
            of: 0..usize::MAX,
            partitions: Vec::new(),
        }
    }
}

impl Deal {
    /// A deal with room for as many events as a warehouse of so many users holds.
    fn sized(events: u64, users: u32) -> Self {
        let partitions = users.div_ceil(USERS) as usize;
        let each = events as usize / partitions.max(1);
        let roomy = || Vec::with_capacity(each + each / 16);
        Self {
            partitions: std::iter::repeat_with(roomy).take(partitions).collect(),
            ..Self::default()
        }
    }

    fn take(&mut self, rows: Rows<'_>, identity: &Identity) {
        let resolved: Vec<u32>;
        let users = if identity.is_empty() {
            rows.user
        } else {
            let events = rows.user.iter().zip(rows.ts);
            resolved = events
                .map(|(user, ts)| identity.resolve(*user, *ts))
                .collect();
            &resolved
        };
        let columns = users.iter().zip(rows.ts).zip(rows.name).zip(rows.row);
        for (((user, ts), name), row) in columns {
            let partition = (user / USERS) as usize;
            if !self.of.contains(&partition) {
                continue;
            }
            let partition = partition - self.of.start;
            if partition >= self.partitions.len() {
                self.partitions.resize_with(partition + 1, Vec::new);
            }
            if let Some(dealt) = self.partitions.get_mut(partition) {
                dealt.push(Row {
                    ts: *ts,
                    local: (user % USERS) as u16,
                    name: *name,
                    row: *row,
                });
            }
        }
    }
}

impl Deal {
    /// The partitions dealt, each sorted.
    fn sorted(mut self) -> Result<Vec<Partition>> {
        let first = self.of.start;
        if self.of.end < usize::MAX {
            self.partitions.resize_with(self.of.len(), Vec::new);
        }
        self.partitions
            .into_par_iter()
            .enumerate()
            .map(|(i, rows)| sorted(first + i, &[&rows]))
            .collect()
    }
}

pub(super) fn from_warehouse(
    warehouse: &dyn Warehouse,
    limit: Option<u64>,
    course: Course<'_>,
) -> Result<Timelines> {
    from_snapshot(warehouse, &*warehouse.snapshot()?, limit, course)
}

fn from_snapshot(
    warehouse: &dyn Warehouse,
    snapshot: &dyn Snapshot,
    limit: Option<u64>,
    course: Course<'_>,
) -> Result<Timelines> {
    let head = snapshot.head();
    if let Some(limit) = limit.filter(|limit| need(head.events) > room(*limit)) {
        return beyond_memory(warehouse, snapshot, limit, course);
    }
    let identity = Identity::new(snapshot.identities()?);
    let mut deal = Deal::sized(head.events, head.users);
    let mut dealt = 0;
    snapshot.scan(0, &mut |rows| {
        dealt += rows.row.len() as u64;
        deal.take(rows, &identity);
        course.went(dealt, head.events)
    })?;
    let mut partitions = deal.sorted()?;
    course.stop.check()?;
    put_in_order(snapshot, &mut partitions)?;
    finish(snapshot, identity, partitions, (Vec::new(), None), limit)
}

/// Builds so many partitions at a time as fit the limit, each time from all events, and leaves them in the file beside the
/// warehouse.
fn beyond_memory(
    warehouse: &dyn Warehouse,
    snapshot: &dyn Snapshot,
    limit: u64,
    course: Course<'_>,
) -> Result<Timelines> {
    let head = snapshot.head();
    let identity = Identity::new(snapshot.identities()?);
    let sizes = sizes(snapshot, &identity)?;
    let fits = sizes
        .iter()
        .all(|events| need(*events as u64) <= room(limit));
    if fits && let Some(mut writer) = Writer::begin(warehouse)? {
        let mut built = 0;
        for of in groups(&sizes, room(limit)) {
            let mut deal = Deal {
                partitions: sizes
                    .get(of.clone())
                    .unwrap_or_default()
                    .iter()
                    .map(|events| Vec::with_capacity(*events))
                    .collect(),
                of,
            };
            snapshot.scan(0, &mut |rows| {
                deal.take(rows, &identity);
                course.stop.check()
            })?;
            let mut partitions = deal.sorted()?;
            put_in_order(snapshot, &mut partitions)?;
            partitions.iter().for_each(|p| writer.add(p));
            built += partitions.iter().map(|p| p.events() as u64).sum::<u64>();
            course.went(built, head.events)?;
        }
        let times = unattributed(snapshot, None)?;
        if let Some(built) =
            writer.mapped(warehouse, snapshot, (times.as_slice(), &identity), limit)?
        {
            return Ok(built);
        }
    }
    Err(Error::new(
        ErrorKind::Limit,
        "memory_limit",
        format!(
            "the timelines of {} events need about {} bytes to build; {} are left of the limit of {limit}, and there is no file \
             beside which they could be built",
            head.events,
            need(head.events),
            room(limit)
        ),
    ))
}

/// How many events each partition has. Users who were seen first have the most, so that no partition is like another.
fn sizes(snapshot: &dyn Snapshot, identity: &Identity) -> Result<Vec<usize>> {
    let mut sizes = vec![0; snapshot.head().users.div_ceil(USERS) as usize];
    snapshot.scan(0, &mut |rows| {
        for (user, ts) in rows.user.iter().zip(rows.ts) {
            let partition = (identity.resolve(*user, *ts) / USERS) as usize;
            if let Some(events) = sizes.get_mut(partition) {
                *events += 1;
            }
        }
        Ok(())
    })?;
    Ok(sizes)
}

/// Neighbouring partitions, as many together as fit the limit.
fn groups(sizes: &[usize], limit: u64) -> Vec<Range<usize>> {
    let (mut groups, mut first, mut events) = (Vec::new(), 0, 0);
    for (place, size) in sizes.iter().enumerate() {
        if place > first && need(events + *size as u64) > limit {
            groups.push(first..place);
            (first, events) = (place, 0);
        }
        events += *size as u64;
    }
    groups.push(first..sizes.len());
    groups
}

pub(super) fn update(
    old: &Timelines,
    warehouse: &dyn Warehouse,
    limit: Option<u64>,
    course: Course<'_>,
) -> Result<Timelines> {
    let snapshot = &*warehouse.snapshot()?;
    let head = snapshot.head();
    if head.epoch != old.head.epoch {
        return from_snapshot(warehouse, snapshot, limit, course);
    }
    let identity = Identity::new(snapshot.identities()?);
    let moved = identity.moved_since(&old.identity);
    // Where many are somebody else than before, sorting all anew costs less than looking for their events.
    if moved.len() > MOVED.max(head.users as usize / 16) {
        return from_snapshot(warehouse, snapshot, limit, course);
    }
    let mut deal = Deal::default();
    let mut gone = Gone::default();
    if !moved.is_empty() {
        snapshot.of_users(&moved, old.head.version, &mut |rows| {
            gone.take(rows, &old.identity);
            deal.take(rows, &identity);
            Ok(())
        })?;
    }
    let (mut dealt, fresh) = (0, head.events.saturating_sub(old.head.events));
    snapshot.scan(old.head.version, &mut |rows| {
        dealt += rows.row.len() as u64;
        deal.take(rows, &identity);
        course.went(dealt.min(fresh), fresh)
    })?;
    let mut kept = Vec::new();
    let mut touched = Vec::new();
    let count = deal.partitions.len().max(old.partitions.len());
    let mut added = deal.partitions.into_iter();
    for i in 0..count {
        let rows = added.next().unwrap_or_default();
        match old.partitions.get(i) {
            Some(partition) if rows.is_empty() && !gone.from.contains(&i) => {
                kept.push(Arc::clone(partition));
            }
            partition => touched.push((i, partition, rows)),
        }
    }
    let events = touched.iter().map(|(_, partition, rows)| {
        let before = partition.map_or(0, |p| p.events());
        (before + rows.len()) as u64
    });
    if limit.is_some_and(|limit| need(events.sum()) > room(limit)) {
        return from_snapshot(warehouse, snapshot, limit, course);
    }
    let mut changed = touched
        .into_par_iter()
        .map(|(i, partition, rows)| {
            let mut before = partition.map(|p| p.rows()).unwrap_or_default();
            if gone.from.contains(&i) {
                before.retain(|row| !gone.rows.contains(&row.row));
            }
            sorted(i, &[&before, &rows])
        })
        .collect::<Result<Vec<_>>>()?;
    put_in_order(snapshot, &mut changed)?;
    finish(snapshot, identity, changed, (kept, Some(old)), limit)
}

/// So many users may turn out to be others before all is built anew, however few there are.
const MOVED: usize = 1_000;

/// Rows that count for another user than before.
#[derive(Default)]
struct Gone {
    /// Their keys.
    rows: HashSet<u32>,
    /// The partitions in which they stood.
    from: BTreeSet<usize>,
}

impl Gone {
    fn take(&mut self, rows: Rows<'_>, identity: &Identity) {
        for ((user, ts), row) in rows.user.iter().zip(rows.ts).zip(rows.row) {
            self.rows.insert(*row);
            self.from
                .insert((identity.resolve(*user, *ts) / USERS) as usize);
        }
    }
}

pub(super) fn from_rows(
    names: Vec<String>,
    rows: impl IntoIterator<Item = (u32, i64, u16)>,
) -> Result<Timelines> {
    let mut deal = Deal::default();
    let mut head = Head {
        version: 1,
        ..Head::default()
    };
    for (user, ts, name) in rows {
        if usize::from(name) >= names.len() {
            return Err(Error::field(
                "name",
                "unknown_name",
                format!("there is no name with the key {name}"),
            ));
        }
        let row = Rows {
            user: &[user],
            ts: &[ts],
            name: &[name],
            row: &[head.rows],
        };
        deal.take(row, &Identity::default());
        head.events += 1;
        head.rows += 1;
        head.users = head.users.max(user.saturating_add(1));
        head.first = Some(head.first.map_or(ts, |first| first.min(ts)));
    }
    let partitions = deal
        .partitions
        .iter()
        .enumerate()
        .map(|(i, rows)| sorted(i, &[rows]).map(Arc::new))
        .collect::<Result<_>>()?;
    Ok(Timelines {
        partitions,
        names: Arc::new(names),
        identity: Arc::default(),
        release: false,
        spare: true,
        unattributed: Arc::default(),
        head,
    })
}

fn sorted(index: usize, rows: &[&[Row]]) -> Result<Partition> {
    let total: usize = rows.iter().map(|r| r.len()).sum();
    if u32::try_from(total).is_err() {
        return Err(Error::new(
            ErrorKind::Limit,
            "too_many_events",
            format!(
                "{total} events belong to {USERS} neighbouring users; 4,294,967,295 are the most"
            ),
        ));
    }
    Ok(Partition::new(index as u32 * USERS, rows))
}

/// Brings events of one user and time into their exact order, which only the warehouse knows.
fn put_in_order(snapshot: &dyn Snapshot, partitions: &mut [Partition]) -> Result<()> {
    let tied: Vec<u32> = partitions
        .par_iter()
        .flat_map_iter(Partition::tied)
        .collect();
    if !tied.is_empty() {
        let rank: HashMap<u32, u32> = snapshot.ordered(&tied)?.into_iter().zip(0..).collect();
        partitions
            .par_iter_mut()
            .for_each(|partition| partition.reorder(&rank));
    }
    Ok(())
}

/// Joins new partitions and those that stay.
fn finish(
    snapshot: &dyn Snapshot,
    identity: Identity,
    changed: Vec<Partition>,
    (kept, old): (Vec<Arc<Partition>>, Option<&Timelines>),
    limit: Option<u64>,
) -> Result<Timelines> {
    let mut partitions: Vec<Arc<Partition>> =
        changed.into_iter().map(Arc::new).chain(kept).collect();
    partitions.sort_unstable_by_key(|p| p.base());
    let bytes = partitions.iter().map(|p| p.bytes()).sum();
    Ok(Timelines {
        spare: Timelines::spares(bytes, limit),
        partitions,
        names: Arc::new(snapshot.names()?),
        unattributed: unattributed(snapshot, old)?,
        identity: Arc::new(identity),
        release: false,
        head: snapshot.head(),
    })
}

/// The times of the events without a user: those known before, and those added since.
fn unattributed(snapshot: &dyn Snapshot, old: Option<&Timelines>) -> Result<Arc<Vec<i64>>> {
    let known = old
        .map(|old| Arc::clone(&old.unattributed))
        .unwrap_or_default();
    if known.len() as u64 == snapshot.head().unattributed {
        return Ok(known);
    }
    let mut times = snapshot.unattributed(old.map_or(0, |old| old.head.version))?;
    times.extend_from_slice(&known);
    times.sort_unstable();
    Ok(Arc::new(times))
}

/// What timelines may take of a limit while they are built; the rest is for what the engine holds meanwhile.
fn room(limit: u64) -> u64 {
    limit - limit / 4
}

/// The bytes that building the timelines of so many events needs: fourteen an event stay, sixteen more are on their way.
fn need(events: u64) -> u64 {
    events.saturating_mul(30)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use crate::{Analytics, Principal};

    #[test]
    fn partitions_are_built_together_as_far_as_they_fit() {
        let groups = |limit: u64| super::groups(&[5, 3, 2, 9, 1, 0, 1], limit * 30);
        assert_eq!(groups(9), [0..2, 2..3, 3..4, 4..7]);
        assert_eq!(groups(100), std::iter::once(0..7).collect::<Vec<_>>());
        assert_eq!(groups(1), [0..1, 1..2, 2..3, 3..4, 4..6, 6..7]);
    }

    #[test]
    fn who_turns_out_to_be_another_moves_and_nobody_else() {
        let store = Analytics::in_memory().unwrap();
        let owner = Principal::owner();
        let event = |user: Option<String>, device: Option<&str>, second: u32| {
            json!({
                "name": "a", "userId": user, "anonymousId": device, "ts": format!("2026-01-01T00:00:{second:02}Z"),
            })
        };
        // Two partitions of users, the device among the first.
        let others = (0..33_000).map(|n| event(Some(format!("u{n}")), None, 3));
        let events: Vec<Value> = [event(None, Some("d"), 1)]
            .into_iter()
            .chain(others)
            .collect();
        store.ingest(&owner, &Value::Array(events)).unwrap();
        let before = store.timelines().unwrap();
        store
            .ingest(&owner, &json!([event(Some("u0".to_owned()), Some("d"), 2)]))
            .unwrap();
        let after = store.timelines().unwrap();
        let stayed = before.partitions.iter().zip(&after.partitions);
        let stayed: Vec<bool> = stayed.map(|(a, b)| Arc::ptr_eq(a, b)).collect();
        assert_eq!(stayed, [false, true]);
        let mine: Vec<usize> = (0..2).map(|user| after.user(user).ts.len()).collect();
        assert_eq!(mine, [0, 3]);
    }
}
