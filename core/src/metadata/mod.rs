//! What people make and do: dashboards, exports, who may see them, and the record of it all. The trait is an engine that speaks the
//! SQL which DuckDB and PostgreSQL share; `documents` and `entries` hold that SQL, once for both.

pub mod alerts;
pub mod documents;
mod embedded;
pub mod entries;
pub mod expiries;
pub mod feedback;
mod held;
mod id;
pub mod keys;
mod migrate;
pub mod models;
pub mod outbox;
pub mod people;
#[cfg(feature = "postgres")]
mod postgres;
pub mod revocations;
mod row;
#[cfg(test)]
pub(crate) mod tests;

pub use self::alerts::{Event, Standing};
pub use self::documents::{Document, Find, Found, Holder, Kind, Share, Sort};
pub use self::embedded::Embedded;
pub use self::entries::{Entry, Head};
pub use self::held::Held;
pub use self::id::ObjectId;
pub use self::outbox::{Letter, Note, Post};
#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
pub use self::revocations::Revocation;
pub use self::row::{Row, Value};
use std::sync::Arc;

use crate::error::{Error, Result};

/// Where statements run: within one change, or each by itself.
pub trait Session {
    /// The rows of a `select`, its values bound to `$1`, `$2`, … in order.
    fn query(&mut self, statement: &'static str, values: &[Value]) -> Result<Vec<Row>>;

    /// How many rows a statement changed.
    fn execute(&mut self, statement: &'static str, values: &[Value]) -> Result<u64>;

    /// Runs the statements of a migration.
    fn batch(&mut self, statements: &'static str) -> Result<()>;

    /// All documents of a kind, where the engine holds them in memory.
    fn held(&mut self, _kind: Kind) -> Result<Option<Arc<Held>>> {
        Ok(None)
    }
}

/// Some work within a session.
pub type Work<'a> = dyn FnMut(&mut dyn Session) -> Result<()> + 'a;

/// A store of metadata. [`read`] and [`change`] are how it is used.
pub trait MetadataStore: Send + Sync + std::fmt::Debug {
    /// Lets work look at what is committed.
    fn look(&self, work: &mut Work<'_>) -> Result<()>;

    /// Lets work change things in one transaction: all of it is kept, durably, or, where the work fails, nothing. Only one change
    /// is under way at a time, in all processes that share the store; others wait.
    fn alter(&self, work: &mut Work<'_>) -> Result<()>;

    /// The name of its dialect: `duckdb` or `postgres`.
    fn dialect(&self) -> &'static str;

    /// Whether it was opened only to read.
    fn read_only(&self) -> bool;

    /// Bytes of memory that its engine holds within this process.
    fn memory(&self) -> Result<u64> {
        Ok(0)
    }
}

/// What work finds in a store.
///
/// # Errors
/// What the work raises, or the store.
pub fn read<T>(
    store: &dyn MetadataStore,
    work: impl FnOnce(&mut dyn Session) -> Result<T>,
) -> Result<T> {
    given(|w| store.look(w), work)
}

/// What work gives that changes a store: all of it, or nothing where it fails.
///
/// # Errors
/// What the work raises, or the store; then nothing has changed.
pub fn change<T>(
    store: &dyn MetadataStore,
    work: impl FnOnce(&mut dyn Session) -> Result<T>,
) -> Result<T> {
    given(|w| store.alter(w), work)
}

fn given<T>(
    run: impl FnOnce(&mut Work<'_>) -> Result<()>,
    work: impl FnOnce(&mut dyn Session) -> Result<T>,
) -> Result<T> {
    let (mut work, mut done) = (Some(work), None);
    run(&mut |session| {
        let work = work
            .take()
            .ok_or_else(|| Error::internal("work was asked for twice"))?;
        done = Some(work(session)?);
        Ok(())
    })?;
    done.ok_or_else(|| Error::internal("work was never done"))
}
