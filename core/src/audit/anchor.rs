//! Anchors: signed statements of where the record ended, kept where its store is not. Whoever can write to the store can make a whole
//! chain anew, but no anchor of it.

use serde::Serialize;
use serde_json::{Value, json};

use crate::access::{self, Key, Signer};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;
use crate::query::fields::{self, Parsed};

/// Where the record ended at some instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anchor {
    /// The number of its last entry.
    pub seq: i64,
    /// The hash of that.
    pub hash: String,
    /// When.
    pub at: Instant,
}

/// What anchors are among signed statements.
const KIND: &str = "travelsense-anchor";

impl Anchor {
    /// A line of text that [`Anchor::read`] reads.
    ///
    /// # Errors
    /// `internal` where it cannot be signed.
    pub fn sign(&self, signer: &Signer) -> Result<String> {
        let statement = json!({ "seq": self.seq, "hash": self.hash, "at": self.at });
        signer.sign(KIND, &statement)
    }

    /// The anchors of a file, one a line, all signed with this key.
    ///
    /// # Errors
    /// `bad_anchor` for the first line that is none.
    pub fn read(lines: &str, key: &Key) -> Result<Vec<Self>> {
        let lines = lines.lines().enumerate().filter(|(_, l)| !l.is_empty());
        let read = lines.map(|(i, line)| {
            Self::one(line, key).ok_or_else(|| {
                let sentence = format!("line {} is no anchor signed with this key", i + 1);
                Error::new(ErrorKind::Invalid, "bad_anchor", sentence)
            })
        });
        read.collect()
    }

    /// An anchor that a program kept by itself, as `seq`, `hash` and `at`.
    pub(crate) fn parse(value: &Value) -> Parsed<Self> {
        fields::object(value, |fields| Self {
            seq: fields.required("seq", |v| fields::integer(v, 0, i64::MAX)),
            hash: fields.required("hash", |v| fields::text(v).map(str::to_owned)),
            at: fields.required("at", fields::instant),
        })
    }

    fn one(line: &str, key: &Key) -> Option<Self> {
        let told = access::signed(key, KIND, line)?;
        let text = |name: &str| told.get(name).and_then(Value::as_str);
        Some(Self {
            seq: told.get("seq").and_then(Value::as_i64)?,
            hash: text("hash")?.to_owned(),
            at: text("at")?.parse().ok()?,
        })
    }
}
