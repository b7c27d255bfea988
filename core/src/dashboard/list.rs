//! Lists of dashboards.

use serde::Serialize;
use serde_json::Value;

use super::widget::{self, MAX_NAME};
use super::{Access, Dashboard};
use crate::access::Principal;
use crate::error::Result;
use crate::metadata::{Find, Kind, Session, Sort, documents};
use crate::query::fields;

/// Which dashboards to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// With this in their name or description, literally and whatever the case; empty for all.
    pub search: String,
    /// In this order.
    pub sort: Sort,
    /// At most so many, 1 to 50.
    pub limit: usize,
    /// After leaving out so many.
    pub offset: usize,
}

/// One page of a list of dashboards.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// Those of the page.
    pub dashboards: Vec<Dashboard>,
    /// How many there are in all.
    pub total: u64,
    /// At most so many were asked for.
    pub limit: usize,
    /// So many were left out before those of the page.
    pub offset: usize,
    /// Whether there are more behind those of the page.
    pub has_more: bool,
}

const FIELDS: [(&str, bool); 2] = [("createdAt", false), ("name", true)];
const ORDERS: [(&str, bool); 2] = [("asc", true), ("desc", false)];

impl List {
    /// Reads `search`, `limit` (20), `offset` (0), `sortBy` (`createdAt` or `name`), `sortOrder` (`asc` or `desc`).
    ///
    /// Without `sortBy` it is by `createdAt`; without `sortOrder` the latest comes first, or names go from A to Z.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(asked: &Value) -> Result<Self> {
        let mut fields = widget::body(asked)?;
        let search = fields.optional("search", |v| fields::text_of(v, 0, MAX_NAME));
        let (limit, offset) = fields.page(1..=50, 20);
        let by_name = fields.optional("sortBy", |v| fields::one_of(v, &FIELDS));
        let ascending = fields.optional("sortOrder", |v| fields::one_of(v, &ORDERS));
        fields.finish(Vec::new())?;
        let by_name = by_name.unwrap_or_default();
        Ok(Self {
            search: search.unwrap_or_default(),
            sort: match (by_name, ascending.unwrap_or(by_name)) {
                (false, false) => Sort::Newest,
                (false, true) => Sort::Oldest,
                (true, true) => Sort::Name,
                (true, false) => Sort::NameDown,
            },
            limit,
            offset,
        })
    }

    /// The page that somebody sees.
    pub(crate) fn find(&self, session: &mut dyn Session, who: &Principal) -> Result<Listed> {
        let found = documents::find(
            session,
            &Find {
                kind: Kind::Dashboard,
                user: who.id(),
                role: who.role(),
                public: Access::sees_public(who),
                search: &self.search,
                state: "",
                sort: self.sort,
                limit: self.limit,
                offset: self.offset,
            },
        )?;
        let behind = self.offset.saturating_add(found.documents.len()) as u64;
        let dashboards = found.documents.into_iter().map(Dashboard::read);
        Ok(Listed {
            dashboards: dashboards.collect::<Result<_>>()?,
            total: found.total,
            limit: self.limit,
            offset: self.offset,
            has_more: behind < found.total,
        })
    }
}
