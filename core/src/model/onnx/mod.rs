//! Models as ONNX graphs, as scikit-learn's are exported by skl2onnx: decoded by hand, and run operator by operator.
//!
//! Numbers are held as 64-bit and rounded to the 32 bits that the graph says after each operator, so that results are at least
//! as exact as those of a runtime that computes in 32 bits throughout.

mod arithmetic;
mod attributes;
mod graph;
mod layout;
mod ml;
mod plain;
mod shape;
mod tensor;
mod trees;
mod wire;

pub(super) use graph::{Graph, read};
