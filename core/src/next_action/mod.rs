//! What users will do next: a Markov chain over their last actions, trees that mend it where they win, and how good both have been.

mod answer;
mod boosted;
mod chart;
mod classes;
mod habit;
mod quality;
mod question;
mod table;

pub use answer::{Next, NextActionAnswer, NextOfAll, NextOfUser, answer};
pub use boosted::{Backtest, Score};
pub use quality::{OrderQuality, Quality};
pub use question::NextAction;
pub(crate) use question::SPAN;
