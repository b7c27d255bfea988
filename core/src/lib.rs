//! Behavioural analytics inside your own process: funnels, retention and real-time metrics whose numbers can be trusted.
//!
//! [`Analytics`] opens one file and answers questions about it; the words of the questions are in [`query`], the
//! questions and answers in [`funnel`], [`retention`], [`journey`], [`engagement`], [`adoption`] and [`realtime`]. What every number means is written at its type.

pub mod access;
pub mod adoption;
pub mod alert;
pub mod analytics;
pub mod anomaly;
pub mod audit;
pub mod chart;
pub mod churn;
pub mod cohort;
pub mod dashboard;
pub mod demo;
pub mod engagement;
pub mod error;
pub mod events;
pub mod explain;
pub mod export;
pub mod feedback;
pub mod forecast;
pub mod funnel;
pub mod insight;
mod intake;
pub mod journey;
mod learn;
pub mod metadata;
pub mod model;
pub mod next_action;
mod options;
pub mod people;
pub mod pickup;
pub mod predictive;
#[cfg(feature = "postgres")]
pub mod pull;
pub mod query;
pub mod realtime;
pub mod retention;
pub mod timeline;
pub mod warehouse;

pub use access::Principal;
pub use adoption::Adoption;
pub use analytics::{Analytics, Options};
pub use churn::{Churn, Value};
pub use engagement::Engagement;
pub use error::{Error, ErrorKind, FieldError, Result};
pub use funnel::Funnel;
pub use intake::{Freshness, IngestStatus, Recovery, SourceState, Stored};
pub use journey::Journey;
pub use next_action::NextAction;
pub use pickup::Pickup;
pub use predictive::Predictive;
pub use query::{Instant, Range, Segment, Selector, Window, Zone};
pub use realtime::Realtime;
pub use retention::Retention;
