//! Counters by short sequences of nodes: in a plain table where that is small, hashed by one packed number where it is not.
#![expect(
    clippy::indexing_slicing,
    reason = "a kernel: nodes are below the width, so that their number is below the table's length"
)]

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Counts of one thing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// Distinct users; the events of one user are counted one after the other.
    pub(super) users: u64,
    /// How often.
    pub(super) times: u64,
    /// The sum of what was measured, in microseconds.
    pub(super) micros: i128,
    /// One more than the key of the user counted last.
    last: u32,
}

impl Cell {
    /// So many users, so many times.
    pub(super) fn of(users: u64, times: u64) -> Self {
        Self {
            users,
            times,
            ..Self::default()
        }
    }

    /// The same, where so much was measured in all.
    pub(super) fn lasting(self, micros: i128) -> Self {
        Self { micros, ..self }
    }

    #[inline]
    pub(super) fn add(&mut self, user: u32, micros: i64) {
        let tag = user.wrapping_add(1);
        self.times += 1;
        self.micros += i128::from(micros);
        self.users += u64::from(self.last != tag);
        self.last = tag;
    }

    /// Counts so many times of a user who was not counted before.
    #[inline]
    pub(super) fn add_times(&mut self, times: u64) {
        self.times += times;
        self.users += u64::from(times > 0);
    }

    /// Takes in what was counted of other users.
    pub(super) fn merge(&mut self, other: &Self) {
        self.users += other.users;
        self.times += other.times;
        self.micros += other.micros;
    }

    /// The mean of what was measured, in seconds.
    pub(super) fn mean_seconds(&self) -> Option<f64> {
        (self.times > 0).then(|| self.micros as f64 / self.times as f64 / 1e6)
    }
}

/// The largest plain table.
const PLAIN: usize = 1 << 16;

/// A value for each sequence of so many nodes.
#[derive(Clone, Debug)]
pub(super) struct Table<T> {
    width: usize,
    length: usize,
    held: Held<T>,
}

#[derive(Clone, Debug)]
enum Held<T> {
    Plain(Vec<T>),
    Hashed(HashMap<u128, T, BuildHasherDefault<Mixer>>),
}

impl<T: Clone + Default> Table<T> {
    /// For sequences of `length` nodes below `width`.
    pub(super) fn new(width: usize, length: usize) -> Self {
        let size = width.checked_pow(length as u32).filter(|n| *n <= PLAIN);
        Self {
            width,
            length,
            held: match size {
                Some(size) => Held::Plain(vec![T::default(); size]),
                None => Held::Hashed(HashMap::default()),
            },
        }
    }

    /// The value of a sequence, to be changed.
    #[inline]
    pub(super) fn at(&mut self, nodes: impl Iterator<Item = u16>) -> &mut T {
        match &mut self.held {
            Held::Plain(values) => {
                let width = self.width;
                &mut values[nodes.fold(0, |n, node| n * width + usize::from(node))]
            }
            Held::Hashed(values) => values.entry(packed(nodes)).or_default(),
        }
    }

    /// The value of a sequence.
    #[inline]
    pub(super) fn get(&self, nodes: impl Iterator<Item = u16>) -> Option<&T> {
        match &self.held {
            Held::Plain(values) => {
                values.get(nodes.fold(0, |n, node| n * self.width + usize::from(node)))
            }
            Held::Hashed(values) => values.get(&packed(nodes)),
        }
    }

    /// Takes in the values of another table of this kind.
    pub(super) fn merge(&mut self, other: Self, merge: impl Fn(&mut T, &T)) {
        match (&mut self.held, other.held) {
            (Held::Plain(mine), Held::Plain(theirs)) => {
                mine.iter_mut().zip(&theirs).for_each(|(a, b)| merge(a, b));
            }
            (Held::Hashed(mine), Held::Hashed(mut theirs)) => {
                if mine.len() < theirs.len() {
                    std::mem::swap(mine, &mut theirs);
                }
                for (key, value) in theirs {
                    merge(mine.entry(key).or_default(), &value);
                }
            }
            _ => {}
        }
    }

    /// All sequences with their values, in the order of their nodes.
    pub(super) fn entries(&self) -> Vec<(Vec<u16>, &T)> {
        let mut entries: Vec<(Vec<u16>, &T)> = match &self.held {
            Held::Plain(values) => values
                .iter()
                .enumerate()
                .map(|(mut n, value)| {
                    let mut nodes = vec![0; self.length];
                    for node in nodes.iter_mut().rev() {
                        *node = (n % self.width) as u16;
                        n /= self.width;
                    }
                    (nodes, value)
                })
                .collect(),
            Held::Hashed(values) => values
                .iter()
                .map(|(key, value)| {
                    let node = |i: usize| (key >> (16 * (self.length - 1 - i))) as u16;
                    ((0..self.length).map(node).collect(), value)
                })
                .collect(),
        };
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        entries
    }
}

impl Table<Cell> {
    /// Adds the counts of other users.
    pub(super) fn add(&mut self, other: Self) {
        self.merge(other, Cell::merge);
    }

    /// What was counted at least once, in the order of the nodes.
    pub(super) fn counted(&self) -> Vec<(Vec<u16>, Cell)> {
        let entries = self.entries().into_iter();
        let counted = entries.filter(|(_, cell)| cell.times > 0);
        counted.map(|(nodes, cell)| (nodes, *cell)).collect()
    }
}

fn packed(nodes: impl Iterator<Item = u16>) -> u128 {
    nodes.fold(0, |key, node| key << 16 | u128::from(node))
}

/// Mixes the bits of a packed sequence; nobody chooses event names to make two of them collide more than costs time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        let mixed = u128::from(self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.0 = (mixed >> 64) as u64 ^ mixed as u64;
    }

    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64);
        self.write_u64((n >> 64) as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plain and hashed tables say the same.
    #[test]
    fn sequences_are_counted_and_come_in_the_order_of_their_nodes() {
        for width in [5, 1_000] {
            let mut table: Table<Cell> = Table::new(width, 3);
            for (user, nodes) in [
                (0, [1, 2, 3]),
                (0, [1, 2, 3]),
                (1, [1, 2, 3]),
                (1, [0, 4, 4]),
            ] {
                table.at(nodes.into_iter()).add(user, 1_000_000);
            }
            let mut other: Table<Cell> = Table::new(width, 3);
            other.at([1, 2, 3].into_iter()).add(7, 0);
            table.add(other);
            let counted: Vec<_> = table
                .counted()
                .into_iter()
                .map(|(nodes, cell)| (nodes, cell.users, cell.times))
                .collect();
            assert_eq!(counted, [(vec![0, 4, 4], 1, 1), (vec![1, 2, 3], 3, 4)]);
            let cell = table.get([1, 2, 3].into_iter()).unwrap();
            assert_eq!(cell.mean_seconds(), Some(0.75));
        }
    }
}
