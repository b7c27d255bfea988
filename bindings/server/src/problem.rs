//! Errors on the wire: RFC 9457 `application/problem+json`, from one table.

use std::time::Duration;

use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use travelsense::{Error, ErrorKind, FieldError};

/// What went wrong with a request. A response carries it as an extension, and the frame around all answers writes it out
/// with the path and the id of the request.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    /// After so many seconds it may be tried again.
    retry: Option<u64>,
}

/// The body of a problem.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    request_id: &'a str,
    errors: &'a [FieldError],
}

/// All that a client learns of our own faults; the log has the rest under the request's id.
const INTERNAL: &str =
    "something went wrong on our side; the log has the details under this request id";

impl Problem {
    /// The code where the engine has to be opened again.
    pub(crate) const BROKEN: &'static str = "invalidated";

    /// Something a status says, for answers that are not ours.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "there is nothing at this path"),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method_not_allowed",
                "this path does not answer that method; see the header `Allow`",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("body_too_large", "the body of the request is too large")
            }
            StatusCode::SERVICE_UNAVAILABLE => (
                "overloaded",
                "too many questions at once; try again shortly",
            ),
            s if s.is_client_error() => ("bad_request", "the request cannot be read"),
            _ => ("internal", INTERNAL),
        };
        Self {
            status,
            code,
            detail: detail.to_owned(),
            errors: Vec::new(),
            retry: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        }
    }

    /// One principal sends more than its share.
    pub(crate) fn too_many(wait: Duration) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "rate_limited",
            detail: "too many requests; `Retry-After` says when to go on".to_owned(),
            errors: Vec::new(),
            retry: Some(wait.as_secs_f64().ceil().max(1.0) as u64),
        }
    }

    /// The body is in a form that is not read here.
    pub(crate) fn unsupported(detail: &str) -> Self {
        Self {
            status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code: "unsupported_media_type",
            detail: detail.to_owned(),
            errors: Vec::new(),
            retry: None,
        }
    }

    /// The body is too large.
    pub(crate) fn too_large() -> Self {
        Self::of_status(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// Our own fault.
    pub(crate) fn internal() -> Self {
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Too many questions wait already.
    pub(crate) fn overloaded() -> Self {
        Self::of_status(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// The server cannot answer now.
    pub(crate) fn not_ready(why: &str) -> Self {
        Self {
            code: "not_ready",
            detail: why.to_owned(),
            ..Self::overloaded()
        }
    }

    /// The answer took longer than the limit.
    pub(crate) fn timeout() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "timeout",
            detail: "the answer took longer than this server allows; a shorter range may do"
                .to_owned(),
            errors: Vec::new(),
            retry: Some(1),
        }
    }

    /// Storing a batch took longer than the limit.
    pub(crate) fn late() -> Self {
        Self {
            detail: "the batch could not be stored in time, for example behind an import; sent again, it is stored once where it has \
                     the same Idempotency-Key, or its events the same ids"
                .to_owned(),
            ..Self::timeout()
        }
    }

    /// Its body as JSON.
    pub(crate) fn body(&self, path: &str, request_id: &str) -> String {
        let body = Body {
            r#type: format!("urn:travelsense:problem:{}", self.code),
            title: title(self.status),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance: path,
            code: self.code,
            request_id,
            errors: &self.errors,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// The stable code, for the log.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            // RFC 9110, 13.1.1: what `If-Match` names is not there any more.
            ErrorKind::Conflict if error.code() == "revision_changed" => {
                StatusCode::PRECONDITION_FAILED
            }
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Storage if error.code() == "disk_full" => {
                log(&error);
                return Self {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    code: "disk_full",
                    detail: "there is no space left on the disk; nothing of this request was kept"
                        .to_owned(),
                    errors: Vec::new(),
                    retry: Some(5),
                };
            }
            ErrorKind::Storage if error.code() == Self::BROKEN => {
                log(&error);
                return Self {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    code: Self::BROKEN,
                    detail: "the store met a failure and is opened again".to_owned(),
                    errors: Vec::new(),
                    retry: Some(5),
                };
            }
            ErrorKind::Cancelled | ErrorKind::Limit => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal if error.code() == "parked" => {
                log(&error);
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => {
                log(&error);
                return Self::internal();
            }
        };
        Self {
            status,
            code: error.code(),
            detail: error.message().to_owned(),
            errors: error.field_errors().to_vec(),
            retry: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, challenge(self.code, &self.detail));
        }
        if let Some(seconds) = self.retry {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let mut response = (self.status, headers).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// RFC 6750, 3: no error is named to someone who sent no token.
fn challenge(code: &str, detail: &str) -> HeaderValue {
    let plain = HeaderValue::from_static("Bearer realm=\"travelsense\"");
    if matches!(code, "token_missing" | "not_logged_in") {
        return plain;
    }
    let described: String = detail
        .chars()
        .filter(|c| (' '..='~').contains(c) && !matches!(c, '"' | '\\'))
        .collect();
    let text = format!(
        "Bearer realm=\"travelsense\", error=\"invalid_token\", error_description=\"{described}\""
    );
    HeaderValue::try_from(text).unwrap_or(plain)
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request is not valid",
        StatusCode::UNAUTHORIZED => "A valid token is needed",
        StatusCode::FORBIDDEN => "This is not allowed",
        other => other.canonical_reason().unwrap_or("Error"),
    }
}

/// An internal error with everything underneath it, for the log only.
fn log(error: &Error) {
    let mut chain = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        chain.push_str(": ");
        chain.push_str(&inner.to_string());
        source = inner.source();
    }
    tracing::error!(code = error.code(), kind = ?error.kind(), error = %chain, "a question failed");
}
