//! The models.

pub(crate) mod base;
pub(crate) mod decomposed;
pub(crate) mod ets;
pub(crate) mod naive;
pub(crate) mod season;
pub(crate) mod seasonal;
pub(crate) mod sparse;
pub(crate) mod theta;
