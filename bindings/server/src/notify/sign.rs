//! Signatures of webhooks as Standard Webhooks has them: `webhook-id`, `webhook-timestamp`, `webhook-signature`.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Secrets that sign: the newest first, and the one before it while receivers change over.
#[derive(Clone)]
pub struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    /// Reads `whsec_…`, or two of them separated by a space or a comma; each is base64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and does not repeat the secret.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut secrets = Vec::new();
        for secret in text.split([' ', ',']).filter(|s| !s.is_empty()) {
            let encoded = secret
                .strip_prefix("whsec_")
                .ok_or("a webhook secret begins with `whsec_`")?;
            let key = STANDARD
                .decode(encoded)
                .map_err(|_| "what follows `whsec_` must be base64")?;
            if !(24..=64).contains(&key.len()) {
                return Err(format!(
                    "a webhook secret has 24 to 64 bytes, and this one has {}",
                    key.len()
                ));
            }
            secrets.push(key);
        }
        match secrets.len() {
            1 | 2 => Ok(Self(secrets)),
            0 => Err("there is no webhook secret".to_owned()),
            _ => Err("there are more than two webhook secrets".to_owned()),
        }
    }

    /// The `webhook-signature` of a body: one `v1,…` for each secret, separated by spaces.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signatures = self.0.iter().filter_map(|key| {
            // Every length of key is a key to HMAC.
            let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            let code = mac.finalize().into_bytes();
            Some(format!("v1,{}", STANDARD.encode(code)))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_published_example_has_its_published_signature() {
        let secrets = Secrets::read(SECRET).unwrap();
        let signature = secrets.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn python_alone_comes_to_the_same_signatures() {
        // Of the standard library only; the second secret is the one that is being replaced.
        let program = "
import base64, hashlib, hmac, sys
secrets, id, timestamp, body = sys.argv[1:]
print(' '.join('v1,' + base64.b64encode(hmac.new(base64.b64decode(s.removeprefix('whsec_')), f'{id}.{timestamp}.{body}'.encode(), hashlib.sha256).digest()).decode() for s in secrets.split()), end='')
";
        let both = format!("whsec_{} {SECRET}", STANDARD.encode([7; 32]));
        let body = "{\"type\":\"alert.firing\",\"name\":\"Zürich ✈\"}";
        let told = std::process::Command::new("python3")
            .args(["-c", program, &both, "msg_1", "1790000000", body])
            .output()
            .expect("python3");
        let signed = Secrets::read(&both)
            .unwrap()
            .sign("msg_1", 1_790_000_000, body.as_bytes());
        assert_eq!(String::from_utf8_lossy(&told.stdout), signed);
    }

    #[test]
    fn a_secret_that_is_none_is_refused_and_not_repeated() {
        for (text, says) in [
            ("", "no webhook secret"),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "begins with"),
            ("whsec_!!!", "base64"),
            ("whsec_c2hvcnQ=", "24 to 64"),
        ] {
            let message = Secrets::read(text).unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
            assert!(!message.contains("c2hvcnQ"));
        }
        let three = [SECRET; 3].join(",");
        assert!(Secrets::read(&three).is_err());
        assert_eq!(
            format!("{:?}", Secrets::read(SECRET).unwrap()),
            "Secrets(1)"
        );
    }
}
