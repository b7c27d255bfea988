//! How large a model may be, and the errors that refuse one by name.

use crate::error::{Error, ErrorKind};

/// Files of more bytes than this are refused.
pub const MOST_BYTES: usize = 64 << 20;

/// The most nodes of all trees of a model.
pub const MOST_TREE_NODES: usize = 5_000_000;

/// The most features, and the most classes or targets.
pub const MOST_FEATURES: usize = 100_000;

/// The most operators of an ONNX graph.
pub const MOST_OPERATORS: usize = 5_000;

/// The most values that an ONNX graph may make of a batch of 256 rows.
pub(super) const MOST_VALUES: usize = 1 << 24;

/// The most multiplications by which an ONNX graph may score a batch of 256 rows.
pub(super) const MOST_WORK: usize = 1 << 32;

/// The file is not what its format says.
pub(super) fn malformed(what: impl std::fmt::Display) -> Error {
    Error::field("file", "malformed_model", format!("is malformed: {what}"))
}

/// The file uses something that is not supported.
pub(super) fn unsupported(what: impl std::fmt::Display) -> Error {
    Error::field(
        "file",
        "unsupported_model",
        format!("uses what is not supported: {what}"),
    )
}

/// The file uses an operator that is not supported.
pub(super) fn unsupported_operator(name: &str) -> Error {
    Error::field(
        "file",
        "unsupported_operator",
        format!("uses the operator `{name}`, which is not supported"),
    )
}

/// The file, or what it makes of rows, is beyond a limit.
pub(super) fn too_large(what: impl std::fmt::Display) -> Error {
    Error::field("file", "too_large", format!("is too large: {what}"))
}

/// The rows are not what the model can score.
pub(super) fn unscorable(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "unscorable_rows", what)
}
