//! Statements of our own that others can check: a JSON object, signed, as a line of text (a JWS in its compact form).

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto};
use serde_json::{Map, Value};

use super::key::{Key, invalid, name};
use super::token::part;
use crate::error::{Error, Result};

/// A private key that signs statements.
#[derive(Clone)]
pub struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Signer {
    /// A private key in PEM (PKCS #8): Ed25519, or P-256.
    ///
    /// # Errors
    /// `invalid_key` where the text is neither.
    pub fn pem(text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        let of = |algorithm| move |key| Self { key, algorithm };
        let read = EncodingKey::from_ed_pem(bytes).map(of(Algorithm::EdDSA));
        let read = read.or_else(|_| EncodingKey::from_ec_pem(bytes).map(of(Algorithm::ES256)));
        read.map_err(|e| {
            invalid("the PEM holds no Ed25519 or P-256 private key".to_owned()).caused_by(e)
        })
    }

    /// A statement of a type, signed. No token is of that type, so that neither can stand in for the other.
    ///
    /// # Errors
    /// `internal` where it cannot be signed.
    pub(crate) fn sign(&self, kind: &str, statement: &Value) -> Result<String> {
        let header = Header {
            typ: Some(kind.to_owned()),
            ..Header::new(self.algorithm)
        };
        jsonwebtoken::encode(&header, statement, &self.key).map_err(Error::internal)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// The statement of that type in a text, where this key signed it.
pub(crate) fn signed(key: &Key, kind: &str, text: &str) -> Option<Map<String, Value>> {
    let (content, signature) = text.rsplit_once('.')?;
    let (header, payload) = content.split_once('.')?;
    let header = part(header, "header").ok()?;
    let is = |field: &str, value: &str| header.get(field).and_then(Value::as_str) == Some(value);
    let ours = is("typ", kind) && is("alg", name(key.algorithm));
    let good = || crypto::verify(signature, content.as_bytes(), &key.key, key.algorithm);
    (ours && good().unwrap_or(false)).then(|| part(payload, "payload").ok())?
}
