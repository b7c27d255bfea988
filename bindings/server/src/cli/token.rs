//! `travelsense token`: mints a token for the server.

use travelsense::access::{Claims, mint, permissions};
use travelsense::{Instant, Options, Principal, Window};

use super::failure::Failure;
use super::settings::Signing;
use super::{Outcome, output};

/// Makes a token that the server accepts, with the secret the server has
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example, with TRAVELSENSE_JWT_SECRET set as for the server:
  curl -H \"Authorization: Bearer $(travelsense token --sub alice --role analyst)\" http://127.0.0.1:8080/api/…"
)]
pub(super) struct Token {
    #[command(flatten)]
    signing: Signing,
    /// The user's id
    #[arg(long, value_name = "ID")]
    sub: String,
    /// admin, analyst, viewer, or collector, which may only send events
    #[arg(long, value_name = "ROLE", default_value = "viewer")]
    role: String,
    /// How long the token is valid, such as 30m, 8h or 7d
    #[arg(long, value_name = "LENGTH", default_value = "8h")]
    expires: String,
}

impl Token {
    /// Mints it and writes it.
    pub(super) fn run(self) -> Outcome {
        let settings = self.signing.settings()?;
        let secret = settings.secret()?.ok_or_else(|| {
            Failure::invalid(
                "no secret to sign with: set TRAVELSENSE_JWT_SECRET or --jwt-secret-file",
            )
        })?;
        if self.sub.is_empty() {
            return Err(Failure::invalid("--sub must not be empty"));
        }
        if permissions(&Principal::new(&self.sub, &self.role)).is_empty() {
            return Err(Failure::invalid(format!(
                "--role: the role `{}` is not known and has no permissions; admin, analyst, viewer and collector have some",
                self.role
            )));
        }
        let valid = Window::parse(&self.expires)
            .filter(|w| w.micros() > 0)
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "--expires: `{}` is not a length of time such as 30m, 8h or 7d",
                    self.expires
                ))
            })?;
        let (issuer, audience) = (settings.issuer(), settings.audience());
        let token = signed(
            &secret,
            &self.sub,
            &self.role,
            (issuer, audience),
            valid,
            now(),
        )?;
        Ok(output::line(&token)?)
    }
}

/// A token for a user, from an issuer to an audience, valid from `now` on.
pub(super) fn signed(
    secret: &[u8],
    sub: &str,
    role: &str,
    (issuer, audience): (&str, &str),
    valid: Window,
    now: Instant,
) -> travelsense::Result<String> {
    let claims = Claims {
        sub: sub.to_owned(),
        role: role.to_owned(),
        iss: issuer.to_owned(),
        aud: audience.to_owned(),
        iat: now,
        exp: Instant::saturating_from_micros(now.micros().saturating_add(valid.micros())),
    };
    mint(secret, &claims)
}

/// What time it is by the clock that stores use.
pub(super) fn now() -> Instant {
    (Options::default().clock)()
}
