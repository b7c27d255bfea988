//! Tokens of every good and bad kind, made for these tests.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

pub(crate) const SECRET: &[u8] = b"Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE";
pub(crate) const OTHER: &[u8] = b"qW8eRt5yUi2oPa9sDf6gHj3kLz7xCv1b";
pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "travelsense";

/// 2026-03-01T12:00:00Z, the present of these tests.
pub(crate) const NOW: i64 = 1_772_366_400;

pub(crate) const EC: &str = include_str!("../../../../core/src/access/token/keys/ec.pem");
pub(crate) const EC_PUBLIC: &str =
    include_str!("../../../../core/src/access/token/keys/ec.pub.pem");
pub(crate) const ED: &str = include_str!("../../../../core/src/access/token/keys/ed.pem");
pub(crate) const ED_PUBLIC: &str =
    include_str!("../../../../core/src/access/token/keys/ed.pub.pem");
pub(crate) const RSA: &str = include_str!("../../../../core/src/access/token/keys/rsa.pem");
pub(crate) const RSA_PUBLIC: &str =
    include_str!("../../../../core/src/access/token/keys/rsa.pub.pem");

pub(crate) fn claims(role: &str) -> Value {
    json!({"sub": "u1", "role": role, "iss": ISSUER, "aud": AUDIENCE, "iat": NOW - 60, "exp": NOW + 600})
}

pub(crate) fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("admin");
    claims[name] = value;
    claims
}

pub(crate) fn without(name: &str) -> Value {
    let mut claims = claims("admin");
    claims.as_object_mut().unwrap().remove(name);
    claims
}

pub(crate) fn sign(claims: &Value) -> String {
    signed(Algorithm::HS256, &EncodingKey::from_secret(SECRET), claims)
}

pub(crate) fn signed(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap()
}

pub(crate) fn token(role: &str) -> String {
    sign(&claims(role))
}

/// A token that says it is not signed.
pub(crate) fn unsigned() -> String {
    // {"alg":"none","typ":"JWT"}
    let header = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let good = token("admin");
    format!("{header}.{}.", good.split('.').nth(1).unwrap())
}
