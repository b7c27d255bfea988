//! Forecasts.
pub mod backtest;
pub mod batch;
pub mod calendar;
pub mod clean;
pub mod combine;
pub mod grid;
pub mod interval;
pub(crate) mod model;
pub(crate) mod optimise;
pub mod series;
