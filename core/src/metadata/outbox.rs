//! Notifications: on their way out, and in the list that people look at.

use super::{Holder, Row, Session};
use crate::error::Result;
use crate::query::Instant;

/// What is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: String,
    /// The same whenever the same is told to the same place.
    pub told: String,
    /// A line for people.
    pub title: String,
    /// The rest, as JSON text.
    pub body: String,
    /// When it was made.
    pub created_at: Instant,
}

/// A notification on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What is to be told.
    pub note: Note,
    /// `webhook`, `slack` or `email`.
    pub channel: String,
    /// Where to, as JSON text.
    pub target: String,
    /// `waiting`, `sent` or `dead`, which is given up.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is to be tried next.
    pub next_at: Instant,
    /// Why the last attempt failed.
    pub error: String,
}

/// A notification in the list that people look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// What is told.
    pub note: Note,
    /// Whether whoever asks has read it.
    pub read: bool,
}

const LETTER: usize = 11;

/// Puts a letter in, unless the same was put in before; `false` then.
pub fn send(session: &mut dyn Session, letter: &Letter) -> Result<bool> {
    let put = session.execute(
        "insert into notifications
        select $1, $2, $3, $4, $5, $6, $7::bigint, $8, $9::bigint, $10::bigint, $11
        where not exists (select 1 from notifications where told = $2)",
        &[
            letter.note.id.as_str().into(),
            letter.note.told.as_str().into(),
            letter.channel.as_str().into(),
            letter.target.as_str().into(),
            letter.note.title.as_str().into(),
            letter.note.body.as_str().into(),
            letter.note.created_at.into(),
            letter.state.as_str().into(),
            letter.attempts.into(),
            letter.next_at.into(),
            letter.error.as_str().into(),
        ],
    )?;
    Ok(put > 0)
}

/// A letter waits for those before it that tell the same place of the same thing, but not longer than for so many attempts: whoever was
/// away for hours hears the news before the old.
const PATIENCE: i64 = 4;

/// Takes up to so many letters that are due, the earliest first, for whoever asks alone until `lease`. What is told of a letter up to the
/// `/` is what it is about; of one thing one place is told in order, one letter after the other.
pub fn take(
    session: &mut dyn Session,
    now: Instant,
    lease: Instant,
    limit: usize,
) -> Result<Vec<Letter>> {
    let rows = session.query(
        "select id, told, channel, target, title, body, created_at, state, attempts, next_at, error
        from notifications n
        where
            state = 'waiting' and next_at <= $1
            and not exists (
                select 1
                from notifications e
                where
                    e.state = 'waiting' and e.attempts < $3
                    and e.channel = n.channel and e.target = n.target
                    and split_part(e.told, '/', 1) = split_part(n.told, '/', 1)
                    and (e.created_at < n.created_at or e.created_at = n.created_at and e.id < n.id)
            )
        order by next_at, created_at, id
        limit $2",
        &[now.into(), limit.into(), PATIENCE.into()],
    )?;
    let letters = rows.iter().map(letter).collect::<Result<Vec<_>>>()?;
    for letter in &letters {
        session.execute(
            "update notifications set next_at = $2 where id = $1",
            &[letter.note.id.as_str().into(), lease.into()],
        )?;
    }
    Ok(letters)
}

/// One letter.
pub fn find(session: &mut dyn Session, id: &str) -> Result<Option<Letter>> {
    let rows = session.query(
        "select id, told, channel, target, title, body, created_at, state, attempts, next_at, error
        from notifications
        where id = $1",
        &[id.into()],
    )?;
    rows.first().map(letter).transpose()
}

/// Letters in a state (empty for all), the latest first, and how many there are in all.
pub fn letters(
    session: &mut dyn Session,
    state: &str,
    limit: usize,
    offset: usize,
) -> Result<(Vec<Letter>, u64)> {
    let rows = session.query(
        "with wanted as (
            select * from notifications where $1 = '' or state = $1
        ),
        page as (
            select * from wanted order by created_at desc, id limit $2 offset $3
        )
        select
            p.id, p.told, p.channel, p.target, p.title, p.body, p.created_at, p.state, p.attempts, p.next_at, p.error,
            t.total
        from (select count(*) as total from wanted) t
        left join page p on true
        order by p.created_at desc, p.id",
        &[state.into(), limit.into(), offset.into()],
    )?;
    let total = rows.first().map_or(Ok(0), |row| row.integer(LETTER))?;
    let letters = rows.iter().filter(|row| !row.is_null(0)).map(letter);
    Ok((letters.collect::<Result<_>>()?, total.unsigned_abs()))
}

/// Keeps what became of an attempt.
pub fn attempted(session: &mut dyn Session, letter: &Letter) -> Result<()> {
    session.execute(
        "update notifications set state = $2, attempts = $3, next_at = $4, error = $5 where id = $1",
        &[
            letter.note.id.as_str().into(),
            letter.state.as_str().into(),
            letter.attempts.into(),
            letter.next_at.into(),
            letter.error.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Puts a note into the list of a user or a role, unless the same was put in before.
pub fn post(session: &mut dyn Session, holder: &Holder, note: &Note) -> Result<()> {
    session.execute(
        "insert into inbox
        select $1, $2, $3, $4, $5, $6::bigint
        where not exists (select 1 from inbox where told = $2 and holder = $3)",
        &[
            note.id.as_str().into(),
            note.told.as_str().into(),
            holder.key().into(),
            note.title.as_str().into(),
            note.body.as_str().into(),
            note.created_at.into(),
        ],
    )?;
    Ok(())
}

/// The list of a user of a role, the latest first; those not read only, where that is asked. And how many there are in all, and how
/// many of them are not read.
pub fn inbox(
    session: &mut dyn Session,
    (user, role): (&str, &str),
    unread: bool,
    (limit, offset): (usize, usize),
) -> Result<(Vec<Post>, u64, u64)> {
    let rows = session.query(
        "with mine as (
            select distinct i.id, i.told, i.title, i.body, i.created_at, r.id is not null as seen
            from inbox i
            left join inbox_read r on r.id = i.id and r.reader = $1
            where i.holder in ($2, $3)
        ),
        wanted as (
            select * from mine where not ($4 and seen)
        ),
        page as (
            select * from wanted order by created_at desc, id limit $5 offset $6
        )
        select p.id, p.told, p.title, p.body, p.created_at, p.seen, t.total, u.unread
        from (select count(*) as total from wanted) t
        cross join (select count(*) as unread from mine where not seen) u
        left join page p on true
        order by p.created_at desc, p.id",
        &[
            user.into(),
            Holder::User(user.to_owned()).key().into(),
            Holder::Role(role.to_owned()).key().into(),
            unread.into(),
            limit.into(),
            offset.into(),
        ],
    )?;
    let count = |at: usize| rows.first().map_or(Ok(0), |row| row.integer(at));
    let (total, unread) = (count(6)?, count(7)?);
    let posts = rows.iter().filter(|row| !row.is_null(0)).map(|row| {
        Ok(Post {
            note: Note {
                id: row.text(0)?,
                told: row.text(1)?,
                title: row.text(2)?,
                body: row.text(3)?,
                created_at: row.instant(4)?,
            },
            read: row.truth(5)?,
        })
    });
    Ok((
        posts.collect::<Result<_>>()?,
        total.unsigned_abs(),
        unread.unsigned_abs(),
    ))
}

/// Marks a note as read by a user of a role; `false` where it is not in their list.
pub fn mark_read(session: &mut dyn Session, (user, role): (&str, &str), id: &str) -> Result<bool> {
    let (one, all) = (
        Holder::User(user.to_owned()).key(),
        Holder::Role(role.to_owned()).key(),
    );
    let mine = session.query(
        "select count(*) from inbox where id = $1 and holder in ($2, $3)",
        &[id.into(), one.into(), all.into()],
    )?;
    if mine.first().map_or(Ok(0), |row| row.integer(0))? == 0 {
        return Ok(false);
    }
    session.execute(
        "insert into inbox_read
        select $1, $2
        where not exists (select 1 from inbox_read where id = $1 and reader = $2)",
        &[id.into(), user.into()],
    )?;
    Ok(true)
}

fn letter(row: &Row) -> Result<Letter> {
    Ok(Letter {
        note: Note {
            id: row.text(0)?,
            told: row.text(1)?,
            title: row.text(4)?,
            body: row.text(5)?,
            created_at: row.instant(6)?,
        },
        channel: row.text(2)?,
        target: row.text(3)?,
        state: row.text(7)?,
        attempts: row.integer(8)?,
        next_at: row.instant(9)?,
        error: row.text(10)?,
    })
}
