//! What is happening right now: six figures over the last minutes, each with the window before it and a series.

mod anomaly;
mod answer;
mod chart;
mod count;
mod daily;
mod masks;
mod money;
mod question;
mod stream;
mod table;
mod users;

#[cfg(test)]
mod tests;

pub use anomaly::{Anomaly, AnomalyStatus, Expected};
pub use answer::{Figure, Metadata, Point, RealtimeMetric, Sample};
pub(crate) use answer::{Meanings, answer};
pub(crate) use daily::daily;
pub use daily::{Figures, table};
pub use question::{List, Measure, Metric, Of, Realtime, TimeRange};
pub(crate) use stream::Windows;
