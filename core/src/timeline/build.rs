//! Building and updating timelines: rows are dealt to partitions as they stream in, then each partition is sorted on its own.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::Timelines;
use super::identity::Identity;
use super::partition::{Partition, Row, USERS};
use crate::error::{Error, ErrorKind, Result};
use crate::warehouse::{Head, Rows, Warehouse};

/// Rows waiting for their partitions.
#[derive(Default)]
struct Deal {
    partitions: Vec<Vec<Row>>,
}

impl Deal {
    /// A deal with room for as many events as a warehouse of so many users holds.
    fn sized(events: u64, users: u32) -> Self {
        let partitions = users.div_ceil(USERS) as usize;
        let each = events as usize / partitions.max(1);
        let roomy = || Vec::with_capacity(each + each / 16);
        Self {
            partitions: std::iter::repeat_with(roomy).take(partitions).collect(),
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

pub(super) fn from_warehouse(warehouse: &dyn Warehouse, limit: Option<u64>) -> Result<Timelines> {
    let expected = warehouse.head()?;
    check_memory(expected.events, limit)?;
    let identity = Identity::new(warehouse.identities()?);
    let mut deal = Deal::sized(expected.events, expected.users);
    let head = warehouse.scan(0, &mut |rows| {
        deal.take(rows, &identity);
        Ok(())
    })?;
    let partitions = deal
        .partitions
        .into_par_iter()
        .enumerate()
        .map(|(i, rows)| sorted(i, &[&rows]))
        .collect::<Result<Vec<_>>>()?;
    finish(warehouse, identity, head, partitions, Vec::new(), None)
}

pub(super) fn update(
    old: &Timelines,
    warehouse: &dyn Warehouse,
    limit: Option<u64>,
) -> Result<Timelines> {
    let expected = warehouse.head()?;
    if expected.epoch != old.head.epoch {
        return from_warehouse(warehouse, limit);
    }
    check_memory(expected.events, limit)?;
    let identity = Identity::new(warehouse.identities()?);
    // Who is who may move any event, however old.
    if identity != *old.identity {
        return from_warehouse(warehouse, limit);
    }
    let mut deal = Deal::default();
    let head = warehouse.scan(old.head.version, &mut |rows| {
        deal.take(rows, &identity);
        Ok(())
    })?;
    // Between the two looks stored events may have been replaced.
    if head.epoch != old.head.epoch {
        return from_warehouse(warehouse, limit);
    }
    let mut kept = Vec::new();
    let mut touched = Vec::new();
    let count = deal.partitions.len().max(old.partitions.len());
    let mut added = deal.partitions.into_iter();
    for i in 0..count {
        let rows = added.next().unwrap_or_default();
        match old.partitions.get(i) {
            Some(partition) if rows.is_empty() => kept.push(Arc::clone(partition)),
            partition => touched.push((i, partition, rows)),
        }
    }
    let changed = touched
        .into_par_iter()
        .map(|(i, partition, rows)| {
            let before = partition.map(|p| p.rows()).unwrap_or_default();
            sorted(i, &[&before, &rows])
        })
        .collect::<Result<Vec<_>>>()?;
    finish(warehouse, identity, head, changed, kept, Some(old))
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

/// Brings events of one user and time into their exact order, which only the warehouse knows, and joins the partitions.
fn finish(
    warehouse: &dyn Warehouse,
    identity: Identity,
    head: Head,
    mut changed: Vec<Partition>,
    kept: Vec<Arc<Partition>>,
    old: Option<&Timelines>,
) -> Result<Timelines> {
    let tied: Vec<u32> = changed.par_iter().flat_map_iter(Partition::tied).collect();
    if !tied.is_empty() {
        let rank: HashMap<u32, u32> = warehouse.ordered(&tied)?.into_iter().zip(0..).collect();
        changed
            .par_iter_mut()
            .for_each(|partition| partition.reorder(&rank));
    }
    let mut partitions: Vec<Arc<Partition>> =
        changed.into_iter().map(Arc::new).chain(kept).collect();
    partitions.sort_unstable_by_key(|p| p.base());
    Ok(Timelines {
        partitions,
        names: Arc::new(warehouse.names()?),
        unattributed: unattributed(warehouse, &head, old)?,
        identity: Arc::new(identity),
        head,
    })
}

/// The times of the events without a user: those known before, and those added since.
fn unattributed(
    warehouse: &dyn Warehouse,
    head: &Head,
    old: Option<&Timelines>,
) -> Result<Arc<Vec<i64>>> {
    let known = old
        .map(|old| Arc::clone(&old.unattributed))
        .unwrap_or_default();
    if known.len() as u64 == head.unattributed {
        return Ok(known);
    }
    let after = old.map_or(0, |old| old.head.version);
    let mut times = warehouse.unattributed(after, head.version)?;
    times.extend_from_slice(&known);
    times.sort_unstable();
    Ok(Arc::new(times))
}

/// Fourteen bytes an event stay; sixteen more are needed while building.
fn check_memory(events: u64, limit: Option<u64>) -> Result<()> {
    let need = events.saturating_mul(30);
    match limit {
        Some(limit) if need > limit => Err(Error::new(
            ErrorKind::Limit,
            "memory_limit",
            format!(
                "the timelines of {events} events need about {need} bytes to build; the limit is {limit}"
            ),
        )),
        _ => Ok(()),
    }
}
