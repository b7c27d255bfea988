//! What the numbers say about how users behave, in words: the specification's User Behavior Insights.

mod answer;
mod conversion;
mod dropoff;
mod question;
mod table;

pub use answer::{Data, Insight};
pub(crate) use conversion::conversion_funnel;
pub(crate) use dropoff::drop_off_points;
pub use question::{InsightType, UserInsights};
