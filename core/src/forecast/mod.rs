//! Forecasts of series, wherever they come from: the field's own table of `unique_id, ds, y` goes in, the next periods with
//! intervals come out. It knows no store and no clock.
//!
//! The default is the mean of exponential smoothing (its pool weighted by Akaike's criterion) and the dynamic optimised Theta
//! model on what the calendar leaves; decompositions by STL, the seasonal naive forecast and models of sparse counts join by
//! the evidence of rolling origins. See `model` for each, `interval` for how sure a forecast is, `backtest` for how well it
//! would have done.

mod answer;
pub mod backtest;
mod batch;
mod calendar;
mod chart;
mod clean;
mod combine;
mod form;
mod frame;
mod grid;
mod interval;
mod model;
mod optimise;
mod rows;
mod series;
mod table;

#[cfg(test)]
mod tests;

pub use answer::{
    BacktestAnswer, BacktestRows, ForecastAnswer, ForecastRows, Level, Overall, Quantile, Told,
};
pub use backtest::{Backtest, Score, backtests};
pub use batch::{Watch, forecasts, on_threads};
pub use calendar::{Effect, Event, countries};
pub use frame::Frame;
pub use grid::{Frequency, Gaps};
pub use interval::Kind;
pub use series::{Forecast, ModelShare, Notes, Options, Series, Step};
pub use table::Table;

pub(crate) use grid::{day, micros};
