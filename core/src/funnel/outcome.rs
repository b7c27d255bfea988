//! What a search finds in one unit.

/// A chain: how deep it goes, and its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Required steps reached; in any order, steps done.
    pub(super) depth: usize,
    /// Steps, from 0, and places in the timeline, in the order of the chain.
    pub(super) chain: Vec<(u8, u32)>,
}

/// Entries, as places among a unit's rows, of which each group has a best chain of its own.
pub(super) type Groups = Vec<Vec<u32>>;

/// A unit whose chains took more than `WORK` to search, or whose question is given up, as the pass then says.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooComplex;

/// The most rows a search may try within one unit.
pub(super) const WORK: u64 = 500_000_000;

/// After so many rows a search looks whether it is to go on.
pub(super) const PATIENCE: u64 = 1 << 16;
