//! Settings of the server: one name in three places. A flag wins over the environment, which wins over the file.

mod layers;
mod signing;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use travelsense::access::{Key, Signer, Verifier};
use travelsense::events::Mapping;
use travelsense::{Options, Window};

pub(super) use self::signing::Signing;
use super::failure::Failure;
use super::store;
use crate::anchor::Anchors;
use crate::notify::{Allowed, Mail, Notifier, Outgoing, Secrets};
use crate::source::{self, Follow, Notes};
#[cfg(feature = "otel")]
use crate::traces::Traces;
use crate::{FetchedKeys, Limits};

/// Everything that can be set. In the file, `--jwt-issuer` is `jwt-issuer = "…"`; in the environment, `TRAVELSENSE_JWT_ISSUER`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, clap::Args)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// A settings file in TOML; its names are those of these flags, without the dashes in front
    #[arg(long, value_name = "FILE", env = "TRAVELSENSE_CONFIG")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// The folder (or the DuckDB file) that holds the events
    #[arg(long, value_name = "DIR", env = "TRAVELSENSE_DATA")]
    data: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "TRAVELSENSE_BIND")]
    bind: Option<String>,
    /// The secret of HS256 tokens, at least 32 bytes; other users of this machine can see flags, so prefer a file
    #[arg(
        long,
        value_name = "SECRET",
        env = "TRAVELSENSE_JWT_SECRET",
        hide_env_values = true
    )]
    jwt_secret: Option<String>,
    /// A file with the secret of HS256 tokens
    #[arg(long, value_name = "FILE", env = "TRAVELSENSE_JWT_SECRET_FILE")]
    jwt_secret_file: Option<PathBuf>,
    /// A PEM file with the public key of RS256, ES256 or EdDSA tokens; `KID=FILE` gives it an id; may be repeated
    #[arg(
        long,
        value_name = "[KID=]FILE",
        env = "TRAVELSENSE_JWT_PUBLIC_KEY",
        value_delimiter = ','
    )]
    jwt_public_key: Vec<String>,
    /// A JWKS with the public keys of tokens: a file, or an https:// address from which they are fetched
    #[arg(long, value_name = "FILE|URL", env = "TRAVELSENSE_JWT_JWKS")]
    jwt_jwks: Option<String>,
    /// Who must have issued a token (`iss`) [default: travelsense]
    #[arg(long, value_name = "NAME", env = "TRAVELSENSE_JWT_ISSUER")]
    jwt_issuer: Option<String>,
    /// Whom a token must be for (`aud`) [default: travelsense]
    #[arg(long, value_name = "NAME", env = "TRAVELSENSE_JWT_AUDIENCE")]
    jwt_audience: Option<String>,
    /// How many questions are answered at once [default: one a core]
    #[arg(long, value_name = "N", env = "TRAVELSENSE_MAX_RUNNING")]
    max_running: Option<usize>,
    /// How many connections are open at once; others wait [default: 2048, or half of the files that may be open]
    #[arg(long, value_name = "N", env = "TRAVELSENSE_MAX_CONNECTIONS")]
    max_connections: Option<u32>,
    /// How long an answer may take, such as 30s [default: 30s]
    #[arg(long, value_name = "LENGTH", env = "TRAVELSENSE_TIMEOUT")]
    timeout: Option<String>,
    /// How many requests a second each user may send, or `off` [default: 100]
    #[arg(long, value_name = "N", env = "TRAVELSENSE_RATE_LIMIT")]
    rate_limit: Option<String>,
    /// Where dashboards and the record are kept, such as postgres://user@host/database [default: a file beside the events]
    #[arg(
        long,
        value_name = "URL",
        env = "TRAVELSENSE_METADATA",
        hide_env_values = true
    )]
    metadata: Option<String>,
    /// How many MiB of answers are kept for those who ask the same within two seconds, or `off` [default: 64]
    #[arg(long, value_name = "MIB", env = "TRAVELSENSE_CACHE")]
    cache: Option<String>,
    /// How long the server goes on after a signal while `/ready` says that it will stop, such as 5s [default: 0s]
    #[arg(long, value_name = "LENGTH", env = "TRAVELSENSE_SHUTDOWN_DELAY")]
    shutdown_delay: Option<String>,
    /// A file outside of the data folder that grows by a signed line whenever the record has grown
    #[arg(long, value_name = "FILE", env = "TRAVELSENSE_AUDIT_ANCHOR")]
    audit_anchor: Option<PathBuf>,
    /// The private key that signs those lines, as a PEM file of an Ed25519 or a P-256 key
    #[arg(long, value_name = "FILE", env = "TRAVELSENSE_AUDIT_ANCHOR_KEY")]
    audit_anchor_key: Option<PathBuf>,
    /// What signs webhooks: `whsec_` and the base64 of 24 to 64 random bytes; two of them, separated by a space, while
    /// receivers change over
    #[arg(
        long,
        value_name = "SECRET",
        env = "TRAVELSENSE_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    webhook_secret: Option<String>,
    /// An address or a network of this network that webhooks may call all the same, such as 10.1.0.0/16; may be repeated
    #[arg(
        long,
        value_name = "NETWORK",
        env = "TRAVELSENSE_WEBHOOK_ALLOW",
        value_delimiter = ','
    )]
    webhook_allow: Vec<String>,
    /// The server that takes e-mail, such as smtps://user:password@mail.example.com
    #[arg(
        long,
        value_name = "URL",
        env = "TRAVELSENSE_SMTP",
        hide_env_values = true
    )]
    smtp: Option<String>,
    /// From whom e-mail is [default: travelsense@localhost]
    #[arg(long, value_name = "ADDRESS", env = "TRAVELSENSE_SMTP_FROM")]
    smtp_from: Option<String>,
    /// Where events are taken from while the server runs: a file, a folder, nats://host/STREAM, or
    /// postgres://user@host/database?table=NAME&cursor=COLUMN; may be repeated. In the file, [[follow]] with `from` and the columns, such as
    /// `user = "customer_id"`
    #[arg(
        long,
        value_name = "SOURCE",
        env = "TRAVELSENSE_FOLLOW",
        hide_env_values = true
    )]
    follow: Vec<Follow>,
    /// The collector of OpenTelemetry that traces of requests are sent to, such as http://127.0.0.1:4318
    #[cfg(feature = "otel")]
    #[arg(long, value_name = "URL", env = "TRAVELSENSE_OTLP")]
    otlp: Option<String>,
    /// What to log, such as `info` or `travelsense_server=debug` [default: info]
    #[arg(long, value_name = "FILTER", env = "TRAVELSENSE_LOG")]
    log: Option<String>,
    /// `text` for people or `json` for machines [default: text]
    #[arg(long, value_name = "FORMAT", env = "TRAVELSENSE_LOG_FORMAT")]
    log_format: Option<String>,
}

/// The log while it is written, with the traces that are still to be sent.
#[derive(Debug)]
pub(super) struct Log(
    #[cfg(feature = "otel")]
    #[expect(dead_code, reason = "it is there to be dropped")]
    Option<Traces>,
);

/// A token that names a key which is not known has the keys fetched, but only once in so long.
const KEYS_PAUSE: Duration = Duration::from_secs(30);

/// Files of keys and settings are small; anything larger is a mistake.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

impl Settings {
    pub(super) fn data(&self) -> Result<&Path, Failure> {
        self.data.as_deref().ok_or_else(|| {
            Failure::invalid(
                "--data (or TRAVELSENSE_DATA) is required: the folder that holds the events",
            )
        })
    }

    pub(super) fn bind(&self) -> &str {
        self.bind.as_deref().unwrap_or_default()
    }

    pub(super) fn issuer(&self) -> &str {
        self.jwt_issuer.as_deref().unwrap_or_default()
    }

    pub(super) fn audience(&self) -> &str {
        self.jwt_audience.as_deref().unwrap_or_default()
    }

    /// The secret of HS256 tokens, if there is one.
    pub(super) fn secret(&self) -> Result<Option<Vec<u8>>, Failure> {
        match (&self.jwt_secret, &self.jwt_secret_file) {
            (Some(_), Some(_)) => Err(Failure::invalid(
                "--jwt-secret and --jwt-secret-file are both set; one of them is enough",
            )),
            (Some(secret), None) => Ok(Some(secret.clone().into_bytes())),
            // Editors end files with a line end, which is no part of the secret.
            (None, Some(path)) => Ok(Some(
                read("--jwt-secret-file", path)?
                    .trim_end_matches(['\r', '\n'])
                    .as_bytes()
                    .to_vec(),
            )),
            (None, None) => Ok(None),
        }
    }

    /// Keys that are fetched from a URL, if they are.
    pub(super) fn fetched(&self) -> Result<Option<FetchedKeys>, Failure> {
        let Some(url) = self.jwks_url() else {
            return Ok(None);
        };
        let names = (self.issuer(), self.audience());
        FetchedKeys::new(url, self.keys()?, names, KEYS_PAUSE)
            .map(Some)
            .map_err(|why| Failure::invalid(format!("--jwt-jwks: `{url}`: {why}")))
    }

    fn jwks_url(&self) -> Option<&str> {
        self.jwt_jwks
            .as_deref()
            .filter(|given| given.contains("://"))
    }

    fn jwks_file(&self) -> Option<&Path> {
        let file = self
            .jwt_jwks
            .as_deref()
            .filter(|given| !given.contains("://"));
        file.map(Path::new)
    }

    /// Verifies tokens with all keys that are set; without any the server does not start.
    pub(super) fn verifier(&self) -> Result<Verifier, Failure> {
        let keys = self.keys()?;
        if keys.is_empty() {
            return Err(Failure::invalid(
                "no key to verify tokens with: set TRAVELSENSE_JWT_SECRET (at least 32 random bytes; \
                 `openssl rand -base64 48` makes some), --jwt-secret-file, --jwt-public-key or --jwt-jwks",
            ));
        }
        Ok(Verifier::new(keys, self.issuer(), self.audience())?)
    }

    /// All keys that are set and not fetched.
    fn keys(&self) -> Result<Vec<Key>, Failure> {
        let mut keys = Vec::new();
        if let Some(secret) = self.secret()? {
            keys.push(
                Key::secret(&secret).map_err(|e| Failure::invalid(format!("--jwt-secret: {e}")))?,
            );
        }
        for given in &self.jwt_public_key {
            let (id, path) = given
                .split_once('=')
                .map_or((None, given.as_str()), |(id, path)| (Some(id), path));
            let pem = read("--jwt-public-key", Path::new(path))?;
            let key = Key::pem(&pem)
                .map_err(|e| Failure::invalid(format!("--jwt-public-key: `{path}`: {e}")))?;
            keys.push(match id {
                Some(id) => key.with_id(id),
                None => key,
            });
        }
        if let Some(path) = self.jwks_file() {
            let document = read("--jwt-jwks", path)?;
            keys.extend(
                Key::jwks(&document).map_err(|e| {
                    Failure::invalid(format!("--jwt-jwks: `{}`: {e}", path.display()))
                })?,
            );
        }
        Ok(keys)
    }

    /// How much the server takes on.
    pub(super) fn limits(&self) -> Result<Limits, Failure> {
        let mut limits = Limits::default();
        limits.running = self.max_running.unwrap_or(limits.running);
        limits.connections = self.max_connections.unwrap_or(limits.connections);
        if !(1..=1_024).contains(&limits.running) {
            return Err(Failure::invalid(
                "--max-running must be at least 1, and at most 1,024",
            ));
        }
        if limits.connections == 0 {
            return Err(Failure::invalid("--max-connections must be at least 1"));
        }
        let text = self.timeout.as_deref().unwrap_or_default();
        limits.timeout = length("--timeout", text)?;
        if limits.timeout.is_zero() {
            return Err(Failure::invalid(
                "--timeout: must be longer than nothing, such as 30s or 2m",
            ));
        }
        limits.cache = match self.cache.as_deref().unwrap_or_default() {
            "off" => 0,
            text => match text.parse::<u32>() {
                Ok(mib) => u64::from(mib) * 1024 * 1024,
                Err(_) => {
                    return Err(Failure::invalid(format!(
                        "--cache: `{text}` is neither a number of MiB nor `off`"
                    )));
                }
            },
        };
        limits.rate = match self.rate_limit.as_deref().unwrap_or_default() {
            "off" => None,
            text => match text.parse::<u32>() {
                Ok(rate) if rate > 0 => Some(rate),
                _ => {
                    return Err(Failure::invalid(format!(
                        "--rate-limit: `{text}` is neither a number of requests a second nor `off`"
                    )));
                }
            },
        };
        Ok(limits)
    }

    /// How long the server goes on after a signal.
    pub(super) fn shutdown_delay(&self) -> Result<Duration, Failure> {
        let text = self.shutdown_delay.as_deref().unwrap_or_default();
        length("--shutdown-delay", text)
    }

    /// Where the record is anchored, if it is.
    pub(super) fn anchors(&self) -> Result<Option<Anchors>, Failure> {
        let (file, key) = match (&self.audit_anchor, &self.audit_anchor_key) {
            (None, None) => return Ok(None),
            (Some(file), Some(key)) => (file, key),
            _ => {
                return Err(Failure::invalid(
                    "--audit-anchor and --audit-anchor-key go together",
                ));
            }
        };
        let folder = |path: &Path| std::fs::canonicalize(path).ok();
        let beside = file.parent().filter(|p| !p.as_os_str().is_empty());
        let beside = folder(beside.unwrap_or(Path::new(".")));
        let data = self.data.as_deref().and_then(folder);
        // Whoever can rewrite the record must not be able to rewrite its anchors along with it.
        if let (Some(beside), Some(data)) = (beside, data)
            && beside.starts_with(&data)
        {
            return Err(Failure::invalid(format!(
                "--audit-anchor: `{}` lies within the data folder",
                file.display()
            )));
        }
        let signer = Signer::pem(&read("--audit-anchor-key", key)?).map_err(|e| {
            Failure::invalid(format!("--audit-anchor-key: `{}`: {e}", key.display()))
        })?;
        Ok(Some(Anchors::new(file.clone(), signer)))
    }

    /// By what notifications leave.
    pub(super) fn notifier(&self) -> Result<Notifier, Failure> {
        let wrong =
            |flag: &'static str| move |why: String| Failure::invalid(format!("{flag}: {why}"));
        let secrets = self.webhook_secret.as_deref().map(Secrets::read);
        let from = self.smtp_from.as_deref().unwrap_or_default();
        let mail = self.smtp.as_deref().map(|url| Mail::new(url, from));
        let outgoing = Outgoing {
            secrets: secrets.transpose().map_err(wrong("--webhook-secret"))?,
            allowed: Allowed::read(&self.webhook_allow).map_err(wrong("--webhook-allow"))?,
            mail: mail.transpose().map_err(wrong("--smtp"))?,
        };
        Notifier::new(outgoing).map_err(Failure::failed)
    }

    /// Where events are taken from while the server runs, and how.
    pub(super) fn sources(&self) -> Result<Vec<(Follow, Mapping)>, Failure> {
        let notes = Notes::none(&store::file(self.data()?));
        let read = self.follow.iter().map(|follow| {
            // Whoever is named wrongly is said before the server starts; whoever does not answer may do so later.
            source::feed(&follow.from, &notes)
                .map_err(|e| Failure::invalid(format!("--follow: {e}")))?;
            let mapping = follow.mapping().map_err(|error| {
                let fields = error.field_errors().iter();
                let lines: Vec<String> = fields
                    .map(|f| format!("{} {}", f.field, f.message))
                    .collect();
                Failure::invalid(format!("--follow: {}", lines.join("; ")))
            })?;
            Ok((follow.clone(), mapping))
        });
        read.collect()
    }

    /// How to open the store of events and what is kept beside it.
    pub(super) fn options(&self) -> Options {
        Options {
            metadata: self.metadata.clone(),
            ..Options::default()
        }
    }

    /// When the file of keys that may be exchanged was written last; nothing without such a file.
    pub(super) fn keys_written(&self) -> Option<SystemTime> {
        let path = self.jwks_file()?;
        std::fs::metadata(path).and_then(|m| m.modified()).ok()
    }

    /// What is logged.
    fn log_filter(&self) -> Result<EnvFilter, Failure> {
        let text = self.log.as_deref().unwrap_or_default();
        EnvFilter::try_new(text).map_err(|e| Failure::invalid(format!("--log: `{text}`: {e}")))
    }

    /// Whether the log is JSON.
    fn log_is_json(&self) -> Result<bool, Failure> {
        match self.log_format.as_deref().unwrap_or_default() {
            "text" => Ok(false),
            "json" => Ok(true),
            other => Err(Failure::invalid(format!(
                "--log-format: `{other}` is not one of text, json"
            ))),
        }
    }

    /// Starts the log on standard error, and traces where a collector is set; they last as long as what is given.
    pub(super) fn start_log(&self) -> Result<Log, Failure> {
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let log = if self.log_is_json()? {
            log.json().flatten_event(true).boxed()
        } else {
            log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
                .boxed()
        };
        let started = tracing_subscriber::registry()
            .with(self.log_filter()?)
            .with(log);
        let failed = |e| Failure::failed(format!("the log cannot be started: {e}"));
        #[cfg(feature = "otel")]
        {
            let traces = self.otlp.as_deref().map(Traces::to);
            let traces = traces
                .transpose()
                .map_err(|why| Failure::invalid(format!("--otlp: {why}")))?;
            let layer = traces.as_ref().map(Traces::layer);
            started.with(layer).try_init().map_err(failed)?;
            Ok(Log(traces))
        }
        #[cfg(not(feature = "otel"))]
        {
            started.try_init().map_err(failed)?;
            Ok(Log())
        }
    }

    /// Everything that keeps a server with these settings from starting, without starting one.
    pub(super) fn faults(&self) -> Vec<Failure> {
        [
            self.data().err(),
            match self.fetched() {
                Ok(Some(_)) => None,
                Ok(None) => self.verifier().err(),
                Err(failure) => Some(failure),
            },
            self.limits().err(),
            self.shutdown_delay().err(),
            self.notifier().err(),
            self.data().ok().and_then(|_| self.sources().err()),
            self.anchors().err(),
            self.log_filter().err(),
            self.log_is_json().err(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A length of time.
fn length(flag: &str, text: &str) -> Result<Duration, Failure> {
    let window = Window::parse(text).ok_or_else(|| {
        Failure::invalid(format!(
            "{flag}: `{text}` is not a length of time such as 30s or 2m"
        ))
    })?;
    Ok(Duration::from_micros(window.micros().unsigned_abs()))
}

fn read(flag: &str, path: &Path) -> Result<String, Failure> {
    let refuse = |why: String| Failure::invalid(format!("{flag}: `{}` {why}", path.display()));
    // A device says of itself that it has no size, and never ends.
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
        .map_err(|e| refuse(format!("cannot be read: {e}")))?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(refuse("is larger than 1 MiB".to_owned()));
    }
    Ok(text)
}
