//! What is not as it usually is: a series against its own rhythm of weekdays and hours, as values come in or over history.
//!
//! Everything here takes series, wherever they come from, and knows neither a clock nor a store.

mod baseline;
mod chance;
mod detector;
mod finding;
mod run;
mod scan;
mod settings;
mod state;
mod trend;

pub use detector::{Detector, Judgement, Status};
pub use finding::{Direction, Finding, Interval, Severity, Shape};
pub use scan::{Scanned, Series, scan, significant};
pub use settings::{Measure, Settings};
#[cfg(test)]
mod tests;
