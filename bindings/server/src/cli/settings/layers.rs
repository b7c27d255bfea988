//! What counts of the settings: flags and variables over those of the file, and these over the defaults.

use std::path::Path;

use super::{Settings, read};
use crate::Limits;
use crate::cli::failure::Failure;

impl Settings {
    /// The settings with those of the file underneath, and the defaults under these.
    pub(in crate::cli) fn with_file(self) -> Result<Self, Failure> {
        let file = self.file()?;
        Ok(self.over(file).over(Self::defaults()))
    }

    /// Those of the file alone; none without one.
    pub(in crate::cli) fn file(&self) -> Result<Self, Failure> {
        let Some(path) = &self.config else {
            return Ok(Self::default());
        };
        let text = read("--config", path)?;
        toml::from_str(&text).map_err(|e| {
            Failure::invalid(format!(
                "--config: `{}` cannot be read: {e}",
                path.display()
            ))
        })
    }

    /// Where the file is.
    pub(in crate::cli) fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// What counts where nothing is set.
    fn defaults() -> Self {
        const NAME: &str = "travelsense";
        let limits = Limits::default();
        let text = |text: &str| Some(text.to_owned());
        Self {
            bind: text("127.0.0.1:8080"),
            jwt_issuer: text(NAME),
            jwt_audience: text(NAME),
            max_running: Some(limits.running),
            max_connections: Some(limits.connections.min(files() / 2)),
            timeout: text("30s"),
            rate_limit: text("100"),
            cache: text("64"),
            shutdown_delay: text("0s"),
            smtp_from: text("travelsense@localhost"),
            log: text("info"),
            log_format: text("text"),
            ..Self::default()
        }
    }

    /// These, and where they say nothing the others.
    fn over(self, under: Self) -> Self {
        fn list<T>(own: Vec<T>, under: Vec<T>) -> Vec<T> {
            if own.is_empty() { under } else { own }
        }
        Self {
            config: self.config,
            data: self.data.or(under.data),
            bind: self.bind.or(under.bind),
            jwt_secret: self.jwt_secret.or(under.jwt_secret),
            jwt_secret_file: self.jwt_secret_file.or(under.jwt_secret_file),
            jwt_public_key: list(self.jwt_public_key, under.jwt_public_key),
            jwt_jwks: self.jwt_jwks.or(under.jwt_jwks),
            jwt_issuer: self.jwt_issuer.or(under.jwt_issuer),
            jwt_audience: self.jwt_audience.or(under.jwt_audience),
            max_running: self.max_running.or(under.max_running),
            max_connections: self.max_connections.or(under.max_connections),
            timeout: self.timeout.or(under.timeout),
            rate_limit: self.rate_limit.or(under.rate_limit),
            metadata: self.metadata.or(under.metadata),
            cache: self.cache.or(under.cache),
            shutdown_delay: self.shutdown_delay.or(under.shutdown_delay),
            audit_anchor: self.audit_anchor.or(under.audit_anchor),
            audit_anchor_key: self.audit_anchor_key.or(under.audit_anchor_key),
            webhook_secret: self.webhook_secret.or(under.webhook_secret),
            webhook_allow: list(self.webhook_allow, under.webhook_allow),
            smtp: self.smtp.or(under.smtp),
            smtp_from: self.smtp_from.or(under.smtp_from),
            follow: list(self.follow, under.follow),
            #[cfg(feature = "otel")]
            otlp: self.otlp.or(under.otlp),
            log: self.log.or(under.log),
            log_format: self.log_format.or(under.log_format),
        }
    }
}

/// How many files this process may have open; each connection is one, and the store has its own.
fn files() -> u32 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|l| l.starts_with("Max open files"));
    let most = line.and_then(|l| l.split_whitespace().nth(3)?.parse().ok());
    most.unwrap_or(u32::MAX)
}
