//! How often users come, and at what hours: active users, stickiness, lifecycle, sessions, heat map (L1, L2, L4), and who is
//! behind each number (D1).

mod answer;
mod chart;
mod fast;
mod people;
mod plan;
mod question;
mod table;
mod tally;

pub use answer::{
    ActivePeriod, ActiveUsers, ActivityRatio, EngagementAnswer, HeatMapHour, LifecyclePeriod,
    Sessions, Stickiness, StickinessRow, answer,
};
pub use people::{Cell, State, people};
pub use question::{Engagement, Metric, Preset};
