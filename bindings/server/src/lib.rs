//! The HTTP door and the command line of travelsense: each reads a request, asks the core, and writes its answer.

mod alerts;
mod anchor;
mod answer;
mod answers;
mod bearer;
mod body;
mod call;
mod chance;
pub mod cli;
mod dashboards;
mod export;
mod frame;
mod gather;
mod health;
mod host;
mod ingest;
mod keys;
mod live;
mod meters;
mod models;
mod news;
pub mod notify;
mod openapi;
mod parameters;
mod patient;
mod problem;
mod rate;
mod record;
mod room;
mod routes;
pub mod serve;
mod service;
mod session;
mod source;
#[cfg(feature = "otel")]
mod traces;
mod ui;
mod upkeep;

pub use host::{Host, Hosting};
pub use keys::FetchedKeys;
pub use openapi::openapi;
pub use routes::router;
pub use service::{Limits, Service};
pub use upkeep::upkeep;
