//! Proof of who asks: verifies JSON Web Tokens (RFC 7519, RFC 8725) against configured keys, and mints them for a secret.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::Principal;
use super::key::{Key, name};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

/// Accepts tokens that one of its keys signed, for its audience, from its issuer.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Vec<Key>,
    issuer: String,
    audience: String,
}

/// The clocks of issuer and server may differ by this much (RFC 7519 allows a few minutes).
const LEEWAY_MICROS: i128 = 30_000_000;

/// No honest token is longer.
const MAX_TOKEN_BYTES: usize = 16_384;

/// The claims every token must carry.
const REQUIRED: [&str; 4] = ["exp", "iss", "aud", "sub"];

impl Verifier {
    /// Accepts tokens of these keys, this issuer and this audience.
    ///
    /// # Errors
    /// `no_key` without a key, `required` without an issuer or an audience.
    pub fn new(
        keys: Vec<Key>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self> {
        let (issuer, audience) = (issuer.into(), audience.into());
        if keys.is_empty() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "no_key",
                "no key to verify tokens with is configured",
            ));
        }
        for (field, value) in [("issuer", &issuer), ("audience", &audience)] {
            if value.is_empty() {
                return Err(Error::field(
                    field,
                    "required",
                    "is required to verify tokens",
                ));
            }
        }
        Ok(Self {
            keys,
            issuer,
            audience,
        })
    }

    /// Who does this token prove to be asking at the instant `now`?
    ///
    /// The signature is checked with configured keys only: what the header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not
    /// read, `kid` chooses among configured keys, and a key works with its own algorithm only. `exp`, `iss`, `aud` and
    /// `sub` must be there and of the right type, `nbf` and `iat` of the right type where they are; 30 seconds of leeway.
    /// The role is the claim `role`; without one nothing is allowed.
    ///
    /// # Errors
    /// `Unauthenticated` with one of the codes `token_malformed`, `token_wrong_algorithm`, `token_bad_signature`,
    /// `token_missing_claim`, `token_expired`, `token_not_yet_valid`, `token_wrong_issuer`, `token_wrong_audience`.
    pub fn verify(&self, token: &str, now: Instant) -> Result<Principal> {
        self.prove(token, now).map(|proof| proof.principal)
    }

    /// `verify`, with what of the token tells it from others, by which it can be taken back.
    ///
    /// # Errors
    /// As `verify`.
    pub fn prove(&self, token: &str, now: Instant) -> Result<Proof> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(malformed("it is longer than 16 KiB"));
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else {
            return Err(malformed("it does not have three parts"));
        };
        let head = part(header, "header")?;
        if URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(malformed("its signature is not base64url"));
        }
        let signed = token
            .get(..header.len() + 1 + payload.len())
            .unwrap_or_default();
        self.check_signature(&head, signed, signature)?;
        self.check_claims(&part(payload, "payload")?, now)
    }

    /// Whether a token names a key that is not known here, so that it may be worth asking for new ones.
    pub fn lacks_key_of(&self, token: &str) -> bool {
        let header = token
            .split('.')
            .next()
            .filter(|_| token.len() <= MAX_TOKEN_BYTES);
        let Some(Ok(header)) = header.map(|h| part(h, "header")) else {
            return false;
        };
        let id = header.get("kid").and_then(Value::as_str);
        id.is_some_and(|id| !self.keys.iter().any(|k| k.id.as_deref() == Some(id)))
    }

    fn check_signature(
        &self,
        header: &Map<String, Value>,
        signed: &str,
        signature: &str,
    ) -> Result<()> {
        let Some(algorithm) = header.get("alg").and_then(Value::as_str) else {
            return Err(malformed("its header names no algorithm"));
        };
        if header.contains_key("crit") {
            return Err(malformed(
                "its header has critical extensions, and none are known",
            ));
        }
        match header.get("typ").map(Value::as_str) {
            None => {}
            Some(Some(typ)) if is_access_token(typ) => {}
            Some(_) => return Err(malformed("it is of another type than JWT")),
        }
        let id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id),
            Some(_) => return Err(malformed("its `kid` is not a string")),
        };
        let wrong_algorithm = || {
            unauthenticated(
                "token_wrong_algorithm",
                format!("the token's algorithm is not {}", self.algorithms()),
            )
        };
        if !self.keys.iter().any(|k| name(k.algorithm) == algorithm) {
            return Err(wrong_algorithm());
        }
        // A key that has an id is only for tokens that name it, or that name none; a key without one is for any token.
        let named = |key: &&Key| key.id.is_some() && key.id.as_ref() == id;
        let found = self.keys.iter().any(|k| named(&k));
        let mut candidates = self.keys.iter().filter(|k| {
            if found {
                named(k)
            } else {
                id.is_none() || k.id.is_none()
            }
        });
        let usable: Vec<&Key> = candidates
            .by_ref()
            .filter(|k| name(k.algorithm) == algorithm)
            .collect();
        if found && usable.is_empty() {
            return Err(wrong_algorithm());
        }
        let verified = usable.iter().any(|k| {
            crypto::verify(signature, signed.as_bytes(), &k.key, k.algorithm).unwrap_or(false)
        });
        if verified {
            Ok(())
        } else {
            Err(unauthenticated(
                "token_bad_signature",
                "the token is not signed with a key that is configured",
            ))
        }
    }

    fn check_claims(&self, claims: &Map<String, Value>, now: Instant) -> Result<Proof> {
        let present = |name: &str| claims.get(name).is_some_and(|v| !v.is_null());
        let missing: Vec<&str> = REQUIRED.into_iter().filter(|n| !present(n)).collect();
        if !missing.is_empty() {
            return Err(unauthenticated(
                "token_missing_claim",
                format!("the token lacks the required claim {}", missing.join(", ")),
            ));
        }
        let expires = numeric_date(claims, "exp")?;
        let not_before = numeric_date(claims, "nbf")?;
        let issued = numeric_date(claims, "iat")?;
        let subject = string(claims, "sub")?;
        let issuer = string(claims, "iss")?;
        let role = if present("role") {
            string(claims, "role")?
        } else {
            ""
        };
        if subject.is_empty() {
            return Err(unauthenticated(
                "token_missing_claim",
                "the token's `sub` is empty",
            ));
        }

        let now = i128::from(now.micros());
        if expires.is_none_or(|at| now >= at.saturating_add(LEEWAY_MICROS)) {
            return Err(unauthenticated("token_expired", "the token has expired"));
        }
        if not_before.is_some_and(|at| now < at.saturating_sub(LEEWAY_MICROS)) {
            return Err(unauthenticated(
                "token_not_yet_valid",
                "the token is not valid yet",
            ));
        }
        if issuer != self.issuer {
            return Err(unauthenticated(
                "token_wrong_issuer",
                "the token is from another issuer",
            ));
        }
        if !self.is_audience(claims.get("aud"))? {
            return Err(unauthenticated(
                "token_wrong_audience",
                "the token is for another audience",
            ));
        }
        let instant = |micros: i128| {
            let bounds = (
                i128::from(Instant::MIN.micros()),
                i128::from(Instant::MAX.micros()),
            );
            let within = micros.clamp(bounds.0, bounds.1);
            Instant::saturating_from_micros(i64::try_from(within).unwrap_or_default())
        };
        let id = claims.get("jti").and_then(Value::as_str);
        Ok(Proof {
            principal: Principal::new(subject, role),
            token: id.map(ToOwned::to_owned),
            issued: issued.map(instant),
        })
    }

    fn is_audience(&self, audience: Option<&Value>) -> Result<bool> {
        let not_text = || malformed("its `aud` is neither a string nor a list of strings");
        match audience {
            Some(Value::String(one)) => Ok(*one == self.audience),
            Some(Value::Array(many)) => {
                let names: Option<Vec<&str>> = many.iter().map(Value::as_str).collect();
                Ok(names
                    .ok_or_else(not_text)?
                    .contains(&self.audience.as_str()))
            }
            _ => Err(not_text()),
        }
    }

    fn algorithms(&self) -> String {
        let mut names: Vec<&str> = self.keys.iter().map(Key::algorithm).collect();
        names.sort_unstable();
        names.dedup();
        names.join(" or ")
    }
}

/// Whom a token proves to be asking, and which token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Who asks.
    pub principal: Principal,
    /// The token's id, its claim `jti`.
    pub token: Option<String>,
    /// When it was issued, its claim `iat`.
    pub issued: Option<Instant>,
}

/// What a minted token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// The role: `admin`, `analyst` or `viewer`.
    pub role: String,
    /// Who issues it.
    pub iss: String,
    /// Whom it is for.
    pub aud: String,
    /// When it is issued.
    pub iat: Instant,
    /// When it expires.
    pub exp: Instant,
}

/// A token with these claims, signed with HS256.
///
/// # Errors
/// `weak_key` where the secret is one that [`Key::secret`] refuses.
pub fn mint(secret: &[u8], claims: &Claims) -> Result<String> {
    Key::secret(secret)?;
    let seconds = |at: Instant| at.micros().div_euclid(1_000_000);
    let body = serde_json::json!({
        "sub": claims.sub,
        "role": claims.role,
        "iss": claims.iss,
        "aud": claims.aud,
        "iat": seconds(claims.iat),
        "nbf": seconds(claims.iat),
        "exp": seconds(claims.exp),
    });
    jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &body,
        &EncodingKey::from_secret(secret),
    )
    .map_err(Error::internal)
}

/// No token at all.
pub fn missing() -> Error {
    unauthenticated(
        "token_missing",
        "a token is needed: `Authorization: Bearer …`",
    )
}

/// A token that is none; `why` continues the sentence "the token is malformed:".
pub fn malformed(why: &str) -> Error {
    unauthenticated("token_malformed", format!("the token is malformed: {why}"))
}

/// A token that was good once.
pub(super) fn revoked() -> Error {
    unauthenticated("token_revoked", "the token was taken back")
}

fn unauthenticated(code: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unauthenticated, code, message)
}

/// RFC 8725, 3.11: a token made for another purpose says so in its type.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(
        typ.strip_prefix("application/").unwrap_or(&typ),
        "jwt" | "at+jwt"
    )
}

/// One of the first two parts of a token: base64url of a JSON object without repeated keys.
pub(super) fn part(text: &str, which: &str) -> Result<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| malformed(&format!("its {which} is not base64url")))?;
    serde_json::from_slice::<Unique>(&bytes)
        .map(|unique| unique.0)
        .map_err(|_| {
            malformed(&format!(
                "its {which} is not a JSON object with distinct names"
            ))
        })
}

/// A time in seconds since 1970, as microseconds; text is refused rather than passed over (CVE-2026-25537).
fn numeric_date(claims: &Map<String, Value>, name: &str) -> Result<Option<i128>> {
    let value = match claims.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let whole = value.as_i64().map(|s| i128::from(s) * 1_000_000);
    // A cast from f64 saturates, so a time beyond all calendars stays one.
    let micros = whole.or_else(|| value.as_f64().map(|s| (s * 1e6) as i128));
    micros
        .map(Some)
        .ok_or_else(|| malformed(&format!("its `{name}` is not a number")))
}

fn string<'a>(claims: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .ok_or_else(|| malformed(&format!("its `{name}` is not a string")))
}

/// A JSON object whose names are distinct, so that no two readers can disagree about it (RFC 7519, 4).
struct Unique(Map<String, Value>);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Unique;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut access: A,
            ) -> std::result::Result<Unique, A::Error> {
                let mut map = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if map.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name appears twice"));
                    }
                }
                Ok(Unique(map))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests;
