//! The record's entries as they are stored: appended one after the other, and read.

use std::sync::LazyLock;

use super::{Row, Session, Value};
use crate::error::Result;
use crate::query::Instant;

/// One entry of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1 without gaps.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who: the id of the principal; empty where nobody was proved.
    pub who: String,
    /// In which role.
    pub role: String,
    /// From where, such as an address.
    pub origin: String,
    /// The id of the request, by which logs can be joined.
    pub request: String,
    /// What, such as `dashboard.update`.
    pub action: String,
    /// To what, such as `dashboard/6955b90001020304050607ff`.
    pub object: String,
    /// `allowed`, `refused` or `failed`.
    pub outcome: String,
    /// Why.
    pub reason: String,
    /// The hash of all this and of the entry before.
    pub hash: String,
}

/// Which entry is the last: its number and its hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub seq: i64,
    /// The hash of the last; empty where there is none.
    pub hash: String,
}

/// Which entries to list; an empty text or no instant is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// By this principal.
    pub who: String,
    /// Of this action, or of a group of actions by what stands before the dot.
    pub action: String,
    /// To this object.
    pub object: String,
    /// With this outcome.
    pub outcome: String,
    /// At or after this instant.
    pub from: Option<Instant>,
    /// Before this instant.
    pub to: Option<Instant>,
    /// At most so many.
    pub limit: usize,
    /// After leaving out so many.
    pub offset: usize,
}

/// The entries that are wanted.
macro_rules! wanted {
    () => {
        "
from entries
where ($1 = '' or who = $1)
    and ($2 = '' or action = $2 or starts_with(action, $2 || '.'))
    and ($3 = '' or object = $3)
    and ($4 = '' or outcome = $4)
    and happened_at >= $5
    and happened_at < $6"
    };
}

const COUNT: &str = concat!("select count(*)", wanted!());
const PAGE: &str = concat!(
    "select seq",
    wanted!(),
    " order by seq desc limit $7 offset $8"
);

// Joined with the few that are wanted, so that the texts of no others are read.
const THOSE: &str = "
select
    e.seq, e.happened_at, e.who, e.role, e.origin, e.request, e.action, e.object, e.outcome, e.reason, e.hash
from entries e
join (select cast(unnest(string_to_array($1, ',')) as bigint) as seq) wanted on e.seq = wanted.seq
order by e.seq desc";

/// The last entry.
pub fn head(session: &mut dyn Session) -> Result<Head> {
    let rows = session.query("select seq, hash from chain", &[])?;
    rows.first().map_or(Ok(Head::default()), |row| {
        Ok(Head {
            seq: row.integer(0)?,
            hash: row.text(1)?,
        })
    })
}

/// Many entries are put in by so many at once, which takes less than half the time of one after the other.
const TOGETHER: usize = 8;
const COLUMNS: usize = 11;

static ONE: LazyLock<String> = LazyLock::new(|| insert(1));
static MANY: LazyLock<String> = LazyLock::new(|| insert(TOGETHER));

/// The statement that puts in so many entries.
fn insert(rows: usize) -> String {
    let row = |n| {
        let values: Vec<String> = (1..=COLUMNS)
            .map(|column| format!("${}", n * COLUMNS + column))
            .collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("insert into entries values {}", rows.join(", "))
}

/// Appends entries, the last of which becomes the head.
pub fn append(session: &mut dyn Session, entries: &[Entry]) -> Result<()> {
    let (many, few) = entries.as_chunks::<TOGETHER>();
    for some in many {
        session.execute(&MANY, &some.iter().flat_map(values).collect::<Vec<_>>())?;
    }
    for entry in few {
        session.execute(&ONE, &values(entry))?;
    }
    if let Some(last) = entries.last() {
        session.execute(
            "update chain set seq = $1, hash = $2",
            &[last.seq.into(), last.hash.as_str().into()],
        )?;
    }
    Ok(())
}

/// An entry, column by column.
fn values(entry: &Entry) -> [Value; COLUMNS] {
    [
        entry.seq.into(),
        entry.at.into(),
        entry.who.as_str().into(),
        entry.role.as_str().into(),
        entry.origin.as_str().into(),
        entry.request.as_str().into(),
        entry.action.as_str().into(),
        entry.object.as_str().into(),
        entry.outcome.as_str().into(),
        entry.reason.as_str().into(),
        entry.hash.as_str().into(),
    ]
}

/// The entries of so many numbers after one, in order.
pub fn after(session: &mut dyn Session, seq: i64, numbers: usize) -> Result<Vec<Entry>> {
    // Within bounds, so that an engine without an index looks at a part of them; and no more than there are numbers, whatever somebody
    // put in.
    let rows = session.query(
        "select seq, happened_at, who, role, origin, request, action, object, outcome, reason, hash
        from entries
        where seq > $1 and seq <= $1 + $2
        order by seq
        limit $2",
        &[seq.into(), numbers.into()],
    )?;
    rows.iter().map(read).collect()
}

/// The least and the greatest number that an entry has; nothing where there is none.
pub fn edges(session: &mut dyn Session) -> Result<Option<(i64, i64)>> {
    let rows = session.query("select min(seq), max(seq) from entries", &[])?;
    match rows.first() {
        Some(row) if !row.is_null(0) => Ok(Some((row.integer(0)?, row.integer(1)?))),
        _ => Ok(None),
    }
}

/// One page of the entries that are wanted, the latest first, and how many are in all.
pub fn find(session: &mut dyn Session, filter: &Filter) -> Result<(Vec<Entry>, u64)> {
    let mut values: Vec<Value> = vec![
        filter.who.as_str().into(),
        filter.action.as_str().into(),
        filter.object.as_str().into(),
        filter.outcome.as_str().into(),
        filter.from.map_or(i64::MIN, Instant::micros).into(),
        filter.to.map_or(i64::MAX, Instant::micros).into(),
    ];
    let counted = session.query(COUNT, &values)?;
    let total = counted.first().map_or(Ok(0), |row| row.integer(0))?;
    values.extend([filter.limit.into(), filter.offset.into()]);
    let page = session.query(PAGE, &values)?;
    let page = page.iter().map(|row| Ok(row.integer(0)?.to_string()));
    let page = page.collect::<Result<Vec<_>>>()?.join(",");
    if page.is_empty() {
        return Ok((Vec::new(), total.unsigned_abs()));
    }
    let rows = session.query(THOSE, &[page.into()])?;
    let entries = rows.iter().map(read).collect::<Result<_>>()?;
    Ok((entries, total.unsigned_abs()))
}

fn read(row: &Row) -> Result<Entry> {
    Ok(Entry {
        seq: row.integer(0)?,
        at: row.instant(1)?,
        who: row.text(2)?,
        role: row.text(3)?,
        origin: row.text(4)?,
        request: row.text(5)?,
        action: row.text(6)?,
        object: row.text(7)?,
        outcome: row.text(8)?,
        reason: row.text(9)?,
        hash: row.text(10)?,
    })
}
