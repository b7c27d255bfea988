//! Documents: what people make, by kind and id, with the columns that lists need.

use super::{ObjectId, Row, Session, Value};
use crate::error::Result;
use crate::query::Instant;

/// What sort of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A dashboard.
    Dashboard,
    /// An export and its job.
    Export,
    /// An alert rule.
    Alert,
    /// A version of a model.
    Model,
}

impl Kind {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Export => "export",
            Self::Alert => "alert",
            Self::Model => "model",
        }
    }
}

/// A document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What sort it is.
    pub kind: Kind,
    /// Its id.
    pub id: ObjectId,
    /// The id of the principal it belongs to.
    pub owner: String,
    /// By what lists are sorted; see [`fold`].
    pub name: String,
    /// What a search looks in; see [`fold`].
    pub sought: String,
    /// Where in its life it is, for kinds that have one.
    pub state: String,
    /// Whether every `admin` may read it.
    pub public: bool,
    /// Grows by 1 with every change.
    pub revision: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// The rest, as JSON text.
    pub body: String,
}

/// Somebody a document is shared with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A user by id.
    User(String),
    /// Everybody of a role.
    Role(String),
}

/// A document shared with somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// With whom.
    pub holder: Holder,
    /// Whether they may change it too.
    pub edit: bool,
}

/// The order of a list; ids decide where two are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The latest first.
    #[default]
    Newest,
    /// The earliest first.
    Oldest,
    /// By name, from A to Z.
    Name,
    /// By name, from Z to A.
    NameDown,
}

/// Which documents to list.
#[derive(Clone, Debug)]
pub struct Find<'a> {
    /// Of this kind.
    pub kind: Kind,
    /// That belong to this user, or are shared with them.
    pub user: &'a str,
    /// Or that are shared with this role.
    pub role: &'a str,
    /// Or that are public, where such count.
    pub public: bool,
    /// With this somewhere in what a search looks in, literally; empty for all.
    pub search: &'a str,
    /// In this state; empty for all.
    pub state: &'a str,
    /// In this order.
    pub sort: Sort,
    /// At most so many.
    pub limit: usize,
    /// After leaving out so many.
    pub offset: usize,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many there are in all.
    pub total: u64,
    /// Those of the page.
    pub documents: Vec<Document>,
}

/// Text as lists sort it and searches look in it: in lower case, letter by letter, so that what a part becomes is part of what the
/// whole becomes.
pub fn fold(text: &str) -> String {
    let letters = text.chars().flat_map(char::to_lowercase);
    let letters = letters.map(|c| match c {
        'ς' => 'σ',
        // PostgreSQL takes no NUL within text.
        '\0' => '\u{fffd}',
        other => other,
    });
    letters.collect()
}

impl Holder {
    pub(super) fn key(&self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Role(name) => format!("role:{name}"),
        }
    }

    fn read(key: &str) -> Self {
        match key.split_once(':') {
            Some(("role", name)) => Self::Role(name.to_owned()),
            Some((_, id)) => Self::User(id.to_owned()),
            None => Self::User(key.to_owned()),
        }
    }
}

const GET: &str = "
select kind, id, owner, name, sought, state, public, revision, created_at, updated_at, body
from documents
where kind = $1 and id = $2";

/// The documents that somebody may see.
macro_rules! seen {
    () => {
        "
from documents
where kind = $1
    and (
        owner = $2
        or (public and $3)
        or id in (select id from shares where kind = $1 and holder in ($4, $5))
    )
    and ($6 = '' or strpos(sought, $6) > 0)
    and ($7 = '' or state = $7)"
    };
}

const COUNT: &str = concat!("select count(*)", seen!());

const NEWEST: &str = concat!(
    "select id",
    seen!(),
    " order by created_at desc, id limit $8 offset $9"
);
const OLDEST: &str = concat!(
    "select id",
    seen!(),
    " order by created_at, id limit $8 offset $9"
);
const NAME: &str = concat!(
    "select id",
    seen!(),
    " order by name collate \"C\", id limit $8 offset $9"
);
const NAME_DOWN: &str = concat!(
    "select id",
    seen!(),
    " order by name collate \"C\" desc, id limit $8 offset $9"
);

// Joined with the few that are wanted, so that the texts of no others are read.
const THOSE: &str = "
select
    d.kind, d.id, d.owner, d.name, d.sought, d.state, d.public, d.revision, d.created_at, d.updated_at, d.body
from documents d
join (select unnest(string_to_array($2, ',')) as id) wanted on d.id = wanted.id
where d.kind = $1";

/// A document.
pub fn get(session: &mut dyn Session, kind: Kind, id: ObjectId) -> Result<Option<Document>> {
    if let Some(held) = session.held(kind)? {
        return Ok(held.get(id));
    }
    let rows = session.query(GET, &[kind.name().into(), id.to_string().into()])?;
    rows.first().map(|row| read(row, kind)).transpose()
}

/// One page of the documents that somebody may see.
pub fn find(session: &mut dyn Session, asked: &Find<'_>) -> Result<Found> {
    if let Some(held) = session.held(asked.kind)? {
        return Ok(held.find(asked));
    }
    let mut values: Vec<Value> = vec![
        asked.kind.name().into(),
        asked.user.into(),
        asked.public.into(),
        Holder::User(asked.user.to_owned()).key().into(),
        Holder::Role(asked.role.to_owned()).key().into(),
        fold(asked.search).into(),
        asked.state.into(),
    ];
    let counted = session.query(COUNT, &values)?;
    let total = counted.first().map_or(Ok(0), |row| row.integer(0))?;
    values.extend([asked.limit.into(), asked.offset.into()]);
    let page = match asked.sort {
        Sort::Newest => NEWEST,
        Sort::Oldest => OLDEST,
        Sort::Name => NAME,
        Sort::NameDown => NAME_DOWN,
    };
    let ids = session.query(page, &values)?;
    let ids = ids
        .iter()
        .map(|row| row.text(0))
        .collect::<Result<Vec<_>>>()?;
    Ok(Found {
        total: total.unsigned_abs(),
        documents: those(session, asked.kind, &ids)?,
    })
}

/// The documents of these ids, in their order.
fn those(session: &mut dyn Session, kind: Kind, ids: &[String]) -> Result<Vec<Document>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(THOSE, &[kind.name().into(), ids.join(",").into()])?;
    let mut documents = rows
        .iter()
        .map(|row| read(row, kind))
        .collect::<Result<Vec<_>>>()?;
    documents.sort_by_cached_key(|d| {
        let id = d.id.to_string();
        ids.iter().position(|i| *i == id)
    });
    Ok(documents)
}

/// About how many bytes the documents of a kind have.
pub(super) fn bytes(session: &mut dyn Session, kind: Kind) -> Result<i64> {
    let rows = session.query(
        "select cast(coalesce(sum(length(body) + 2 * length(sought) + 300), 0) as bigint) from documents where kind = $1",
        &[kind.name().into()],
    )?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

/// With whom documents are shared: the id of each, once for every share.
pub(super) type Shared = Vec<(ObjectId, Share)>;

/// All documents of a kind, whoever they belong to, and with whom each is shared, in a fixed order.
pub(super) fn all(session: &mut dyn Session, kind: Kind) -> Result<(Vec<Document>, Shared)> {
    let rows = session.query(
        "select kind, id, owner, name, sought, state, public, revision, created_at, updated_at, body
        from documents
        where kind = $1",
        &[kind.name().into()],
    )?;
    let documents = rows.iter().map(|row| read(row, kind));
    let shared = session.query(
        "select holder, edit, id from shares where kind = $1",
        &[kind.name().into()],
    )?;
    let given = shared
        .iter()
        .map(|row| Ok((row.text(2)?.parse()?, share_of(row)?)));
    let mut given = given.collect::<Result<Shared>>()?;
    given.sort();
    Ok((documents.collect::<Result<_>>()?, given))
}

fn share_of(row: &Row) -> Result<Share> {
    Ok(Share {
        holder: Holder::read(&row.text(0)?),
        edit: row.truth(1)?,
    })
}

/// All documents of a kind in a state, the earliest first, whoever they belong to: what a restart goes on with.
pub fn in_state(session: &mut dyn Session, kind: Kind, state: &str) -> Result<Vec<Document>> {
    let rows = session.query(
        "select kind, id, owner, name, sought, state, public, revision, created_at, updated_at, body
        from documents
        where kind = $1 and state = $2
        order by created_at, id",
        &[kind.name().into(), state.into()],
    )?;
    rows.iter().map(|row| read(row, kind)).collect()
}

/// Stores a new document.
pub fn insert(session: &mut dyn Session, document: &Document) -> Result<()> {
    session.execute(
        "insert into documents values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            document.kind.name().into(),
            document.id.to_string().into(),
            document.owner.as_str().into(),
            document.name.as_str().into(),
            document.sought.as_str().into(),
            document.state.as_str().into(),
            document.public.into(),
            document.revision.into(),
            document.created_at.into(),
            document.updated_at.into(),
            document.body.as_str().into(),
        ],
    )?;
    Ok(())
}

/// Stores a document in the place of the one with its id and the revision before its own; `false` where that is not there.
pub fn update(session: &mut dyn Session, document: &Document) -> Result<bool> {
    let changed = session.execute(
        "update documents
        set name = $3, sought = $4, state = $5, public = $6, revision = $7, updated_at = $8, body = $9
        where kind = $1 and id = $2 and revision + 1 = $7",
        &[
            document.kind.name().into(),
            document.id.to_string().into(),
            document.name.as_str().into(),
            document.sought.as_str().into(),
            document.state.as_str().into(),
            document.public.into(),
            document.revision.into(),
            document.updated_at.into(),
            document.body.as_str().into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Removes a document and its shares; `false` where it is not there.
pub fn delete(session: &mut dyn Session, kind: Kind, id: ObjectId) -> Result<bool> {
    let key: [Value; 2] = [kind.name().into(), id.to_string().into()];
    session.execute("delete from shares where kind = $1 and id = $2", &key)?;
    let gone = session.execute("delete from documents where kind = $1 and id = $2", &key)?;
    Ok(gone > 0)
}

/// With whom a document is shared, in a fixed order.
pub fn shares(session: &mut dyn Session, kind: Kind, id: ObjectId) -> Result<Vec<Share>> {
    if let Some(held) = session.held(kind)? {
        return Ok(held.shares(id));
    }
    let rows = session.query(
        "select holder, edit from shares where kind = $1 and id = $2",
        &[kind.name().into(), id.to_string().into()],
    )?;
    let mut shares = rows.iter().map(share_of).collect::<Result<Vec<_>>>()?;
    shares.sort();
    Ok(shares)
}

/// Shares a document with these and nobody else.
pub fn share(session: &mut dyn Session, kind: Kind, id: ObjectId, shares: &[Share]) -> Result<()> {
    let key: [Value; 2] = [kind.name().into(), id.to_string().into()];
    session.execute("delete from shares where kind = $1 and id = $2", &key)?;
    for share in shares {
        let [kind, id] = key.clone();
        session.execute(
            "insert into shares values ($1, $2, $3, $4)",
            &[kind, id, share.holder.key().into(), share.edit.into()],
        )?;
    }
    Ok(())
}

pub(super) fn read(row: &Row, kind: Kind) -> Result<Document> {
    Ok(Document {
        kind,
        id: row.text(1)?.parse()?,
        owner: row.text(2)?,
        name: row.text(3)?,
        sought: row.text(4)?,
        state: row.text(5)?,
        public: row.truth(6)?,
        revision: row.integer(7)?,
        created_at: row.instant(8)?,
        updated_at: row.instant(9)?,
        body: row.text(10)?,
    })
}
