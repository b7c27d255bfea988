//! The door to Node: each function parses, calls the core off the main thread, converts, and ends.
//!
//! This is the private half of the npm package. Questions and options come in as JSON text, answers leave as the core's
//! own JSON text or as Arrow; `node/src` gives them types.

#![expect(
    unreachable_pub,
    reason = "the napi macro passes on only methods that are `pub`"
)]

mod adoption;
mod alert;
mod anomaly;
mod answer;
mod catalogue;
mod dashboard;
mod dropoff;
mod engagement;
mod error;
mod events;
mod explain;
mod forecast;
mod funnel;
mod handler;
mod import;
mod ingest;
mod insight;
mod journey;
mod letter;
mod model;
mod patience;
mod pickup;
mod predictive;
mod realtime;
mod retention;
mod rows;
mod store;
mod work;
