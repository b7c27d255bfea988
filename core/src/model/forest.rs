//! Decision trees, wherever they were grown: one layout and one walk, with the comparisons of each library.

use std::collections::HashSet;

use super::limit::{MOST_TREE_NODES, malformed, too_large};
use crate::error::Result;

/// How a value is compared at a branch; where it holds, the walk goes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    /// Less than the threshold.
    Less,
    /// At most the threshold.
    AtMost,
    /// More than the threshold.
    More,
    /// At least the threshold.
    AtLeast,
    /// The threshold itself.
    Equal,
    /// Anything but the threshold.
    Unequal,
    /// One of a set of categories.
    In(Set),
    /// A category outside a set, or none that could be in one.
    NotIn(Set),
}

/// Where the bits of a set of categories lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set {
    from: u32,
    words: u32,
}

/// A branch, with its children by the ids of the file it came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Branch {
    pub(super) feature: u32,
    pub(super) test: Test,
    pub(super) threshold: f64,
    /// Whether a missing value goes left.
    pub(super) missing_left: bool,
    /// Whether a zero goes left, where zeros count as missing.
    pub(super) zero_left: Option<bool>,
    pub(super) left: i64,
    pub(super) right: i64,
}

/// What a leaf gives to a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vote {
    pub(super) target: u32,
    pub(super) weight: f64,
}

/// A node as a file tells of it.
#[derive(Debug)]
pub(super) enum Sprout {
    Branch(Branch),
    Leaf(Vec<Vote>),
}

#[derive(Clone, Copy, Debug)]
enum Node {
    Branch(Branch),
    /// Votes from, to.
    Leaf(u32, u32),
}

/// Trees, each a stretch of nodes whose children come behind them, so that every walk ends.
#[derive(Debug, Default)]
pub(super) struct Forest {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    votes: Vec<Vote>,
    bits: Vec<u32>,
}

/// Below this LightGBM takes a value for zero.
const ZERO: f64 = 1e-35_f32 as f64;

impl Forest {
    /// Keeps the bits of a set of categories.
    pub(super) fn set(&mut self, words: impl IntoIterator<Item = u32>) -> Set {
        let from = self.bits.len() as u32;
        self.bits.extend(words);
        Set {
            from,
            words: self.bits.len() as u32 - from,
        }
    }

    /// Takes in the tree below a root, asking for each node once.
    ///
    /// # Errors
    /// `malformed_model` where a node is reached twice; `too_large` beyond the most nodes; what `node` raises.
    pub(super) fn plant(
        &mut self,
        root: i64,
        mut node: impl FnMut(&mut Self, i64) -> Result<Sprout>,
    ) -> Result<()> {
        self.roots.push(self.nodes.len() as u32);
        let mut seen = HashSet::new();
        // A node to be placed, and the place whose right child it is.
        let mut waiting = vec![(root, None)];
        while let Some((id, parent)) = waiting.pop() {
            if !seen.insert(id) {
                return Err(malformed("a tree reaches a node twice"));
            }
            if self.nodes.len() >= MOST_TREE_NODES {
                return Err(too_large(format!(
                    "the trees have more than {MOST_TREE_NODES} nodes"
                )));
            }
            let place = self.nodes.len();
            if let Some(Node::Branch(branch)) = parent.and_then(|p: usize| self.nodes.get_mut(p)) {
                branch.right = place as i64;
            }
            match node(self, id)? {
                Sprout::Leaf(votes) => {
                    let from = self.votes.len() as u32;
                    self.votes.extend(votes);
                    self.nodes.push(Node::Leaf(from, self.votes.len() as u32));
                }
                Sprout::Branch(branch) => {
                    waiting.push((branch.right, Some(place)));
                    waiting.push((branch.left, None));
                    let left = place as i64 + 1;
                    self.nodes.push(Node::Branch(Branch { left, ..branch }));
                }
            }
        }
        Ok(())
    }

    /// How many trees there are.
    pub(super) fn len(&self) -> usize {
        self.roots.len()
    }

    /// How many nodes they have together.
    pub(super) fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The highest feature looked at, and the highest target voted for.
    pub(super) fn reach(&self) -> (Option<u32>, Option<u32>) {
        let feature = |node: &Node| match node {
            Node::Branch(branch) => Some(branch.feature),
            Node::Leaf(..) => None,
        };
        (
            self.nodes.iter().filter_map(feature).max(),
            self.votes.iter().map(|vote| vote.target).max(),
        )
    }

    /// The votes of each tree, in their order, on a row; a feature that the row lacks is missing.
    pub(super) fn votes<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = &'a [Vote]> {
        self.roots.iter().map(move |root| self.leaf(*root, row))
    }

    fn leaf(&self, root: u32, row: &[f64]) -> &[Vote] {
        let mut at = root as usize;
        loop {
            match self.nodes.get(at) {
                Some(Node::Branch(branch)) => {
                    let value = row.get(branch.feature as usize).copied();
                    let next = if self.left(branch, value.unwrap_or(f64::NAN)) {
                        branch.left
                    } else {
                        branch.right
                    };
                    at = next as usize;
                }
                Some(Node::Leaf(from, to)) => {
                    return self
                        .votes
                        .get(*from as usize..*to as usize)
                        .unwrap_or_default();
                }
                None => return &[],
            }
        }
    }

    fn left(&self, branch: &Branch, value: f64) -> bool {
        if value.is_nan() {
            return branch.missing_left;
        }
        if let Some(left) = branch.zero_left
            && value.abs() <= ZERO
        {
            return left;
        }
        match branch.test {
            Test::Less => value < branch.threshold,
            Test::AtMost => value <= branch.threshold,
            Test::More => value > branch.threshold,
            Test::AtLeast => value >= branch.threshold,
            Test::Equal => value == branch.threshold,
            Test::Unequal => value != branch.threshold,
            Test::In(set) => self.holds(set, value),
            Test::NotIn(set) => !self.holds(set, value),
        }
    }

    /// Whether a set holds the category that a value's whole part is.
    fn holds(&self, set: Set, value: f64) -> bool {
        let category = value.trunc();
        if !(0.0..f64::from(u32::MAX)).contains(&category) {
            return false;
        }
        let category = category as u32;
        let word = category / 32;
        let bits = self.bits.get((set.from + word.min(set.words)) as usize);
        word < set.words && bits.is_some_and(|bits| bits >> (category % 32) & 1 == 1)
    }
}
