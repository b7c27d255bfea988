//! What is not as it usually is: a series against its own rhythm of weekdays and hours, as values come in or over history.
//!
//! A [`Detector`] takes a series, wherever it comes from; [`Anomalies`] asks for one of the six metrics over history, and
//! [`Detection`] for series of one's own.

mod answer;
mod baseline;
mod chance;
mod chart;
mod detect;
mod detector;
mod finding;
mod growth;
mod lasting;
mod quarters;
mod question;
mod run;
mod scan;
mod series;
mod settings;
mod state;
mod table;
mod told;
mod trend;
mod watch;
mod weeks;

pub(crate) use answer::answer;
pub use answer::{AnomalyAnswer, Point};
pub use detect::Detection;
pub use detector::{Detector, Judgement, Status};
pub use finding::{Direction, Finding, Interval, Severity, Shape};
pub use question::{Anomalies, Metric};
pub use scan::{Scanned, Series, scan, significant};
pub(crate) use series::{Metered, recount};
pub use settings::{Measure, Settings};
pub use told::{Detected, DetectionAnswer, Judged, Told};
pub(crate) use watch::{Standing, Watch};
pub(crate) use weeks::{begins, judge};
#[cfg(test)]
mod tests;
