//! What is to be taken away in time: which documents have something that expires, and when.

use super::{Document, Kind, ObjectId, Session, documents};
use crate::error::Result;
use crate::query::Instant;

/// Has a document be due at an instant, instead of when it was to be before.
pub fn set(session: &mut dyn Session, kind: Kind, id: ObjectId, due: Instant) -> Result<()> {
    clear(session, kind, id)?;
    session.execute(
        "insert into expiries values ($1, $2, $3)",
        &[kind.name().into(), id.to_string().into(), due.into()],
    )?;
    Ok(())
}

/// It has been done, or there is nothing to do any more.
pub fn clear(session: &mut dyn Session, kind: Kind, id: ObjectId) -> Result<()> {
    session.execute(
        "delete from expiries where kind = $1 and id = $2",
        &[kind.name().into(), id.to_string().into()],
    )?;
    Ok(())
}

/// The documents of a kind that are due by an instant, the earliest first.
pub fn due(session: &mut dyn Session, kind: Kind, by: Instant) -> Result<Vec<Document>> {
    let rows = session.query(
        "select
            d.kind, d.id, d.owner, d.name, d.sought, d.state, d.public, d.revision, d.created_at, d.updated_at, d.body
        from expiries e
        join documents d on d.kind = e.kind and d.id = e.id
        where e.kind = $1 and e.due <= $2
        order by e.due, d.id",
        &[kind.name().into(), by.into()],
    )?;
    rows.iter().map(|row| documents::read(row, kind)).collect()
}
