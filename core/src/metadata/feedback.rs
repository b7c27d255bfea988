//! What was foretold under a name, and what came.

use super::Session;
use crate::error::Result;
use crate::query::Instant;

/// Something foretold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The name it is kept under.
    pub log: String,
    /// When it was made.
    pub made_at: Instant,
    /// All of it, as JSON text.
    pub body: String,
}

/// What came, as it became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actuals {
    /// The name.
    pub log: String,
    /// When it became known.
    pub known_at: Instant,
    /// The run that brought it; empty for what was told by itself.
    pub run: String,
    /// All of it, as JSON text.
    pub body: String,
}

/// Keeps what was foretold.
pub fn insert_run(session: &mut dyn Session, run: &Run) -> Result<()> {
    session.execute(
        "insert into feedback_runs values ($1, $2, $3, $4)",
        &[
            run.id.as_str().into(),
            run.log.as_str().into(),
            run.made_at.into(),
            run.body.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Keeps what came.
pub fn insert_actuals(session: &mut dyn Session, actuals: &Actuals) -> Result<()> {
    session.execute(
        "insert into feedback_actuals values ($1, $2, $3, $4)",
        &[
            actuals.log.as_str().into(),
            actuals.known_at.into(),
            actuals.run.as_str().into(),
            actuals.body.as_str().into(),
        ],
    )?;
    Ok(())
}

/// The latest runs of a name up to an instant, the earliest of them first.
pub fn runs(
    session: &mut dyn Session,
    log: &str,
    until: Instant,
    limit: usize,
) -> Result<Vec<Run>> {
    let rows = session.query(
        "select id, log, made_at, body from feedback_runs
        where log = $1 and made_at <= $2
        order by made_at desc, id desc
        limit $3",
        &[log.into(), until.into(), limit.into()],
    )?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(Run {
                id: row.text(0)?,
                log: row.text(1)?,
                made_at: row.instant(2)?,
                body: row.text(3)?,
            })
        })
        .collect()
}

/// All that came of a name up to an instant, in the order in which it became known.
pub fn actuals(session: &mut dyn Session, log: &str, until: Instant) -> Result<Vec<Actuals>> {
    let rows = session.query(
        "select log, known_at, run, body from feedback_actuals
        where log = $1 and known_at <= $2
        order by known_at, run",
        &[log.into(), until.into()],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Actuals {
                log: row.text(0)?,
                known_at: row.instant(1)?,
                run: row.text(2)?,
                body: row.text(3)?,
            })
        })
        .collect()
}

/// Puts another text in the place of a run's.
pub fn rewrite_run(session: &mut dyn Session, id: &str, body: &str) -> Result<()> {
    session.execute(
        "update feedback_runs set body = $2 where id = $1",
        &[id.into(), body.into()],
    )?;
    Ok(())
}

/// Puts others in the place of all that came of a name.
pub fn rewrite_actuals(session: &mut dyn Session, log: &str, all: &[Actuals]) -> Result<()> {
    session.execute("delete from feedback_actuals where log = $1", &[log.into()])?;
    all.iter()
        .try_for_each(|actuals| insert_actuals(session, actuals))
}

/// The names there are, with how many runs they have and when the latest was made.
pub fn logs(session: &mut dyn Session) -> Result<Vec<(String, i64, Instant)>> {
    let rows = session.query(
        "select log, count(*), max(made_at) from feedback_runs group by log order by log",
        &[],
    )?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, row.integer(1)?, row.instant(2)?)))
        .collect()
}

/// Forgets a name; how many runs it had.
pub fn forget(session: &mut dyn Session, log: &str) -> Result<u64> {
    session.execute("delete from feedback_actuals where log = $1", &[log.into()])?;
    session.execute("delete from feedback_runs where log = $1", &[log.into()])
}
