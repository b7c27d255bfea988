//! What a search finds in one unit.

/// A chain: how deep it goes, and its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Required steps reached; in any order, steps done.
    pub(super) depth: usize,
    /// Steps, from 0, and places in the timeline, in the order of the chain.
    pub(super) chain: Vec<(u8, u32)>,
}

impl Found {
    /// Whether it comes before another in the order of reporting (F4): deeper, with more optional steps, where it is asked for
    /// from a later entry, with earlier rows.
    pub(super) fn is_better(&self, other: &Self, latest: bool) -> bool {
        let rows =
            |found: &Self| -> Vec<(u32, u8)> { found.chain.iter().map(|c| (c.1, c.0)).collect() };
        let entry = |found: &Self| found.chain.first().map(|c| c.1);
        let size = |found: &Self| (found.depth, found.chain.len());
        if size(self) != size(other) {
            return size(self) > size(other);
        }
        if latest && entry(self) != entry(other) {
            return entry(self) > entry(other);
        }
        rows(self) < rows(other)
    }
}

/// Entries, as places among a unit's rows, of which each group has a best chain of its own.
pub(super) type Groups = Vec<Vec<u32>>;

/// Units whose chains took more than `WORK` to search, or whose question is given up, as the pass then says.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooComplex;

/// The most rows a search may try within one unit, and all searches of a small store together.
pub(super) const WORK: u64 = 500_000_000;

/// After so many rows a search looks whether it is to go on.
pub(super) const PATIENCE: u64 = 1 << 16;
