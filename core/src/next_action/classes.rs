//! The actions that trees tell apart: the most frequent ones each for itself, and all others as one.

use super::habit::Sample;

/// So many actions at most for themselves.
const MOST: usize = 12;

/// The classes of actions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Classes {
    /// The most frequent first.
    actions: Vec<u16>,
}

impl Classes {
    /// The classes of what came of samples.
    pub(super) fn of_samples(samples: &[&Sample]) -> Self {
        let mut came: Vec<u16> = samples.iter().map(|s| s.came).collect();
        came.sort_unstable();
        let mut counted: Vec<(usize, u16)> = came
            .chunk_by(|a, b| a == b)
            .filter_map(|alike| Some((alike.len(), *alike.first()?)))
            .collect();
        counted.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let actions = counted.into_iter().take(MOST).map(|c| c.1);
        Self {
            actions: actions.collect(),
        }
    }

    /// How many there are: those of one action, and that of all others.
    pub(super) fn count(&self) -> usize {
        self.actions.len() + 1
    }

    /// The class of an action; that of all others for none.
    pub(super) fn of(&self, action: u16) -> usize {
        let place = self.actions.iter().position(|a| *a == action);
        place.unwrap_or(self.actions.len())
    }

    /// Whether an action is a class for itself.
    pub(super) fn alone(&self, action: u16) -> bool {
        self.actions.contains(&action)
    }
}
