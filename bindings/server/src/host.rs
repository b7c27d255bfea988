//! The routes inside another program that has a login of its own: it says who asks, in the place of a token.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{HOST, HeaderName, ORIGIN};
use axum::http::{HeaderMap, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use travelsense::{Error, ErrorKind, FieldError, Principal, Result};

use crate::problem::Problem;
use crate::service::{Limits, Service};

/// What the program around the routes says of a request, among the request's extensions. A server that verifies tokens does not look
/// at `who`.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Who asks; nobody is logged in without.
    pub who: Option<Principal>,
    /// From where, such as an address; for the record only.
    pub origin: String,
    /// The path in front of all paths here, such as `/analytics`; empty where there is none.
    pub base: Arc<str>,
}

/// How a program serves the routes: below which path, and how much they take on.
#[derive(Clone, Debug, Default)]
pub struct Hosting {
    /// The path in front of all paths here; empty where there is none.
    pub base: Arc<str>,
    /// How much they take on.
    pub limits: Limits,
}

impl Hosting {
    /// Reads it from its JSON form: `basePath`; `questions` at once, `timeoutMs` for one, `maxBody` in bytes, `requestsPerSecond` of
    /// each principal, `cacheBytes` of answers that are kept.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(asked: &Value) -> Result<Self> {
        let mut read = Self::default();
        let mut faults = Vec::new();
        let mut refuse = |field: &str, code: &'static str, message: String| {
            faults.push(FieldError {
                field: field.to_owned(),
                code,
                message,
            });
        };
        for (name, value) in asked.as_object().into_iter().flatten() {
            let mut whole = |least: u64, most: u64| {
                let number = value.as_u64().filter(|n| (least..=most).contains(n));
                if number.is_none() {
                    let message = format!("must be a whole number between {least} and {most}");
                    refuse(name, "out_of_range", message);
                }
                number.unwrap_or(least)
            };
            let limits = &mut read.limits;
            match name.as_str() {
                _ if value.is_null() => {}
                "questions" => limits.running = usize::try_from(whole(1, 1_024)).unwrap_or(1),
                "timeoutMs" => limits.timeout = Duration::from_millis(whole(1, 86_400_000)),
                "maxBody" => {
                    limits.body = usize::try_from(whole(1, LARGEST as u64)).unwrap_or(LARGEST);
                }
                "requestsPerSecond" => limits.rate = u32::try_from(whole(1, 1_000_000)).ok(),
                "cacheBytes" => limits.cache = whole(0, 1 << 40),
                "basePath" => match value.as_str().and_then(base) {
                    Some(base) => read.base = base,
                    None => {
                        let message = "must be a path such as `/analytics`, of letters, digits, `-`, `.`, `_`, `~`";
                        refuse(name, "invalid_path", message.to_owned());
                    }
                },
                _ => refuse(name, "unknown_field", "is not known here".to_owned()),
            }
        }
        if faults.is_empty() {
            Ok(read)
        } else {
            Err(Error::fields(faults))
        }
    }
}

/// The most bytes of a body that a program may allow.
const LARGEST: usize = crate::ingest::BODY;

/// A path without a slash at its end; it stands in pages as it is.
fn base(text: &str) -> Option<Arc<str>> {
    let path = text.trim_end_matches('/');
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '/');
    let segments = path.split('/').skip(1);
    let whole = path.is_empty()
        || path.starts_with('/')
            && segments
                .clone()
                .all(|s| !matches!(s, "" | "." | "..") && s.chars().all(plain));
    whole.then(|| Arc::from(path))
}

/// Where a login of the program's own proves who asks, refuses what another site makes a browser send: browsers add cookies to that too.
pub(crate) async fn same_site(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    if service.is_hosted()
        && !request.method().is_safe()
        && foreign(request.headers(), request.uri())
    {
        let message = "another site may not change anything here";
        let error = Error::new(ErrorKind::Forbidden, "cross_site", message);
        return Problem::from(error).into_response();
    }
    next.run(request).await
}

/// Whether a browser says that another site sends this. Programs say neither (Fetch Metadata; RFC 6454).
fn foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let text = |name: &HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or_default());
    if let Some(site) = text(&FETCH_SITE) {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(&ORIGIN) else {
        return false;
    };
    let from = origin.split_once("://").map(|(_, host)| host);
    let to = text(&HOST).or_else(|| uri.authority().map(|a| a.as_str()));
    from.is_none() || from != to
}

/// Nobody is logged in.
pub(crate) fn nobody() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "not_logged_in",
        "nobody is logged in; the application that this is part of has the login",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn how_a_program_serves_is_read_and_all_that_is_wrong_with_it_is_said() {
        let read = Hosting::parse(&json!({
            "basePath": "/a/b/", "questions": 3, "timeoutMs": 500, "maxBody": null, "requestsPerSecond": 7, "cacheBytes": 0
        }))
        .unwrap();
        let limits = Limits {
            running: 3,
            timeout: Duration::from_millis(500),
            rate: Some(7),
            cache: 0,
            ..Limits::default()
        };
        assert_eq!((&*read.base, read.limits), ("/a/b", limits));
        for path in ["", "/"] {
            let read = Hosting::parse(&json!({ "basePath": path })).unwrap();
            assert_eq!(&*read.base, "");
        }
        let wrong = json!({
            "basePath": "/a\"b", "questions": 0, "timeoutMs": "5", "maxBody": 1e12, "requestsPerSecond": -1, "cacheBytes": 0.5, "x": 1
        });
        let error = Hosting::parse(&wrong).unwrap_err();
        let faults = error.field_errors().iter().map(|f| f.code);
        let mut faults: Vec<_> = faults.collect();
        faults.sort_unstable();
        let mut expected = vec!["out_of_range"; 5];
        expected.insert(0, "invalid_path");
        expected.push("unknown_field");
        assert_eq!(faults, expected);
        for path in ["a", "//a", "/a/../b", "/a?b", "/a b"] {
            assert!(
                Hosting::parse(&json!({ "basePath": path })).is_err(),
                "{path}"
            );
        }
    }

    #[test]
    fn what_another_site_sends_is_foreign() {
        let table: [(&[(&str, &str)], bool); 8] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none"), ("origin", "null")], false),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site")], true),
            (&[("origin", "https://a.com"), ("host", "a.com")], false),
            (&[("origin", "https://b.com"), ("host", "a.com")], true),
            (&[("origin", "null"), ("host", "a.com")], true),
        ];
        for (given, expected) in table {
            let headers = given.iter().map(|(name, value)| {
                let value = HeaderValue::from_static(value);
                (HeaderName::from_static(name), value)
            });
            let uri = Uri::from_static("/");
            assert_eq!(foreign(&headers.collect(), &uri), expected, "{given:?}");
        }
    }
}
