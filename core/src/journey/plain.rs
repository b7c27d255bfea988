//! Sequences of the nodes of whole units, where names alone decide what a node is and nothing else is asked for: as they come,
//! without a list of each unit's nodes.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: name keys are below the number of names, packed sequences at most the mask"
)]

use std::hint::select_unpredictable;

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
}

/// What the first pass counts.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) paths: Cell,
    pub(super) events: u64,
    pub(super) all_sequences: Cell,
    /// By packed sequence; the last one takes what is none.
    cells: Vec<Cell>,
}

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
        Some(Self {
            nodes: plan.nodes_of_names().filter(|_| plain)?,
            plan,
            length,
            bits,
            mask: (1 << packed) - 1,
            timeout: plan.timeout.unwrap_or(i64::MAX),
        })
    }

    /// Visits each event of a user in the range: whether a unit, a node and a sequence are new with it, the sequence,
    /// and the time it took; until the visitor has seen enough.
    ///
    /// What an event is cannot be foreseen, so that nothing is branched on.
    #[inline(always)]
    fn walk(&self, timeline: &Timeline<'_>, mut visit: impl FnMut(Event) -> bool) {
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
            let is_node = node != NONE;
            let new = is_node & !(self.plan.collapse & (node == last));
            let longer = (sequence << self.bits | usize::from(node)) & self.mask;
            sequence = select_unpredictable(new, longer, sequence);
            last = select_unpredictable(is_node, node, last);
            let at = held & (BITS as usize - 1);
            times[at] = select_unpredictable(new, ts, times[at]);
            held += usize::from(new);
            let first = held.wrapping_sub(self.length) & (BITS as usize - 1);
            let event = Event {
                is_node,
                begins: new & (held == 1),
                complete: new & (held >= self.length),
                sequence,
                micros: ts - times[first],
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
            cells: vec![Cell::default(); self.mask + 2],
        };
        view.fold(
            empty,
            |counted, timeline| {
                if !self.plan.members.hold(&timeline) {
                    return;
                }
                let (mut events, mut units, mut sequences) = (0, 0, 0);
                let cells = &mut counted.cells[..];
                self.walk(&timeline, |event| {
                    events += u64::from(event.is_node);
                    units += u64::from(event.begins);
                    sequences += u64::from(event.complete);
                    let at = select_unpredictable(event.complete, event.sequence, self.mask + 1);
                    cells[at].add(timeline.user, event.micros);
                    false
                });
                counted.events += events;
                counted.paths.add_times(units);
                counted.all_sequences.add_times(sequences);
            },
            Counted::merged,
        )
    }

    /// How many users have a sequence that is not among those with a place.
    pub(super) fn others(&self, view: &View<'_>, places: &Table<u32>) -> Result<u64> {
        let shown: Vec<bool> = (0..=self.mask)
            .map(|sequence| places.get(self.unpacked(sequence)).is_some_and(|n| *n > 0))
            .collect();
        view.fold(
            || 0,
            |users, timeline| {
                let mut any = false;
                if self.plan.members.hold(&timeline) {
                    self.walk(&timeline, |event| {
                        any = event.complete & !shown[event.sequence];
                        any
                    });
                }
                *users += u64::from(any);
            },
            |a, b| a + b,
        )
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
        for (sequence, cell) in counted.cells[..=self.mask].iter().enumerate() {
            if cell.times > 0 {
                *table.at(self.unpacked(sequence)) = *cell;
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

impl Counted {
    fn merged(mut self, other: Self) -> Self {
        self.paths.merge(&other.paths);
        self.events += other.events;
        self.all_sequences.merge(&other.all_sequences);
        for (mine, theirs) in self.cells.iter_mut().zip(&other.cells) {
            mine.merge(theirs);
        }
        self
    }
}
