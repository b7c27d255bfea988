//! Who is about to go away (S7), why, and what the users who stay will be worth.
//!
//! Everything is learned from the stored events: at cut-offs in the past, from what happened strictly before each of them.

mod answer;
mod bgnbd;
mod boosted;
mod calibration;
mod chart;
mod collect;
mod features;
mod fits;
mod gamma;
mod hazard;
mod history;
mod known;
mod measure;
mod minimise;
mod model;
mod page;
mod quality;
mod question;
mod reason;
mod table;
mod value;
mod worth;

pub use answer::{
    ChurnAnswer, ChurnSummary, LearnedAt, Likely, Risk, RiskBin, Visits, answer, people,
};
pub use known::{USER_FEATURES, UserFeatures, features};
pub use page::{Named, Names};
pub use quality::{Auc, CalibrationBin, Quality};
pub use question::{Cell, Churn};
pub use reason::{Reason, Trait};
pub use value::Value;
pub use worth::{Amounts, ValueAnswer, ValueQuality, ValueSummary, Worth, answer as worth};
