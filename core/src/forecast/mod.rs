//! Forecasts of series, wherever they come from: the field's own table of `unique_id, ds, y` goes in, the next periods with
//! intervals come out. It knows no store and no clock.
//!
//! The default is the mean of exponential smoothing (its pool weighted by Akaike's criterion) and the dynamic optimised Theta
//! model on what the calendar leaves; decompositions by STL, the seasonal naive forecast and models of sparse counts join by
//! the evidence of rolling origins. See `backtest` for how well it would have done.
//!
//! # The models
//!
//! - **Seasonal naive, drift** (Hyndman and Athanasopoulos 2021): the value of a season ago, ŷ_(n+h) = y_(n+h−mk) with k = ⌈h/m⌉; the
//!   line y_n + h(y_n − y_1)/(n − 1).
//! - **Exponential smoothing** (Hyndman, Koehler, Ord and Snyder 2008): with level l, growth b, season s and q = l + φb, l ← q + αr,
//!   b ← φb + βr, s ← s + γ(y − q − s), where r = y − s − q; or r = y/s − q and s ← s + γ(y/q − s). The pool is that of Petropoulos and
//!   others (2021), weighted by exp(−½AICc).
//! - **Dynamic optimised Theta** (Fiorucci and others 2016): l_(t−1) + (1 − 1/θ)((1−α)^(t−1) A_(t−1) + (1 − (1−α)^t)/α · B_(t−1)),
//!   where l_t = αy_t + (1−α) l_(t−1) and A, B are the intercept and slope of the values so far; seasons by classical indices.
//! - **STL and MSTL** (Cleveland and others 1990; Bandara and others 2021): y = x + Σ s_m, of which x is forecast and the last
//!   cycle of each s_m goes on.
//! - **Croston** (1972, corrected by Syntetos and Boylan 2005): (1 − α/2) z/x of smoothed sizes z and gaps x; **TSB** (Teunter and
//!   others 2011): pz, where p is the smoothed probability of a demand.
//! - **Calendar**: a ridge regression with Huber's weights (1964) of the series less its median of 91 days on the time of the year
//!   (Fourier), holidays and the days beside them, ends of months and quarters, events and regressors.
//! - **Intervals**: σ² = P · I(h) · (M + B + D/20) of the models' variances and past errors M, the variance between them B, the squared
//!   distance from the naive forecast D, the final prediction error P (Akaike 1969) and a factor I by frequency; Student's t of four
//!   degrees of freedom.

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
mod lay;
mod model;
mod optimise;
mod past;
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
pub use past::Layout;
pub use series::{Forecast, ModelShare, Notes, Options, Series, Step};
pub use table::Table;

pub(crate) use backtest::backtest;
pub(crate) use form::Form;
pub(crate) use grid::{day, micros};
pub(crate) use past::Past;
