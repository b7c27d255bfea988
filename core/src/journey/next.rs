//! What is likely to come next after a node or a sequence, by the chain that tells next actions.

use super::answer::Likely;
use super::plan::Plan;
use super::tally::{Sink, pass};
use super::walk::Unit;
use crate::error::Result;
use crate::learn::chain::{Chain, Context, NOTHING, ORDER, Seen, after};
use crate::timeline::View;

/// The chain of the nodes of all paths, without a limit of steps, and of where they end; where they are cut, nothing is known.
pub(super) struct Next(Option<Chain>);

impl Next {
    /// Nothing is looked at where nothing is asked for.
    pub(super) fn run(plan: &Plan<'_>, view: &View<'_>) -> Result<Self> {
        if plan.question.next_actions == 0 {
            return Ok(Self(None));
        }
        let followed = pass(plan, view, Followed::default)?;
        Ok(Self(Some(Chain::of(&followed.0))))
    }

    /// What is likely to come after these nodes, the last of them the latest; equal chances in the order of nodes.
    pub(super) fn after(&self, plan: &Plan<'_>, nodes: impl Iterator<Item = u16>) -> Vec<Likely> {
        let Some(chain) = &self.0 else {
            return Vec::new();
        };
        let none: Context = [NOTHING; ORDER];
        let mut chances = chain.chances(nodes.fold(none, after), ORDER);
        chances.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let told = chances.into_iter().take(plan.question.next_actions);
        told.map(|chance| Likely {
            node: plan.node(chance.action),
            probability: chance.probability,
        })
        .collect()
    }
}

/// What followed what.
#[derive(Default)]
struct Followed(Seen);

impl Sink for Followed {
    fn take(&mut self, plan: &Plan<'_>, _: u32, unit: Unit<'_>) {
        let Some(path) = unit.whole(plan) else {
            return;
        };
        let mut context = [NOTHING; ORDER];
        for item in path.items {
            self.0.add(context, item.node);
            context = after(context, item.node);
        }
        if path.right == plan.end() {
            self.0.add(context, path.right);
        }
    }

    fn merged(self, other: Self) -> Self {
        Self(self.0.with(other.0))
    }
}
