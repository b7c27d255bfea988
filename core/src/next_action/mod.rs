//! What users will do next: a Markov chain over their last actions, and how good it has been.

mod answer;
mod chain;
mod chart;
mod quality;
mod question;
mod table;

pub use answer::{Next, NextActionAnswer, NextOfAll, NextOfUser, answer};
pub use quality::{OrderQuality, Quality};
pub use question::NextAction;
pub(crate) use question::SPAN;
