//! Who may do what. Nothing is read or written without a decision made here.

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    id: String,
    role: String,
}

/// A question that an access decision has allowed; only this module makes one.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<T>(T);

impl<T> Scoped<T> {
    /// The question.
    pub fn inner(&self) -> &T {
        &self.0
    }
}
