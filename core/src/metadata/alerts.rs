//! Where alert rules stand, and what became of them.

use super::Session;
use crate::error::Result;
use crate::query::Instant;

/// Where a rule stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The rule by its id.
    pub rule: String,
    /// What is remembered of it, as JSON text.
    pub state: String,
    /// Until when nobody is told of it; nothing where it is not silenced.
    pub silenced_until: Option<Instant>,
    /// Why, and who said so.
    pub silence: String,
    /// What the last evaluation read, as JSON text.
    pub reading: String,
}

/// Something that became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The rule by its id.
    pub rule: String,
    /// The instant of the evaluation.
    pub at: Instant,
    /// What, such as `firing`.
    pub event: String,
    /// The rest, as JSON text.
    pub body: String,
}

/// Where a rule stands; where nothing is known of it, at its beginning.
pub fn standing(session: &mut dyn Session, rule: &str) -> Result<Standing> {
    let rows = session.query(
        "select state, silenced_until, silence, reading from alert_states where rule = $1",
        &[rule.into()],
    )?;
    let Some(row) = rows.first() else {
        return Ok(Standing {
            rule: rule.to_owned(),
            ..Standing::default()
        });
    };
    Ok(Standing {
        rule: rule.to_owned(),
        state: row.text(0)?,
        silenced_until: Some(row.instant(1)?).filter(|at| at.micros() > 0),
        silence: row.text(2)?,
        reading: row.text(3)?,
    })
}

/// Remembers where a rule stands.
pub fn stand(session: &mut dyn Session, standing: &Standing) -> Result<()> {
    let until = standing.silenced_until.map_or(0, Instant::micros);
    let values = [
        standing.rule.as_str().into(),
        standing.state.as_str().into(),
        until.into(),
        standing.silence.as_str().into(),
        standing.reading.as_str().into(),
    ];
    let changed = session.execute(
        "update alert_states set state = $2, silenced_until = $3, silence = $4, reading = $5 where rule = $1",
        &values,
    )?;
    if changed == 0 {
        session.execute(
            "insert into alert_states values ($1, $2, $3, $4, $5)",
            &values,
        )?;
    }
    Ok(())
}

/// Forgets where a rule stands; its history remains.
pub fn forget(session: &mut dyn Session, rule: &str) -> Result<()> {
    session.execute("delete from alert_states where rule = $1", &[rule.into()])?;
    Ok(())
}

/// Writes down what became of a rule.
pub fn happened(session: &mut dyn Session, event: &Event) -> Result<()> {
    session.execute(
        "insert into alert_history values ($1, $2, $3, $4)",
        &[
            event.rule.as_str().into(),
            event.at.into(),
            event.event.as_str().into(),
            event.body.as_str().into(),
        ],
    )?;
    Ok(())
}

/// What became of a rule, the latest first.
pub fn history(
    session: &mut dyn Session,
    rule: &str,
    limit: usize,
    offset: usize,
) -> Result<Vec<Event>> {
    let rows = session.query(
        "select happened_at, event, body
        from alert_history
        where rule = $1
        order by
            happened_at desc,
            case event when 'resolved' then 0 when 'closed' then 1 when 'unheard' then 1 when 'firing' then 3 when 'notified' then 4 else 2 end desc,
            body
        limit $2
        offset $3",
        &[rule.into(), limit.into(), offset.into()],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Event {
                rule: rule.to_owned(),
                at: row.instant(0)?,
                event: row.text(1)?,
                body: row.text(2)?,
            })
        })
        .collect()
}

/// How many events became of all rules from an instant on.
pub fn count_since(session: &mut dyn Session, since: Instant) -> Result<u64> {
    let rows = session.query(
        "select count(*) from alert_history where happened_at >= $1",
        &[since.into()],
    )?;
    let count = rows.first().map_or(Ok(0), |row| row.integer(0))?;
    Ok(count.unsigned_abs())
}

/// What became of all rules from an instant on, the earliest first, after leaving out so many.
pub fn since(
    session: &mut dyn Session,
    since: Instant,
    (limit, offset): (usize, usize),
) -> Result<Vec<Event>> {
    let rows = session.query(
        "select rule, happened_at, event, body
        from alert_history
        where happened_at >= $1
        order by
            happened_at,
            rule,
            case event when 'resolved' then 0 when 'closed' then 1 when 'unheard' then 1 when 'firing' then 3 when 'notified' then 4 else 2 end,
            body
        limit $2
        offset $3",
        &[since.into(), limit.into(), offset.into()],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Event {
                rule: row.text(0)?,
                at: row.instant(1)?,
                event: row.text(2)?,
                body: row.text(3)?,
            })
        })
        .collect()
}
