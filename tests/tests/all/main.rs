//! The contract, run: the engine against the oracle, the vectors through the doors, and the invariants of the rooms.

mod cases;
mod funnel;
mod generate;
mod http;
mod retention;
mod store;
mod vectors;
