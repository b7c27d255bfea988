//! What more than one word learns with: chains of actions, boosted trees, and the functions that both need.

pub(crate) mod boost;
pub(crate) mod chain;
pub(crate) mod choice;
pub(crate) mod special;
mod tree;
