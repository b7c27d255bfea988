//! What the numbers say about how users behave, in words: the specification's User Behavior Insights.

mod adoption;
mod answer;
mod conversion;
mod dropoff;
mod engagement;
mod journeys;
mod question;
mod table;

pub(crate) use adoption::feature_adoption;
pub use answer::{Data, Insight};
pub(crate) use conversion::conversion_funnel;
pub(crate) use dropoff::drop_off_points;
pub(crate) use engagement::engagement_patterns;
pub(crate) use journeys::user_journeys;
pub use question::{InsightType, UserInsights};
