//! Finds the token in a request.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use travelsense::Result;
use travelsense::access::token;

/// The token of `Authorization: Bearer …`.
///
/// # Errors
/// `token_missing` without the header or with another scheme, `token_malformed` where it cannot be read.
pub(crate) fn token(headers: &HeaderMap) -> Result<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(token::missing)?;
    if values.next().is_some() {
        return Err(token::malformed(
            "there is more than one `Authorization` header",
        ));
    }
    let text = value
        .to_str()
        .map_err(|_| token::malformed("it is not text"))?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let token = rest.trim_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(token::missing());
    }
    Ok(token)
}
