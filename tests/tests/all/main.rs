//! The contract, run: the engine against the oracle, the vectors through the doors, and the invariants of the rooms.

mod cases;
mod funnel;
mod generate;
mod golden;
mod http;
mod pure;
mod realtime;
mod retention;
mod rooms;
mod store;
mod vectors;
