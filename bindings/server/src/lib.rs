//! The HTTP door and the command line of travelsense: each reads a request, asks the core, and writes its answer.

mod alerts;
mod answer;
mod answers;
mod bearer;
mod chance;
#[cfg(feature = "program")]
pub mod cli;
mod dashboards;
mod export;
mod frame;
mod health;
mod host;
mod ingest;
mod live;
mod meters;
#[cfg(feature = "program")]
pub mod notify;
mod openapi;
mod parameters;
mod problem;
mod rate;
mod record;
mod routes;
pub mod serve;
mod service;
mod session;
mod ui;
mod upkeep;

pub use host::{Host, Hosting};
pub use openapi::openapi;
pub use routes::router;
pub use service::{Limits, Service};
pub use upkeep::upkeep;
