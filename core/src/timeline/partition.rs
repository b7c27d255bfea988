//! The timelines of 32,768 neighbouring user keys.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: local users are below USERS and offsets end at the columns' length"
)]

use std::collections::HashMap;
use std::sync::Arc;

use super::Timeline;
use super::days::{Days, Zones};
use super::part::Part;
use crate::query::Zone;

/// Users in one partition; a local user fits 16 bits.
pub(super) const USERS: u32 = 1 << 15;

/// A row on its way into a partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) ts: i64,
    /// The user's place within the partition.
    pub(super) local: u16,
    pub(super) name: u16,
    /// The row's key.
    pub(super) row: u32,
}

/// INVARIANT: `offsets` has `USERS + 1` ascending entries that end at the length of `ts`, `name` and `row`; user `base + u` owns
/// the rows `offsets[u]..offsets[u + 1]`, whose times ascend.
#[derive(Debug)]
pub(super) struct Partition {
    base: u32,
    offsets: Part<u32>,
    ts: Part<i64>,
    name: Part<u16>,
    row: Part<u32>,
    /// What was read from the times.
    days: Zones,
}

impl Partition {
    /// Sorts rows by user and time; rows of one user and time keep their order. There are fewer than 2^32 of them.
    pub(super) fn new(base: u32, rows: &[&[Row]]) -> Self {
        let users = USERS as usize;
        let mut offsets = vec![0_u32; users + 1];
        for row in rows.iter().copied().flatten() {
            offsets[row.local as usize + 1] += 1;
        }
        for u in 0..users {
            offsets[u + 1] += offsets[u];
        }
        let total = offsets[users] as usize;
        let mut next = offsets.clone();
        let (mut ts, mut name) = (vec![0_i64; total], vec![0_u16; total]);
        let mut keys = vec![0_u32; total];
        for row in rows.iter().copied().flatten() {
            let place = &mut next[row.local as usize];
            ts[*place as usize] = row.ts;
            name[*place as usize] = row.name;
            keys[*place as usize] = row.row;
            *place += 1;
        }
        let mut unsorted: Vec<(i64, u16, u32)> = Vec::new();
        for u in 0..users {
            let mine = offsets[u] as usize..offsets[u + 1] as usize;
            if ts[mine.clone()].is_sorted() {
                continue;
            }
            unsorted.clear();
            unsorted.extend(mine.clone().map(|i| (ts[i], name[i], keys[i])));
            unsorted.sort_by_key(|row| row.0);
            for (i, row) in mine.zip(&unsorted) {
                (ts[i], name[i], keys[i]) = *row;
            }
        }
        Self {
            base,
            offsets: offsets.into(),
            ts: ts.into(),
            name: name.into(),
            row: keys.into(),
            days: Zones::default(),
        }
    }

    /// The partition whose parts are these; nothing where they do not fit together.
    pub(super) fn of_parts(
        base: u32,
        offsets: Part<u32>,
        ts: Part<i64>,
        name: Part<u16>,
        row: Part<u32>,
    ) -> Option<Self> {
        let total = *offsets.last()? as usize;
        let fits = offsets.len() == USERS as usize + 1
            && [ts.len(), name.len(), row.len()] == [total; 3]
            && offsets.is_sorted();
        fits.then_some(Self {
            base,
            offsets,
            ts,
            name,
            row,
            days: Zones::default(),
        })
    }

    /// The local days of its users in a zone, from the second time on that they are asked for.
    pub(super) fn days(&self, zone: &Zone) -> Option<Arc<Days>> {
        self.days.days(self, zone)
    }

    /// The parts as bytes: offsets, times, names, rows.
    pub(super) fn parts(&self) -> [&[u8]; 4] {
        [
            self.offsets.bytes(),
            self.ts.bytes(),
            self.name.bytes(),
            self.row.bytes(),
        ]
    }

    /// Gives memory back where its values can be read again.
    pub(super) fn release(&self) {
        self.offsets.release();
        self.ts.release();
        self.name.release();
        self.row.release();
    }

    /// All rows, in order.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::with_capacity(self.ts.len());
        self.for_each(|t| {
            let local = (t.user - self.base) as u16;
            rows.extend((0..t.ts.len()).map(|i| Row {
                ts: t.ts[i],
                local,
                name: t.name[i],
                row: t.row[i],
            }));
        });
        rows
    }

    /// The places of neighbouring events of one user at one time, run by run.
    fn ties(&self) -> Vec<std::ops::Range<usize>> {
        let mut ties: Vec<std::ops::Range<usize>> = Vec::new();
        let mut start = self.offsets[0] as usize;
        for end in &self.offsets[1..] {
            let end = *end as usize;
            for i in start + 1..end {
                if self.ts[i] == self.ts[i - 1] {
                    match ties.last_mut() {
                        Some(run) if run.end == i => run.end = i + 1,
                        _ => ties.push(i - 1..i + 1),
                    }
                }
            }
            start = end;
        }
        ties
    }

    /// The rows of events of one user at one time.
    pub(super) fn tied(&self) -> Vec<u32> {
        let runs = self.ties().into_iter();
        runs.flat_map(|run| self.row[run].iter().copied()).collect()
    }

    /// Brings the events of one user at one time into the order of the ranks of their rows.
    pub(super) fn reorder(&mut self, rank: &HashMap<u32, u32>) {
        for run in self.ties() {
            let mut events: Vec<(u16, u32)> =
                run.clone().map(|i| (self.name[i], self.row[i])).collect();
            events.sort_by_key(|event| rank.get(&event.1));
            // Only what has just been built is brought into order.
            let (Some(name), Some(row)) = (self.name.held(), self.row.held()) else {
                return;
            };
            for (i, event) in run.zip(events) {
                (name[i], row[i]) = event;
            }
        }
    }

    pub(super) fn base(&self) -> u32 {
        self.base
    }

    pub(super) fn events(&self) -> usize {
        self.ts.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.ts.len() * 14 + self.offsets.len() * 4) as u64 + self.days.bytes()
    }

    /// One user's events.
    pub(super) fn user(&self, user: u32) -> Timeline<'_> {
        let local = (user - self.base) as usize;
        let mine = self.offsets[local] as usize..self.offsets[local + 1] as usize;
        Timeline {
            user,
            ts: &self.ts[mine.clone()],
            name: &self.name[mine.clone()],
            row: &self.row[mine],
        }
    }

    /// Every user that has events, in order.
    #[inline]
    pub(super) fn for_each<'a>(&'a self, mut visit: impl FnMut(Timeline<'a>)) {
        let mut start = self.offsets[0] as usize;
        let (ts, name, row): (&[i64], &[u16], &[u32]) = (&self.ts, &self.name, &self.row);
        for (local, end) in self.offsets[1..].iter().enumerate() {
            let end = *end as usize;
            if end > start {
                visit(Timeline {
                    user: self.base + local as u32,
                    ts: &ts[start..end],
                    name: &name[start..end],
                    row: &row[start..end],
                });
            }
            start = end;
        }
    }
}
