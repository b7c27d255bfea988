//! How a browser logs in: a token, or a code that is good for one use, becomes a cookie that no script can read. The cookie holds the
//! token and is taken for the header `Authorization` where there is none; to change anything, a request must also carry a header that
//! no other site can make a browser send.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use travelsense::access::{self, token};
use travelsense::{Error, Principal, Result};

use crate::answer::Answer;
use crate::frame::{Asker, Id};
use crate::host;
use crate::openapi::schema::named;
use crate::openapi::{Api, op};
use crate::problem::Problem;
use crate::routes::json;
use crate::service::Service;

/// The routes.
pub(crate) fn routes() -> Api {
    Api::of("Access and record")
        .get(
            "session",
            read,
            op("readSession", "Who asks, and what they may do.").answers(named("Session")),
        )
        .post(
            "session",
            begin,
            op(
                "beginSession",
                "Logs a browser in by a token, or by a code that is good once.",
            )
            .anybody()
            .refuses(&[401, 403, 429, 503])
            .body("SessionRequest")
            .answers(named("Session")),
        )
        .delete(
            "session",
            end,
            op("endSession", "Takes the cookie from a browser.").anybody(),
        )
}

/// Links that log in once: a code and the token it stands for.
#[derive(Clone, Default)]
pub(crate) struct Entrances(Arc<Mutex<Vec<(String, String)>>>);

impl std::fmt::Debug for Entrances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entrances")
    }
}

impl Entrances {
    pub(crate) fn add(&self, code: String, token: String) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((code, token));
    }

    /// The token of a code, which is good no more.
    fn take(&self, code: &str) -> Option<String> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(known, _)| known == code)?;
        Some(all.swap_remove(at).1)
    }
}

const NAME: &str = "travelsense";

/// A browser forgets it after half a day; the token may expire before.
const SECONDS: u32 = 12 * 3600;

/// What a request that changes something must carry beside the cookie. Browsers send it from our own pages only.
static REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// Lets the cookie stand in for the header `Authorization`.
pub(crate) async fn bearer(mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let own = headers.get(&REQUESTED_WITH).is_some_and(|v| v == NAME);
    if !headers.contains_key(AUTHORIZATION)
        && (own || request.method().is_safe())
        && let Some(value) = cookie(headers)
    {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    next.run(request).await
}

/// Who is logged in, and what they may do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    user_id: &'a str,
    role: &'a str,
    permissions: Vec<&'static str>,
    /// `token` where a token proves it, `host` where the program around the routes does.
    login: &'static str,
}

/// Who asks.
async fn read(State(service): State<Service>, Extension(id): Id, headers: HeaderMap) -> Response {
    match service.authenticate(&headers, &id).await {
        Ok(who) => told(&service, &who, &id.0),
        Err(problem) => problem.into_response(),
    }
}

/// Logs in by `{"token": …}` or by `{"code": …}`.
async fn begin(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if service.is_hosted() {
        return Problem::from(host::nobody()).into_response();
    }
    let given = match asked(&service, &headers, &body) {
        Ok(given) => given,
        Err(error) => return Problem::from(error).into_response(),
    };
    let Ok(bearer) = HeaderValue::try_from(format!("Bearer {given}")) else {
        return Problem::from(token::malformed("it is not text")).into_response();
    };
    let mut proof = HeaderMap::new();
    proof.insert(AUTHORIZATION, bearer);
    match service.authenticate(&proof, &id).await {
        Ok(who) => {
            let mut response = told(&service, &who, &id.0);
            // Only a page that came encrypted knows that the cookie will always travel so.
            let origin = headers.get(ORIGIN).and_then(|o| o.to_str().ok());
            let secure = origin.is_some_and(|o| o.starts_with("https://"));
            set(&mut response, &given, SECONDS, secure);
            response
        }
        Err(problem) => problem.into_response(),
    }
}

/// Logs out.
async fn end() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    set(&mut response, "", 0, false);
    response
}

/// The token that a body stands for.
fn asked(service: &Service, headers: &HeaderMap, body: &[u8]) -> Result<String> {
    if headers.get(&REQUESTED_WITH).is_none_or(|v| v != NAME) {
        return Err(Error::field(
            REQUESTED_WITH.as_str(),
            "required",
            format!("must be `{NAME}`, so that no other site can log a browser in"),
        ));
    }
    let body = json(body)?;
    let text = |name: &str| body.get(name).and_then(|v| v.as_str()).map(str::trim);
    match (text("token"), text("code")) {
        (Some(token), None) if !token.is_empty() => Ok(token.to_owned()),
        (None, Some(code)) => service
            .entrances()
            .take(code)
            .ok_or_else(|| token::malformed("this link was used before, or is none of ours")),
        _ => Err(Error::field(
            "token",
            "required",
            "must have one of `token` and `code`",
        )),
    }
}

fn told(service: &Service, who: &Principal, id: &str) -> Response {
    let allowed = access::permissions(who).iter();
    let session = Session {
        user_id: who.id(),
        role: who.role(),
        permissions: allowed.map(|p| p.name()).collect(),
        login: if service.is_hosted() { "host" } else { "token" },
    };
    let mut response = match Answer::of(&session) {
        Ok(answer) => answer.respond(id),
        Err(error) => Problem::from(error).into_response(),
    };
    response.extensions_mut().insert(Asker(who.id().to_owned()));
    response
}

fn set(response: &mut Response, token: &str, seconds: u32, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let text =
        format!("{NAME}={token}; Path=/api; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(value) = HeaderValue::try_from(text) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
}

/// The header `Authorization` that our cookie stands for.
fn cookie(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut pairs = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|v| v.to_str().unwrap_or_default().split(';'));
    let token = pairs.find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))?;
    HeaderValue::try_from(format!("Bearer {token}")).ok()
}
