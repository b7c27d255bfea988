//! Sequences of the nodes of whole units, where names alone decide what a node is and nothing else is asked for: as they come,
//! without a list of each unit's nodes.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, packed sequences at most the mask"
)]

use std::hint::select_unpredictable;

use rayon::prelude::*;

use super::cells::{Cell, Table};
use super::options::Part;
use super::plan::{NONE, Plan};
use crate::error::Result;
use crate::timeline::{Timeline, View};

/// The most bits of a packed sequence, and hence the most nodes of one.
const BITS: u32 = 16;

/// Such a question made ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'p> {
    plan: &'p Plan<'p>,
    nodes: &'p [u16],
    length: usize,
    /// Bits of a node within a packed sequence.
    bits: u32,
    mask: usize,
    /// A longer pause ends a unit.
    timeout: i64,
    /// Whether every event is a node of its own.
    every: bool,
}

/// What the first pass counts.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) paths: Cell,
    pub(super) events: u64,
    pub(super) all_sequences: Cell,
    /// What each user began with, in lists; empty where memory is short.
    pub(super) begun: Vec<Vec<Begun>>,
    /// By packed sequence.
    cells: Vec<Slot>,
    /// Room for sequences that are not in the cells yet, and how many there are: they are found first and counted then, so that
    /// neither waits for the other.
    found: Vec<Found>,
    waiting: usize,
}

/// The first sequences of a user who has any, packed; they tell of almost every user whether one is not shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    user: u32,
    sequences: [u16; 4],
    /// Whether there are more.
    more: bool,
}

/// A cell in half a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    micros: i128,
    times: u64,
    users: u32,
    /// One more than the key of the user counted last.
    last: u32,
}

/// A packed sequence, whose it is, and how long it took.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    sequence: u32,
    user: u32,
    micros: i64,
}

/// So many sequences wait before they are counted.
const ROOM: usize = 1 << 13;

impl<'p> Plain<'p> {
    /// The plan as a plain one, where it is.
    pub(super) fn of(plan: &'p Plan<'p>) -> Option<Self> {
        let length = plan.question.length;
        let bits = plan.width().next_power_of_two().trailing_zeros();
        let packed = bits.checked_mul(u32::try_from(length).ok()?)?;
        let plain = plan.wants_only(Part::Sequences)
            && plan.anchor.is_none()
            && plan.around.is_none()
            && !(plan.collapse && plan.at_last)
            && length > 0
            && packed <= BITS;
        let nodes = plan.nodes_of_names().filter(|_| plain)?;
        Some(Self {
            every: !plan.collapse && !nodes.contains(&NONE),
            nodes,
            plan,
            length,
            bits,
            mask: (1 << packed) - 1,
            timeout: plan.timeout.unwrap_or(i64::MAX),
        })
    }

    /// Visits each event of a user in the range: whether a unit, a node and a sequence are new with it, the sequence,
    /// and the time it took; until the visitor has seen enough.
    #[inline(always)]
    fn walk(&self, timeline: &Timeline<'_>, visit: impl FnMut(Event) -> bool) {
        if self.every {
            self.walk_as::<true>(timeline, visit);
        } else {
            self.walk_as::<false>(timeline, visit);
        }
    }

    /// The same, where every event is a node of its own or not.
    ///
    /// What an event is cannot be foreseen, so that nothing is branched on.
    #[inline(always)]
    fn walk_as<const EVERY: bool>(
        &self,
        timeline: &Timeline<'_>,
        mut visit: impl FnMut(Event) -> bool,
    ) {
        let rows = timeline.ts.len().min(timeline.name.len());
        let mut row = 0;
        while row < rows && timeline.ts[row] < self.plan.from {
            row += 1;
        }
        let (mut before, mut last) = (i64::MAX, NONE);
        // The nodes of the unit so far, packed, and when the last ones were.
        let (mut held, mut sequence) = (0_usize, 0_usize);
        let mut times = [0_i64; BITS as usize];
        while row < rows {
            let ts = timeline.ts[row];
            if ts >= self.plan.to {
                return;
            }
            let node = self.nodes[usize::from(timeline.name[row])];
            let apart = ts.saturating_sub(before) > self.timeout;
            held = select_unpredictable(apart, 0, held);
            last = select_unpredictable(apart, NONE, last);
            let is_node = EVERY | (node != NONE);
            let new = EVERY | (is_node & !(self.plan.collapse & (node == last)));
            let longer = (sequence << self.bits | usize::from(node)) & self.mask;
            sequence = select_unpredictable(new, longer, sequence);
            last = select_unpredictable(is_node, node, last);
            if !EVERY {
                let at = held & (BITS as usize - 1);
                times[at] = select_unpredictable(new, ts, times[at]);
            }
            held = held.wrapping_add(usize::from(new));
            let complete = new & (held >= self.length);
            let began = if EVERY {
                let first = row.wrapping_sub(self.length - 1);
                timeline.ts[select_unpredictable(complete, first, row)]
            } else {
                times[held.wrapping_sub(self.length) & (BITS as usize - 1)]
            };
            let event = Event {
                is_node,
                begins: new & (held == 1),
                complete,
                sequence,
                micros: ts.wrapping_sub(began),
            };
            if visit(event) {
                return;
            }
            before = ts;
            row += 1;
        }
    }

    /// Counts all sequences.
    pub(super) fn count(&self, view: &View<'_>) -> Result<Counted> {
        let empty = || Counted {
            paths: Cell::default(),
            events: 0,
            all_sequences: Cell::default(),
            begun: vec![Vec::new()],
            cells: vec![Slot::default(); self.mask + 1],
            found: vec![Found::default(); ROOM],
            waiting: 0,
        };
        let keeps = view.timelines.has_room();
        let mut counted = view.fold(
            empty,
            |counted, timeline| {
                if !self.plan.members.hold(&timeline) {
                    return;
                }
                counted.make_room(timeline.ts.len());
                let (mut events, mut units) = (0_u64, 0_u64);
                let mut end = counted.waiting;
                let found = &mut counted.found[..];
                self.walk(&timeline, |event| {
                    events = events.wrapping_add(u64::from(event.is_node));
                    units = units.wrapping_add(u64::from(event.begins));
                    found[end] = Found {
                        sequence: event.sequence as u32,
                        user: timeline.user,
                        micros: event.micros,
                    };
                    end = end.wrapping_add(usize::from(event.complete));
                    false
                });
                let mine = &found[counted.waiting..end];
                if keeps
                    && let Some(first) = mine.first()
                    && let Some(list) = counted.begun.last_mut()
                {
                    let mut sequences = [first.sequence as u16; 4];
                    for (sequence, found) in sequences.iter_mut().zip(mine) {
                        *sequence = found.sequence as u16;
                    }
                    list.push(Begun {
                        user: timeline.user,
                        sequences,
                        more: mine.len() > sequences.len(),
                    });
                }
                counted.events += events;
                counted.paths.add_times(units);
                counted
                    .all_sequences
                    .add_times((end - counted.waiting) as u64);
                counted.waiting = end;
            },
            Counted::merged,
        )?;
        counted.settle();
        Ok(counted)
    }

    /// How many users have a sequence that is not among those with a place, of those who began with these, or of all.
    pub(super) fn others(
        &self,
        view: &View<'_>,
        places: &Table<u32>,
        begun: &[Vec<Begun>],
    ) -> Result<u64> {
        let shown: Vec<bool> = (0..=self.mask)
            .map(|sequence| places.get(self.unpacked(sequence)).is_some_and(|n| *n > 0))
            .collect();
        let has_other = |timeline: Timeline<'_>| {
            let mut any = false;
            self.walk(&timeline, |event| {
                any = event.complete & !shown[event.sequence];
                any
            });
            any
        };
        if begun.iter().all(Vec::is_empty) {
            return view.fold(
                || 0,
                |users, timeline| {
                    let any = self.plan.members.hold(&timeline) && has_other(timeline);
                    *users += u64::from(any);
                },
                |a, b| a + b,
            );
        }
        let as_of = view.as_of.micros();
        let user = |begun: &&Begun| {
            let known = begun.sequences.iter();
            known.fold(false, |any, s| any | !shown[usize::from(*s)])
                || begun.more && has_other(view.timelines.user(begun.user).until(as_of))
        };
        view.stop.check()?;
        let users = begun.par_iter().flatten().filter(user).count();
        Ok(users as u64)
    }

    /// The nodes of a packed sequence.
    fn unpacked(&self, sequence: usize) -> impl Iterator<Item = u16> {
        let (bits, mask) = (self.bits, (1 << self.bits) - 1);
        let places = (0..self.length as u32).rev();
        places.map(move |place| (sequence >> (place * bits) & mask) as u16)
    }

    /// The counts by sequence.
    pub(super) fn table(&self, counted: &Counted) -> Table<Cell> {
        let mut table = Table::new(self.plan.width(), self.length);
        for (sequence, cell) in counted.cells.iter().enumerate() {
            if cell.times > 0 {
                let counted = Cell::of(u64::from(cell.users), cell.times);
                *table.at(self.unpacked(sequence)) = counted.lasting(cell.micros);
            }
        }
        table
    }
}

/// What is new with an event.
#[derive(Clone, Copy, Debug)]
struct Event {
    is_node: bool,
    begins: bool,
    complete: bool,
    sequence: usize,
    micros: i64,
}

impl Slot {
    #[inline]
    fn add(&mut self, user: u32, micros: i64) {
        let tag = user.wrapping_add(1);
        self.times += 1;
        self.micros += i128::from(micros);
        self.users += u32::from(self.last != tag);
        self.last = tag;
    }
}

impl Counted {
    /// Makes room for so many sequences, and one that is none.
    fn make_room(&mut self, sequences: usize) {
        if self.waiting + sequences >= self.found.len() {
            self.settle();
            if sequences >= self.found.len() {
                self.found.resize(sequences + 1, Found::default());
            }
        }
    }

    /// Counts what waits.
    fn settle(&mut self) {
        for found in &self.found[..self.waiting] {
            self.cells[found.sequence as usize].add(found.user, found.micros);
        }
        self.waiting = 0;
    }

    fn merged(mut self, mut other: Self) -> Self {
        self.settle();
        other.settle();
        self.paths.merge(&other.paths);
        self.events += other.events;
        self.all_sequences.merge(&other.all_sequences);
        self.begun.append(&mut other.begun);
        for (mine, theirs) in self.cells.iter_mut().zip(&other.cells) {
            mine.micros += theirs.micros;
            mine.times += theirs.times;
            mine.users += theirs.users;
        }
        self
    }
}
