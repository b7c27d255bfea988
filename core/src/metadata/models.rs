//! The versions of models and their files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ObjectId, Session};
use crate::error::{Error, Result};

/// A version of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub version: i64,
    /// The id of its document.
    pub id: ObjectId,
    /// The hash of what was registered.
    pub hash: String,
    /// Whether it was taken away.
    pub gone: bool,
}

/// How many bytes of a file stand in one row.
const PART: usize = 192 << 10;

/// All versions that a name ever had, the latest first.
pub fn versions(session: &mut dyn Session, name: &str) -> Result<Vec<Version>> {
    let rows = session.query(
        "select version, id, hash, gone from model_versions where name = $1 order by version desc",
        &[name.into()],
    )?;
    rows.iter()
        .map(|row| {
            Ok(Version {
                version: row.integer(0)?,
                id: row.text(1)?.parse()?,
                hash: row.text(2)?,
                gone: row.truth(3)?,
            })
        })
        .collect()
}

/// Keeps a version of a name, and its file.
pub fn insert(session: &mut dyn Session, name: &str, version: &Version, file: &[u8]) -> Result<()> {
    let id = version.id.to_string();
    session.execute(
        "insert into model_versions values ($1, $2, $3, $4, false)",
        &[
            name.into(),
            version.version.into(),
            id.as_str().into(),
            version.hash.as_str().into(),
        ],
    )?;
    for (part, bytes) in file.chunks(PART).enumerate() {
        session.execute(
            "insert into model_files values ($1, $2, $3)",
            &[
                id.as_str().into(),
                part.into(),
                STANDARD.encode(bytes).into(),
            ],
        )?;
    }
    Ok(())
}

/// The file of a version.
pub fn file(session: &mut dyn Session, id: ObjectId) -> Result<Vec<u8>> {
    let rows = session.query(
        "select bytes from model_files where id = $1 order by part",
        &[id.to_string().into()],
    )?;
    let mut file = Vec::new();
    for row in &rows {
        let part = STANDARD.decode(row.text(0)?).map_err(Error::internal)?;
        file.extend_from_slice(&part);
    }
    Ok(file)
}

/// Takes a version away; its number is not given again.
pub fn remove(session: &mut dyn Session, id: ObjectId) -> Result<()> {
    let key = [id.to_string().into()];
    session.execute("update model_versions set gone = true where id = $1", &key)?;
    session.execute("delete from model_files where id = $1", &key)?;
    Ok(())
}
