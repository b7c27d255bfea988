//! Tokens that are no longer good, as they are stored.

use super::Session;
use crate::error::Result;
use crate::query::Instant;

/// One token, or all that a subject was issued before an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// The `jti` of the token; empty where a subject is named.
    pub token: String,
    /// Whose tokens; empty where one token is named, `*` for everybody's.
    pub subject: String,
    /// Those of the subject that were issued before this instant, and those that do not say when.
    pub issued_before: Instant,
    /// From here on it says nothing new, as all such tokens have expired.
    pub until: Instant,
}

/// All that still say something.
pub fn all(session: &mut dyn Session, now: Instant) -> Result<Vec<Revocation>> {
    let rows = session.query(
        "select token, subject, issued_before, until
        from revocations
        where until > $1
        order by token, subject, issued_before",
        &[now.into()],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Revocation {
                token: row.text(0)?,
                subject: row.text(1)?,
                issued_before: row.instant(2)?,
                until: row.instant(3)?,
            })
        })
        .collect()
}

/// Keeps one.
pub fn insert(session: &mut dyn Session, revocation: &Revocation) -> Result<()> {
    session.execute(
        "insert into revocations values ($1, $2, $3, $4)",
        &[
            revocation.token.as_str().into(),
            revocation.subject.as_str().into(),
            revocation.issued_before.into(),
            revocation.until.into(),
        ],
    )?;
    Ok(())
}
