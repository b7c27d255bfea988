//! Keys of requests that made something, as they are stored.

use super::Session;
use crate::error::Result;
use crate::query::Instant;

/// What a request made that came with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The digest of what was asked for.
    pub body: String,
    /// The id of what was made.
    pub id: String,
}

/// What was made under a key since an instant.
pub fn find(session: &mut dyn Session, key: &str, since: Instant) -> Result<Option<Made>> {
    let rows = session.query(
        "select body, made from request_keys where key = $1 and made_at >= $2",
        &[key.into(), since.into()],
    )?;
    let made = rows.first().map(|row| {
        Ok(Made {
            body: row.text(0)?,
            id: row.text(1)?,
        })
    });
    made.transpose()
}

/// Keeps what was made under a key, and forgets what was made before an instant.
pub fn keep(
    session: &mut dyn Session,
    key: &str,
    made: &Made,
    (now, since): (Instant, Instant),
) -> Result<()> {
    session.execute(
        "delete from request_keys where made_at < $1",
        &[since.into()],
    )?;
    session.execute(
        "insert into request_keys values ($1, $2, $3, $4)",
        &[
            key.into(),
            made.body.as_str().into(),
            made.id.as_str().into(),
            now.into(),
        ],
    )?;
    Ok(())
}
