//! A dashboard, and how it is made and changed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::widget::{self, MAX_NAME, Widget};
use crate::error::{Error, Result};
use crate::metadata::documents::fold;
use crate::metadata::{Document, Kind, ObjectId};
use crate::query::Instant;
use crate::query::fields::{self, Fields, Parsed, fault};

/// A custom dashboard, as the specification's data model has it, with `createdBy` and `revision` beside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// Its name.
    pub name: String,
    /// Its description; empty where there is none.
    pub description: String,
    /// Its widgets, 1 to 20.
    pub widgets: Vec<Widget>,
    /// Whether every `admin` may read it.
    pub is_public: bool,
    /// Whose it is.
    pub owner_id: String,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// Grows by 1 with every change; its `ETag`.
    pub revision: i64,
}

/// A dashboard to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its widgets.
    pub widgets: Vec<Widget>,
    /// Whether every `admin` may read it.
    pub is_public: bool,
}

/// Changes to a dashboard: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// Another name.
    pub name: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Other widgets in the place of all there are.
    pub widgets: Option<Vec<Widget>>,
    /// Whether every `admin` may read it from now on.
    pub is_public: Option<bool>,
}

/// What of a dashboard is stored as JSON text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    name: String,
    description: String,
    widgets: Vec<Widget>,
    created_by: String,
}

/// The longest description, in characters.
const MAX_DESCRIPTION: usize = 500;

/// The most widgets of a dashboard.
const MAX_WIDGETS: usize = 20;

impl Draft {
    /// Reads the body of a request: `name`, `description`, `widgets`, `isPublic`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(body: &Value) -> Result<Self> {
        let mut fields = widget::body(body)?;
        let draft = Self {
            name: fields.required("name", name),
            description: description(&mut fields).unwrap_or_default(),
            widgets: fields.required("widgets", widgets),
            is_public: fields
                .optional("isPublic", fields::boolean)
                .unwrap_or_default(),
        };
        fields.finish(Vec::new())?;
        Ok(draft)
    }

    /// The dashboard that `owner` makes of it.
    pub(crate) fn of(self, id: ObjectId, owner: &str, now: Instant) -> Dashboard {
        Dashboard {
            id,
            name: self.name,
            description: self.description,
            widgets: self.widgets,
            is_public: self.is_public,
            owner_id: owner.to_owned(),
            created_by: owner.to_owned(),
            created_at: now,
            updated_at: now,
            revision: 1,
        }
    }
}

impl Patch {
    /// Reads the body of a request: any of `name`, `description`, `widgets`, `isPublic`.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(body: &Value) -> Result<Self> {
        let mut fields = widget::body(body)?;
        let patch = Self {
            name: fields.optional("name", name),
            description: description(&mut fields),
            widgets: fields.optional("widgets", widgets),
            is_public: fields.optional("isPublic", fields::boolean),
        };
        fields.finish(Vec::new())?;
        Ok(patch)
    }

    /// The dashboard with these changes, as of `now`.
    pub(crate) fn apply(self, to: Dashboard, now: Instant) -> Dashboard {
        Dashboard {
            name: self.name.unwrap_or(to.name),
            description: self.description.unwrap_or(to.description),
            widgets: self.widgets.unwrap_or(to.widgets),
            is_public: self.is_public.unwrap_or(to.is_public),
            // A clock that was set back makes nothing older than it is.
            updated_at: now.max(to.updated_at),
            revision: to.revision + 1,
            ..to
        }
    }
}

impl Dashboard {
    /// As it is stored.
    pub(crate) fn document(&self) -> Result<Document> {
        let body = Body {
            name: self.name.clone(),
            description: self.description.clone(),
            widgets: self.widgets.clone(),
            created_by: self.created_by.clone(),
        };
        Ok(Document {
            kind: Kind::Dashboard,
            id: self.id,
            owner: self.owner_id.clone(),
            name: fold(&self.name),
            // A line end between the two, so that no search finds the end of one with the beginning of the other.
            sought: fold(&format!("{}\n{}", self.name, self.description)),
            state: String::new(),
            public: self.is_public,
            revision: self.revision,
            created_at: self.created_at,
            updated_at: self.updated_at,
            body: serde_json::to_string(&body).map_err(Error::internal)?,
        })
    }

    /// From what is stored.
    pub(crate) fn read(document: Document) -> Result<Self> {
        let body: Body = serde_json::from_str(&document.body).map_err(Error::internal)?;
        Ok(Self {
            id: document.id,
            name: body.name,
            description: body.description,
            widgets: body.widgets,
            is_public: document.public,
            owner_id: document.owner,
            created_by: body.created_by,
            created_at: document.created_at,
            updated_at: document.updated_at,
            revision: document.revision,
        })
    }
}

fn name(value: &Value) -> Parsed<String> {
    fields::text_of(value, 1, MAX_NAME)
}

fn description(fields: &mut Fields<'_>) -> Option<String> {
    fields.optional("description", |v| fields::text_of(v, 0, MAX_DESCRIPTION))
}

fn widgets(value: &Value) -> Parsed<Vec<Widget>> {
    match value.as_array().map(Vec::len) {
        Some(0) => fault("too_few", "must have at least 1 widget"),
        Some(n) if n > MAX_WIDGETS => fault(
            "too_many",
            format!("must have at most {MAX_WIDGETS} widgets"),
        ),
        _ => fields::list(value, widget::widget),
    }
}
