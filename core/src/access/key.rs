//! The keys that prove who asks: one algorithm each, fixed when the key is configured and never taken from a token.

use std::fmt;

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::error::{Error, ErrorKind, Result};

/// A key that verifies tokens, with the only algorithm it is used for.
#[derive(Clone)]
pub struct Key {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// Shorter secrets can be guessed from one token.
const SECRET_BYTES: usize = 32;

/// The length in bytes of the shortest RSA modulus accepted: 2048 bits.
const RSA_BYTES: usize = 256;

/// Parts of secrets that are printed in manuals and sample files, in lower case and without punctuation.
const KNOWN: [&str; 15] = [
    "changeme",
    "changethis",
    "changetoacomplex",
    "replaceme",
    "replacethis",
    "placeholder",
    "yoursecret",
    "yourownrandom",
    "your256bit",
    "256bitsecret",
    "atleast256bits",
    "atleast32char",
    "supersecret",
    "thisisasecret",
    "secretkey",
];

/// Whole secrets that were once some product's default.
const DEFAULTS: [&str; 2] = ["c292a0a3aa32397cdb050e233733900f", "thisismyscretkey"];

impl Key {
    /// A shared secret of at least 256 bits, for HS256.
    ///
    /// # Errors
    /// `weak_key` for fewer than 32 bytes, for a secret that is known from manuals, and for one that repeats itself.
    pub fn secret(secret: &[u8]) -> Result<Self> {
        if secret.len() < SECRET_BYTES {
            let bits = secret.len() * 8;
            return Err(weak(format!(
                "the secret has {bits} bits, and at least 256 (32 bytes) are needed"
            )));
        }
        let plain: String = String::from_utf8_lossy(secret)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if KNOWN.iter().any(|k| plain.contains(k)) || DEFAULTS.contains(&plain.as_str()) {
            return Err(weak(
                "the secret is one that is printed in manuals or sample files".to_owned(),
            ));
        }
        let mut distinct = secret.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let repeats = (1..=secret.len() / 2).any(|n| {
            secret
                .iter()
                .zip(secret.iter().skip(n))
                .all(|(a, b)| a == b)
        });
        if distinct.len() < 8 || repeats {
            return Err(weak(
                "the secret repeats itself and can be guessed".to_owned(),
            ));
        }
        Ok(Self {
            id: None,
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret),
        })
    }

    /// A public key in PEM: RSA of at least 2048 bits for RS256, P-256 for ES256, Ed25519 for EdDSA.
    ///
    /// # Errors
    /// `invalid_key` where the text is none of these, or is a private key.
    pub fn pem(text: &str) -> Result<Self> {
        if text.contains("PRIVATE KEY") {
            return Err(invalid(
                "the PEM holds a private key; the server needs only the public one".to_owned(),
            ));
        }
        let bytes = text.as_bytes();
        let key = DecodingKey::from_ec_pem(bytes)
            .or_else(|_| DecodingKey::from_ed_pem(bytes))
            .or_else(|_| DecodingKey::from_rsa_pem(bytes))
            .map_err(|e| {
                invalid("the PEM holds no RSA, P-256 or Ed25519 public key".to_owned()).caused_by(e)
            })?;
        Self::public(None, key)
    }

    /// The signing keys of a JWKS document. Keys for other uses or algorithms are passed over; shared secrets are refused.
    ///
    /// # Errors
    /// `invalid_key` where the document is no JWKS, holds a secret, a key that is too short, or no key of use.
    pub fn jwks(document: &str) -> Result<Vec<Self>> {
        let set: JwkSet = serde_json::from_str(document)
            .map_err(|e| invalid(format!("the document is not a JWKS: {e}")).caused_by(e))?;
        let mut keys: Vec<Self> = Vec::new();
        for jwk in &set.keys {
            if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
                return Err(invalid(
                    "the JWKS holds a shared secret; only public keys belong there".to_owned(),
                ));
            }
            let signs = jwk
                .common
                .public_key_use
                .as_ref()
                .is_none_or(|u| *u == PublicKeyUse::Signature);
            let Some(algorithm) = algorithm_of(jwk).filter(|_| signs) else {
                continue;
            };
            if jwk
                .common
                .key_algorithm
                .is_some_and(|named| named != KeyAlgorithm::from(algorithm))
            {
                continue;
            }
            let key = DecodingKey::from_jwk(jwk).map_err(|e| {
                invalid(format!("a key of the JWKS cannot be read: {e}")).caused_by(e)
            })?;
            let id = jwk.common.key_id.clone();
            if id.is_some() && keys.iter().any(|k| k.id == id) {
                return Err(invalid(
                    "two keys of the JWKS have the same `kid`".to_owned(),
                ));
            }
            keys.push(Self::public(id, key)?);
        }
        if keys.is_empty() {
            return Err(invalid(
                "the JWKS holds no signing key for RS256, ES256 or EdDSA".to_owned(),
            ));
        }
        Ok(keys)
    }

    /// Gives the key the id that tokens name in `kid`.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The algorithm it is used for, for example `ES256`.
    pub fn algorithm(&self) -> &'static str {
        name(self.algorithm)
    }

    fn public(id: Option<String>, key: DecodingKey) -> Result<Self> {
        let jwk = Jwk::from_decoding_key(&key, None)
            .map_err(|e| invalid(format!("the public key cannot be read: {e}")).caused_by(e))?;
        if let AlgorithmParameters::RSA(rsa) = &jwk.algorithm {
            // Four characters of base64 are three bytes.
            let bytes = rsa.n.len() * 3 / 4;
            if bytes < RSA_BYTES {
                return Err(invalid(format!(
                    "the RSA key has {} bits, and at least 2048 are needed",
                    bytes * 8
                )));
            }
        }
        let algorithm = algorithm_of(&jwk).ok_or_else(|| {
            invalid("the key is of no supported kind; RSA, P-256 and Ed25519 are".to_owned())
        })?;
        Ok(Self { id, algorithm, key })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// The name of one of the four algorithms in use.
pub(super) fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS256 => "HS256",
        Algorithm::RS256 => "RS256",
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
        _ => "none",
    }
}

fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => {
            Some(Algorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(p) if p.curve == EllipticCurve::Ed25519 => {
            Some(Algorithm::EdDSA)
        }
        _ => None,
    }
}

fn weak(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "weak_key", message)
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, "invalid_key", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_needs_256_bits_that_nobody_can_guess() {
        let weak = [
            "",
            "short",
            "your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "replace-me-with-a-random-string-0123456789",
            "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
            "super-secret-jwt-token-with-at-least-32-characters-long",
            "c292a0a3aa32397cdb050e233733900f",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "0123456789abcdef0123456789abcdef",
            "my-secret-key-my-own-secret-key-1",
        ];
        for secret in weak {
            assert_eq!(
                Key::secret(secret.as_bytes()).unwrap_err().code(),
                "weak_key",
                "{secret}"
            );
        }
        assert_eq!(
            Key::secret(b"Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKa")
                .unwrap_err()
                .code(),
            "weak_key",
            "31 bytes"
        );
        assert_eq!(
            Key::secret(b"Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE")
                .unwrap()
                .algorithm(),
            "HS256"
        );
    }

    #[test]
    fn a_key_never_shows_itself_in_a_log() {
        let key = Key::secret(b"Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE").unwrap();
        assert_eq!(
            format!("{key:?}"),
            "Key { id: None, algorithm: \"HS256\", .. }"
        );
    }
}
