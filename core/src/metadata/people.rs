//! What is kept of people beside what they did: what is theirs, what was shared with them, and what they were told.

use std::collections::HashSet;

use super::{Holder, Session};
use crate::error::Result;

/// Where a user is named by the key of a holder: the names, and how one is taken out.
const HOLDERS: [(&str, &str); 2] = [
    (
        "select distinct holder from shares",
        "delete from shares where holder = $1",
    ),
    (
        "select distinct holder from inbox",
        "delete from inbox where holder = $1",
    ),
];

/// Where a user is named by the id.
const IDS: [(&str, &str); 2] = [
    (
        "select distinct reader from inbox_read",
        "delete from inbox_read where reader = $1",
    ),
    (
        "select distinct owner from documents",
        "update documents set owner = 'erased', revision = revision + 1 where owner = $1",
    ),
];

/// Takes users out of all that is kept; the record stays as it is, since it is the proof of what was done. Says how many rows changed.
pub fn forget(session: &mut dyn Session, ids: &HashSet<&str>) -> Result<u64> {
    let keys = ids.iter().map(|id| Holder::User((*id).to_owned()).key());
    let keys: Vec<String> = keys.collect();
    let keys: HashSet<&str> = keys.iter().map(String::as_str).collect();
    let places = HOLDERS.map(|place| (place, &keys)).into_iter();
    let mut changed = 0;
    for ((names, statement), wanted) in places.chain(IDS.map(|place| (place, ids))) {
        for row in session.query(names, &[])? {
            let name = row.text(0)?;
            if wanted.contains(name.as_str()) {
                changed += session.execute(statement, &[name.as_str().into()])?;
            }
        }
    }
    Ok(changed)
}
