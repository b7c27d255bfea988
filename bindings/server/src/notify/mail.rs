//! Notifications by e-mail.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde_json::Value;
use travelsense::analytics::Attempt;
use travelsense::metadata::Note;

/// A server that takes e-mail.
pub struct Mail {
    server: AsyncSmtpTransportBuilder,
    /// Made with the first message, since it wants the runtime that sends it.
    transport: OnceLock<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
}

impl Mail {
    /// By a server such as `smtps://user:password@mail.example.com`, `smtp://mail.example.com:587?tls=required`, or
    /// `smtp://localhost:25` without encryption, and from an address such as `travelsense <alerts@example.com>`.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and repeats no password.
    pub fn new(url: &str, from: &str) -> Result<Self, String> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "the mail server must be such as smtps://user:password@mail.example.com")?
            .timeout(Some(Duration::from_secs(15)));
        let from = from
            .parse()
            .map_err(|_| format!("`{from}` is no sender such as alerts@example.com"))?;
        Ok(Self {
            server,
            transport: OnceLock::new(),
            from,
        })
    }

    pub(super) async fn send(&self, to: &[String], note: &Note) -> Attempt {
        let message = match self.message(to, note) {
            Ok(message) => message,
            Err(why) => return Attempt::Refused(why),
        };
        let transport = self.transport.get_or_init(|| self.server.clone().build());
        match transport.send(message).await {
            Ok(_) => Attempt::Delivered,
            Err(error) if error.is_permanent() => Attempt::Refused(error.to_string()),
            Err(error) => Attempt::Failed(error.to_string()),
        }
    }

    fn message(&self, to: &[String], note: &Note) -> Result<Message, String> {
        let host = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(note.title.as_str())
            // The same for every attempt, so that a mailbox can tell that it has it already.
            .message_id(Some(format!("<{}@{host}>", note.id)))
            .header(ContentType::TEXT_PLAIN);
        for address in to {
            let address: Mailbox = address
                .parse()
                .map_err(|_| "an address cannot be used".to_owned())?;
            message = message.to(address);
        }
        message.body(text(note)).map_err(|e| e.to_string())
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").finish_non_exhaustive()
    }
}

/// A note in plain text.
fn text(note: &Note) -> String {
    let body: Value = serde_json::from_str(&note.body).unwrap_or_default();
    let alerts = body.pointer("/data/alerts").and_then(Value::as_array);
    let mut text = format!("{}\n", note.title);
    for alert in alerts.into_iter().flatten() {
        text.push('\n');
        for (label, name) in [
            ("Alert", "name"),
            ("Event", "event"),
            ("Severity", "severity"),
            ("Since", "since"),
            ("Evaluated", "at"),
            ("Summary", "summary"),
        ] {
            let value = alert.get(name).and_then(Value::as_str).unwrap_or_default();
            text.push_str(&format!("{label}: {value}\n"));
        }
    }
    text
}
