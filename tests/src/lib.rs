//! The contract: an oracle that computes every number by brute force, and the vectors that every door must answer.
//!
//! Nothing here uses the engine: the oracle is written from the rules alone, with another time-zone library, so that the
//! two can only agree by both being right. The engine meets it in the test binary (`tests/all`).

pub mod oracle;
pub mod vector;
