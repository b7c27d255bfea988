//! Keys of a JWKS at a URL: fetched when the server starts, again every few minutes, and where a token names one that is not known.

use std::time::Duration;

use reqwest::{Client, Url, redirect};
use tokio::sync::Mutex;
use tokio::time::Instant;
use travelsense::access::{Key, Verifier};

use crate::service::Service;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// No honest set of keys is larger.
const MOST: usize = 1024 * 1024;

/// How often the keys are fetched whether or not anybody misses one.
pub(crate) const REFRESH: Duration = Duration::from_secs(300);

/// Where keys are fetched from, and what they are good for.
#[derive(Debug)]
pub struct FetchedKeys {
    client: Client,
    url: Url,
    /// Keys that are known without asking.
    own: Vec<Key>,
    issuer: String,
    audience: String,
    /// Tokens that name keys which are not known can be made by anybody: they have the keys fetched once in so long.
    pause: Duration,
    last: Mutex<Option<Instant>>,
}

impl FetchedKeys {
    /// Keys of the JWKS at a URL, beside some that are known without asking.
    ///
    /// # Errors
    /// A sentence that says why nothing can be fetched from there: only `https` keeps others from putting in keys of theirs, and
    /// `http` does on this machine.
    pub fn new(
        url: &str,
        own: Vec<Key>,
        (issuer, audience): (&str, &str),
        pause: Duration,
    ) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|e| format!("it is no URL: {e}"))?;
        let host = url.host_str().unwrap_or_default();
        let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if !(url.scheme() == "https" || url.scheme() == "http" && here) {
            return Err("it must begin with https://".to_owned());
        }
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("travelsense/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| format!("requests cannot be sent from here: {e}"))?;
        Ok(Self {
            client,
            url,
            own,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            pause,
            last: Mutex::default(),
        })
    }

    /// What verifies tokens by the keys that are there now.
    ///
    /// # Errors
    /// A sentence that says why they could not be had.
    pub async fn fetch(&self) -> Result<Verifier, String> {
        let told = |e: reqwest::Error| e.without_url().to_string();
        let request = self.client.get(self.url.clone());
        let mut response = request.send().await.map_err(told)?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let mut document = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(told)? {
            document.extend_from_slice(&piece);
            if document.len() > MOST {
                return Err("it is larger than 1 MiB".to_owned());
            }
        }
        let document = String::from_utf8(document).map_err(|_| "it is no text".to_owned())?;
        let mut keys = self.own.clone();
        keys.extend(Key::jwks(&document).map_err(|e| e.to_string())?);
        Verifier::new(keys, &self.issuer, &self.audience).map_err(|e| e.to_string())
    }

    /// Has a server verify by the keys that are there now, unless it was done a moment ago; keys that cannot be had leave it as it is.
    pub(crate) async fn refresh(&self, service: &Service) {
        // Whoever waits here meanwhile finds the new keys in use.
        let mut last = self.last.lock().await;
        if last.is_some_and(|at| at.elapsed() < self.pause) {
            return;
        }
        *last = Some(Instant::now());
        match self.fetch().await {
            Ok(verifier) => {
                service.rotate(verifier);
                tracing::debug!("the keys were fetched");
            }
            Err(why) => tracing::error!(why, "the keys cannot be fetched and stay as they are"),
        }
    }
}
