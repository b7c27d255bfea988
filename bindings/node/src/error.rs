//! The core's error in the form in which it crosses: JSON in the reason, because a rejection from another thread carries
//! only text. `node/src/error.ts` turns it into a `TravelsenseError`.

use serde_json::{Value, json};
use travelsense::{Error, Result};

/// An error whose reason is `{ kind, code, message, errors }`.
pub(crate) fn to_js(error: Error) -> napi::Error {
    let reason = json!({
        "kind": error.kind(),
        "code": error.code(),
        "message": error.message(),
        "errors": error.field_errors(),
    });
    napi::Error::from_reason(reason.to_string())
}

/// The JSON that the typed face wrote.
pub(crate) fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|e| Error::field("question", "invalid_json", format!("is not JSON: {e}")))
}
