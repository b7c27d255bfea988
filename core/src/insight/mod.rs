//! What the numbers say about how users behave, in words: the specification's User Behavior Insights.

mod answer;
mod conversion;
mod question;
mod table;

pub use answer::{Data, Insight};
pub(crate) use conversion::conversion_funnel;
pub use question::{InsightType, UserInsights};
