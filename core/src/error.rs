//! One error for every word and every door: a kind, a stable code, a sentence, and all field errors at once.

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;

/// What sort of failure it is; doors map each kind to their own class or status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The question or the data given is not valid (HTTP 400).
    Invalid,
    /// No valid proof of who asks (HTTP 401).
    Unauthenticated,
    /// Known, but not allowed (HTTP 403).
    Forbidden,
    /// The thing named does not exist (HTTP 404).
    NotFound,
    /// Somebody else holds what is needed, for example the file for writing (HTTP 409).
    Conflict,
    /// The request was stopped by its caller or by its time limit.
    Cancelled,
    /// A limit of memory or size would be exceeded.
    Limit,
    /// The disk or the file system refused: full, read-only, not permitted, missing.
    Storage,
    /// A file is damaged, is of another kind, or was written by a newer version.
    Corrupt,
    /// A fault of travelsense itself.
    Internal,
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field as the caller wrote it, for example `steps[2].event`.
    pub field: String,
    /// A stable code, for example `required` or `not_in_list`.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

/// The error of every public function of travelsense.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    fields: Vec<FieldError>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|s| s as &(dyn StdError + 'static))
    }
}

/// The result of every public function of travelsense.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error without field errors.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message: message.into(),
            fields: Vec::new(),
            source: None,
        }))
    }

    /// A question or data with something wrong in one or more fields; its code is `validation_failed`.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let message = fields
            .iter()
            .map(|f| format!("{}: {}", f.field, f.message))
            .collect::<Vec<_>>()
            .join("; ");
        let mut error = Self::new(ErrorKind::Invalid, "validation_failed", message);
        error.0.fields = fields;
        error
    }

    /// A single field error.
    pub fn field(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError {
            field: field.into(),
            code,
            message: message.into(),
        }])
    }

    /// Keeps the error underneath, for logs and `source()`.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// A fault of our own, with the error underneath.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source = source.into();
        Self::new(
            ErrorKind::Internal,
            "internal",
            format!("internal error: {source}"),
        )
        .caused_by(source)
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All field errors; empty unless the code is `validation_failed`.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.0.fields
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.0.kind, self.0.code, self.0.message)?;
        match &self.0.source {
            Some(source) => write!(f, " (caused by {source})"),
            None => Ok(()),
        }
    }
}
