//! How good the chain is: learned from the earlier actions, held against the later ones.

use serde::Serialize;

use crate::learn::chain::{Chain, ORDER, Seen};
use crate::query::{Instant, Rate};

/// How good chances were that were learned from everything before `splitAt`, for the actions from then on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quality {
    /// The instant that about four fifths of the actions lie before.
    pub split_at: Instant,
    /// How many actions were foretold.
    pub actions: u64,
    /// By how many of the last actions were looked at, from 0, which foretells the same for everyone.
    pub orders: Vec<OrderQuality>,
}

/// How good a chain of one order is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderQuality {
    /// How many of the last actions are looked at, at most.
    pub order: usize,
    /// How often the action was the likeliest one.
    pub top_one: Rate,
    /// How often it was one of the three likeliest.
    pub top_three: Rate,
    /// The mean of minus the logarithm of the chance given to the action that came.
    pub log_loss: f64,
}

/// Judges every order up to `most`; none where nothing is to learn from or to foretell.
pub(super) fn judge(
    before: &Seen,
    after: &Seen,
    split_at: Instant,
    most: usize,
) -> Option<Quality> {
    let chain = Chain::of(before);
    let came = after.sorted();
    let actions: u64 = came.iter().map(|(.., n)| n).sum();
    if actions == 0 || chain.is_empty() {
        return None;
    }
    let mut figures = [(0, 0, 0.0); ORDER + 1];
    // Everything that followed one context stands together, so that its chances are worked out once.
    for group in came.chunk_by(|a, b| a.0 == b.0) {
        for (order, (first, three, loss)) in figures.iter_mut().enumerate().take(most + 1) {
            let Some((context, ..)) = group.first() else {
                continue;
            };
            let chances = chain.chances(*context, order);
            let new = 1.0 - chances.iter().map(|c| c.probability).sum::<f64>();
            for (_, action, n) in group {
                let found = chances.iter().find(|c| c.action == *action);
                let given = found.map_or(new, |c| c.probability);
                *loss -= *n as f64 * libm::log(given.max(1e-15));
                let Some(found) = found else { continue };
                // Equal chances stand in the order of names, as everywhere.
                let better = chances
                    .iter()
                    .filter(|c| (c.probability, found.action) > (found.probability, c.action));
                let better = better.count();
                *first += if better < 1 { *n } else { 0 };
                *three += if better < 3 { *n } else { 0 };
            }
        }
    }
    let orders = figures.iter().enumerate().take(most + 1);
    Some(Quality {
        split_at,
        actions,
        orders: orders
            .map(|(order, (first, three, loss))| OrderQuality {
                order,
                top_one: Rate::of(*first, actions),
                top_three: Rate::of(*three, actions),
                log_loss: loss / actions as f64,
            })
            .collect(),
    })
}
