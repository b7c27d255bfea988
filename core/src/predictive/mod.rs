//! The specification's five predictions on the warehouse's own data: the history of a range, and what comes after it.

mod answer;
mod chart;
mod history;
mod question;
mod table;
mod tested;

pub use answer::{Backtested, Interval, Past, PredictiveAnswer, SegmentPrediction, answer};
pub use question::{Prediction, Predictive, Tested};
pub use tested::backtest;
