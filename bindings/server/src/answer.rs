//! A success on the wire: `{ "data": …, "meta": … }`, where `data` is the core's JSON byte for byte.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use travelsense::query::{Instant, Zone};
use travelsense::{Error, Result};

use crate::problem::Problem;

/// An answer of the core, with what `meta` says of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    data: Arc<RawValue>,
    as_of: Option<Instant>,
    timezone: Option<Zone>,
    data_version: Option<u64>,
    status: StatusCode,
    place: Option<String>,
    revision: Option<i64>,
    page: Option<Page>,
}

/// Which part of a list it is.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    total: u64,
    limit: usize,
    offset: usize,
    has_more: bool,
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    data: &'a RawValue,
    meta: Meta<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<Instant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'a Zone>,
    /// The answer holds at least the data of this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pagination: Option<Page>,
    version: &'static str,
}

impl Answer {
    pub(crate) fn of<T: Serialize>(data: &T) -> Result<Self> {
        let data = to_raw_value(data).map_err(Error::internal)?;
        Ok(Self {
            data: data.into(),
            as_of: None,
            timezone: None,
            data_version: None,
            status: StatusCode::OK,
            place: None,
            revision: None,
            page: None,
        })
    }

    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> usize {
        self.data.get().len()
    }

    /// It was done, and there is nothing to say.
    pub(crate) fn none() -> Result<Self> {
        let mut none = Self::of(&())?;
        none.status = StatusCode::NO_CONTENT;
        Ok(none)
    }

    /// Something was made, and is at this path.
    pub(crate) fn created(mut self, place: String) -> Self {
        self.place = Some(place);
        self.status = StatusCode::CREATED;
        self
    }

    /// With the revision as its tag.
    pub(crate) fn tagged(mut self, revision: i64) -> Self {
        self.revision = Some(revision);
        self
    }

    /// A part of a list: those, how many there are in all, the limit, the offset, whether there are more.
    pub(crate) fn listed<T: Serialize>(
        part: &[T],
        (total, limit, offset, has_more): (u64, usize, usize, bool),
    ) -> Result<Self> {
        let mut listed = Self::of(&part)?;
        listed.page = Some(Page {
            total,
            limit,
            offset,
            has_more,
        });
        Ok(listed)
    }

    pub(crate) fn at(mut self, as_of: Option<Instant>) -> Self {
        self.as_of = as_of;
        self
    }

    pub(crate) fn in_zone(mut self, zone: Option<Zone>) -> Self {
        self.timezone = zone;
        self
    }

    pub(crate) fn holding(mut self, data_version: u64) -> Self {
        self.data_version = Some(data_version);
        self
    }

    /// The response to the request of that id.
    pub(crate) fn respond(self, request_id: &str) -> Response {
        let meta = Meta {
            request_id,
            as_of: self.as_of,
            timezone: self.timezone.as_ref(),
            data_version: self.data_version,
            pagination: self.page,
            version: env!("CARGO_PKG_VERSION"),
        };
        if self.status == StatusCode::NO_CONTENT {
            return self.status.into_response();
        }
        let mut response = match serde_json::to_string(&Body {
            data: &self.data,
            meta,
        }) {
            Ok(body) => (self.status, [(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => return Problem::from(Error::internal(error)).into_response(),
        };
        let tag = self.revision.map(|revision| format!("\"{revision}\""));
        for (name, text) in [(ETAG, tag), (LOCATION, self.place)] {
            if let Some(value) = text.and_then(|t| HeaderValue::try_from(t).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
