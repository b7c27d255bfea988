//! A success on the wire: `{ "data": …, "meta": … }`, where `data` is the core's JSON byte for byte.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use travelsense::query::{Instant, Zone};
use travelsense::{Error, Result};

use crate::problem::Problem;

/// An answer of the core, with what `meta` says of it.
#[derive(Debug)]
pub(crate) struct Answer {
    data: Box<RawValue>,
    as_of: Option<Instant>,
    timezone: Option<Zone>,
    data_version: Option<u64>,
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
    version: &'static str,
}

impl Answer {
    pub(crate) fn of<T: Serialize>(data: &T) -> Result<Self> {
        let data = to_raw_value(data).map_err(Error::internal)?;
        Ok(Self {
            data,
            as_of: None,
            timezone: None,
            data_version: None,
        })
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
            version: env!("CARGO_PKG_VERSION"),
        };
        match serde_json::to_string(&Body {
            data: &self.data,
            meta,
        }) {
            Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
            Err(error) => Problem::from(Error::internal(error)).into_response(),
        }
    }
}
