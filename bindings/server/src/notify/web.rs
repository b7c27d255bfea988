//! Notifications by HTTP: webhooks, and messages as Slack takes them. No redirect is followed, no proxy is used, and every address is
//! looked at when it is connected to, whatever the name said before.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use serde_json::{Value, json};
use travelsense::analytics::Attempt;
use travelsense::metadata::Note;

use super::allowed::Allowed;
use super::sign::Secrets;

/// Sends requests.
#[derive(Debug)]
pub(super) struct Web {
    client: Client,
    secrets: Option<Secrets>,
    allowed: Arc<Allowed>,
}

/// Why a name or an address is not called.
#[derive(Debug)]
struct Refused {
    host: String,
    why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` leads to an address that is {}",
            self.host, self.why
        )
    }
}

impl std::error::Error for Refused {}

/// Resolves names, and leaves out what must not be called.
struct Guard(Arc<Allowed>);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.0);
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let refused = found.iter().find_map(|a| allowed.refuses(a.ip()));
            let callable: Vec<SocketAddr> = found
                .into_iter()
                .filter(|a| allowed.refuses(a.ip()).is_none())
                .collect();
            match refused {
                Some(why) if callable.is_empty() => {
                    let host = host.to_owned();
                    Err(Refused { host, why }.into())
                }
                _ => Ok(Box::new(callable.into_iter()) as Addrs),
            }
        })
    }
}

impl Web {
    pub(super) fn new(
        secrets: Option<Secrets>,
        allowed: Allowed,
        patience: Duration,
    ) -> Result<Self, String> {
        let allowed = Arc::new(allowed);
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .dns_resolver(Arc::new(Guard(Arc::clone(&allowed))))
            .timeout(patience)
            .connect_timeout(patience / 2)
            .user_agent(concat!("travelsense/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| format!("requests cannot be sent from here: {e}"))?;
        Ok(Self {
            client,
            secrets,
            allowed,
        })
    }

    /// Posts a note, signed as Standard Webhooks has it.
    pub(super) async fn webhook(&self, url: &str, note: &Note, now: i64) -> Attempt {
        let Some(secrets) = &self.secrets else {
            return Attempt::Refused("no webhook secret is set".to_owned());
        };
        let timestamp = now.div_euclid(1_000_000);
        let signature = secrets.sign(&note.id, timestamp, note.body.as_bytes());
        let headers = [
            ("webhook-id", note.id.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        self.post(url, note.body.clone(), &headers).await
    }

    /// Posts a note as Slack takes messages.
    pub(super) async fn slack(&self, url: &str, note: &Note) -> Attempt {
        self.post(url, slack(note).to_string(), &[]).await
    }

    async fn post(&self, url: &str, body: String, headers: &[(&str, String)]) -> Attempt {
        let url = match self.callable(url) {
            Ok(url) => url,
            Err(why) => return Attempt::Refused(why),
        };
        let mut request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.send().await {
            Ok(response) if response.status().is_success() => Attempt::Delivered,
            // Whoever says so wants nothing more, ever.
            Ok(response) if response.status().as_u16() == 410 => {
                Attempt::Refused("it answered 410 Gone".to_owned())
            }
            Ok(response) => Attempt::Failed(format!("it answered {}", response.status())),
            Err(error) => failed(error),
        }
    }

    /// The URL, if its host is no address that must not be called. Names are looked at when they are resolved, addresses never are;
    /// however an address was written (`0x7f.1`, `2130706433`, full-width digits), the parser has made one form of it.
    fn callable(&self, url: &str) -> Result<Url, String> {
        let url = Url::parse(url).map_err(|e| format!("it is no URL: {e}"))?;
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>()
            && let Some(why) = self.allowed.refuses(address)
        {
            let host = host.to_owned();
            return Err(Refused { host, why }.to_string());
        }
        match url.scheme() {
            "http" | "https" => Ok(url),
            other => Err(format!("`{other}` is no way to call")),
        }
    }
}

/// How a request failed; its URL, which may be a secret, is left out.
fn failed(error: reqwest::Error) -> Attempt {
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut said = error.to_string();
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return Attempt::Refused(refused.to_string());
        }
        said = inner.to_string();
        cause = inner.source();
    }
    Attempt::Failed(said)
}

/// Slack takes at most so many blocks in one message; the last may be needed to say how many more there are.
const BLOCKS: usize = 50;

/// So much of a text is told: escaped, and with the name before it, it is shorter than the 3,000 characters that a block may have.
const LONG: usize = 400;

/// A note as Slack takes it: text, and a block for each alert.
fn slack(note: &Note) -> Value {
    let escaped = |text: &str| {
        let told: String = match text.char_indices().nth(LONG) {
            Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
            None => text.to_owned(),
        };
        told.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let block =
        |line: String| json!({ "type": "section", "text": { "type": "mrkdwn", "text": line } });
    let body: Value = serde_json::from_str(&note.body).unwrap_or_default();
    let alerts = body.pointer("/data/alerts").and_then(Value::as_array);
    let alerts = alerts.map_or(&[][..], Vec::as_slice);
    let told = if alerts.len() > BLOCKS {
        BLOCKS - 1
    } else {
        alerts.len()
    };
    let blocks = alerts.iter().take(told).map(|alert| {
        let text = |name: &str| alert.get(name).and_then(Value::as_str).unwrap_or_default();
        block(format!(
            "*{}* ({}): {}",
            escaped(text("name")),
            text("severity"),
            escaped(text("summary"))
        ))
    });
    let more = (told < alerts.len()).then(|| block(format!("and {} more", alerts.len() - told)));
    let blocks: Vec<Value> = blocks.chain(more).collect();
    json!({ "text": escaped(&note.title), "blocks": blocks })
}

#[cfg(test)]
mod tests {
    use travelsense::Instant;

    use super::*;

    fn web(allowed: &[&str]) -> Web {
        let allowed: Vec<String> = allowed.iter().map(|a| (*a).to_owned()).collect();
        let secrets = Secrets::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        Web::new(
            Some(secrets),
            Allowed::read(&allowed).unwrap(),
            Duration::from_secs(5),
        )
        .unwrap()
    }

    fn note() -> Note {
        Note {
            id: "msg_1".to_owned(),
            told: "1".to_owned(),
            title: "a <b> & c".to_owned(),
            body: r#"{"type":"alert.firing","data":{"alerts":[{"name":"n","severity":"warning","summary":"1 < 2"}]}}"#.to_owned(),
            created_at: Instant::MIN,
        }
    }

    #[tokio::test]
    async fn however_an_address_within_this_network_is_written_it_is_not_called() {
        // A socket listens where most of these lead; nothing may arrive there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let hosts = [
            "127.0.0.1",
            "127.1",
            "127.0.1",
            "0",
            "0.0.0.0",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "0177.0.0.01",
            "017700000001",
            "127.0.0.1.",
            "localhost",
            "LOCALHOST",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[0:0:0:0:0:ffff:7f00:0001]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[fe80::1]",
            "[fd00::1]",
            "%31%32%37.0.0.1",
            "①②⑦.0.0.1",
            "１２７.0.0.1",
            "127。0。0。1",
            "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "2852039166",
            "0xa9fea9fe",
            "[::ffff:169.254.169.254]",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
        ];
        let web = web(&[]);
        for host in hosts {
            for scheme in ["http", "https"] {
                let url = format!("{scheme}://{host}:{port}/hook");
                let attempt = web.webhook(&url, &note(), 0).await;
                assert!(matches!(attempt, Attempt::Refused(_)), "{url}: {attempt:?}");
            }
        }
        assert!(listener.accept().is_err(), "nothing was sent");
        assert!(matches!(
            web.webhook("file:///etc/passwd", &note(), 0).await,
            Attempt::Refused(_)
        ));
    }

    #[tokio::test]
    async fn a_failure_does_not_repeat_the_url() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let url = format!("http://127.0.0.1:{port}/services/SECRET");
        let attempt = web(&["127.0.0.1"]).slack(&url, &note()).await;
        let Attempt::Failed(why) = attempt else {
            panic!("{attempt:?}")
        };
        assert!(!why.contains("SECRET"), "{why}");
    }

    #[test]
    fn slack_reads_no_markup_of_ours() {
        let told = slack(&note());
        assert_eq!(told["text"], "a &lt;b&gt; &amp; c");
        assert_eq!(told["blocks"][0]["text"]["text"], "*n* (warning): 1 &lt; 2");
    }

    #[test]
    fn slack_gets_no_more_than_it_takes() {
        let of = |many: usize| {
            let one = json!({ "name": "&".repeat(100), "severity": "critical", "summary": "&".repeat(2_000) });
            slack(&Note {
                body: json!({ "data": { "alerts": vec![one; many] } }).to_string(),
                ..note()
            })
        };
        let blocks = |told: &Value| told["blocks"].as_array().unwrap().clone();
        for (many, told) in [(0, 0), (1, 1), (50, 50), (51, 50), (60, 50)] {
            assert_eq!(blocks(&of(many)).len(), told, "{many}");
        }
        let last = |many: usize| blocks(&of(many))[49]["text"]["text"].clone();
        assert!(last(50).as_str().unwrap().starts_with("*&amp;"));
        assert_eq!(
            (last(51), last(60)),
            (json!("and 2 more"), json!("and 11 more"))
        );
        let longest = of(60)["blocks"][0]["text"]["text"].clone();
        assert!(longest.as_str().unwrap().chars().count() <= 3_000);
    }
}
