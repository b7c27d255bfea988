//! A version of a model as it is kept and told, and how one is asked for.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Format, Schema};
use crate::error::{Error, Result};
use crate::metadata::documents::fold;
use crate::metadata::{Document, Kind, ObjectId};
use crate::query::Instant;
use crate::query::fields::{self, Fields, Parsed, fault};

/// A version of a model that is kept. It never changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// Its name.
    pub name: String,
    /// The number of the version, from 1; the model is known as `name@version` too.
    pub version: i64,
    /// What it is for.
    pub description: String,
    /// The SHA-256 of its file.
    pub hash: String,
    /// The size of its file.
    pub bytes: usize,
    /// What it takes and gives.
    #[serde(flatten)]
    pub schema: Schema,
    /// Who registered it.
    pub owner_id: String,
    /// When.
    pub created_at: Instant,
}

/// One page of models.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelList {
    /// Those of the page.
    pub models: Vec<Registered>,
    /// How many there are in all.
    pub total: u64,
    /// At most so many were asked for.
    pub limit: usize,
    /// So many were left out before those of the page.
    pub offset: usize,
    /// Whether there are more behind those of the page.
    pub has_more: bool,
}

#[derive(Serialize, Deserialize)]
struct Body {
    name: String,
    version: i64,
    description: String,
    hash: String,
    bytes: usize,
    schema: Schema,
}

impl Registered {
    /// As it is stored.
    pub(crate) fn document(&self) -> Result<Document> {
        let body = Body {
            name: self.name.clone(),
            version: self.version,
            description: self.description.clone(),
            hash: self.hash.clone(),
            bytes: self.bytes,
            schema: self.schema.clone(),
        };
        Ok(Document {
            kind: Kind::Model,
            id: self.id,
            owner: self.owner_id.clone(),
            name: fold(&self.name),
            sought: fold(&format!("{} {}", self.name, self.description)),
            state: String::new(),
            public: true,
            revision: 1,
            created_at: self.created_at,
            updated_at: self.created_at,
            body: serde_json::to_string(&body).map_err(Error::internal)?,
        })
    }

    /// From what is stored.
    pub(crate) fn read(document: &Document) -> Result<Self> {
        let body: Body = serde_json::from_str(&document.body).map_err(Error::internal)?;
        Ok(Self {
            id: document.id,
            name: body.name,
            version: body.version,
            description: body.description,
            hash: body.hash,
            bytes: body.bytes,
            schema: body.schema,
            owner_id: document.owner.clone(),
            created_at: document.created_at,
        })
    }

    /// Its name and version.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// A model to be registered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registration {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its format, where the bytes are not to tell.
    pub format: Option<Format>,
    /// The names of its features, in their order.
    pub features: Option<Vec<String>>,
    /// The names of its classes, in their order.
    pub classes: Option<Vec<String>>,
}

const FORMATS: [(&str, Format); 3] = [
    ("onnx", Format::Onnx),
    ("xgboost", Format::Xgboost),
    ("lightgbm", Format::Lightgbm),
];

impl Registration {
    /// Reads one in its JSON form: `name`, `description`, `format`, `features`, `classes`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(body: &Value) -> Result<Self> {
        let mut fields = Fields::of(body)?;
        let names = |value: &Value| fields::list(value, |v| fields::text_of(v, 1, 200));
        let read = Self {
            name: fields.required("name", name),
            description: fields
                .optional("description", |v| fields::text_of(v, 0, 500))
                .unwrap_or_default(),
            format: fields.optional("format", |v| fields::one_of(v, &FORMATS)),
            features: fields.optional("features", names),
            classes: fields.optional("classes", names),
        };
        fields.finish(Vec::new())?;
        Ok(read)
    }

    /// The hash of a file, and that of the file and of how its features and classes are named.
    pub(crate) fn hashes(&self, file: &[u8]) -> (String, String) {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let own = hex(&Sha256::digest(file));
        let named = format!("{own} {:?} {:?}", self.features, self.classes);
        let all = hex(&Sha256::digest(named.as_bytes()));
        (own, all)
    }
}

fn name(value: &Value) -> Parsed<String> {
    let name = fields::text_of(value, 1, 100)?;
    if name.contains(['@', '/']) {
        return fault("invalid_text", "must not contain `@` or `/`");
    }
    Ok(name)
}

/// Which version is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The one of an id.
    Id(ObjectId),
    /// The latest of a name.
    Latest(String),
    /// A version of a name.
    Version(String, i64),
}

impl Reference {
    /// Reads `name`, `name@3` or an id.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if let Ok(id) = text.parse() {
            return Self::Id(id);
        }
        match text.rsplit_once('@').map(|(n, v)| (n, v.parse())) {
            Some((name, Ok(version))) => Self::Version(name.to_owned(), version),
            _ => Self::Latest(text.to_owned()),
        }
    }
}
