//! A stream of NATS JetStream, by a durable consumer that acknowledges each message once its events are on disk.
//!
//! A message that is not acknowledged comes again, perhaps among others. A stream or a consumer that is deleted or made anew is told as
//! trouble, and opened again. An event without an id is known by the stream, when the stream was
//! made, the message's number in it and its place in the message.

mod client;

use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::client::{Client, Message, Server};
use super::{Feed, Lies, Next, Piece, Result, Taken, Trouble, short};

/// So many messages are taken at once at most, and so many bytes.
const MESSAGES: usize = 5_000;
const BYTES: usize = 4 << 20;

/// How long it waits for the next message before it says that there is none.
const WAIT: Duration = Duration::from_millis(400);

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message that was not acknowledged for so long comes again; whoever takes longer to store it knows it by its place then.
const ACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Codes of JetStream: there is no such consumer, there is no such stream.
const NO_CONSUMER: i64 = 10014;
const NO_STREAM: i64 = 10059;

/// A stream and our place in it, which the server keeps.
#[derive(Debug)]
pub(super) struct Stream {
    server: Server,
    stream: String,
    consumer: String,
    /// Only messages of these subjects.
    subject: Option<String>,
    open: Option<Open>,
    /// Where to acknowledge what was given.
    given: Vec<String>,
}

/// A connection, and when the stream was made.
#[derive(Debug)]
struct Open {
    client: Client,
    created: String,
}

impl Stream {
    /// Reads `nats://[user:password@]host[:port]/STREAM[?consumer=NAME&subject=FILTER]`.
    pub(super) fn read(from: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Trouble::Wrong(format!(
                "{why}: a stream is named as nats://host:4222/STREAM, and ?consumer=NAME&subject=FILTER behind it where they are wanted"
            ))
        };
        let url = reqwest::Url::parse(from).map_err(|e| wrong(&e.to_string()))?;
        let stream = url.path().trim_start_matches('/').to_owned();
        let plain = |name: &str| {
            !name.is_empty()
                && name.len() <= 255
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        if !plain(&stream) {
            return Err(wrong(
                "the stream has no name of letters, digits, `-` and `_`",
            ));
        }
        let (mut consumer, mut subject) = ("travelsense".to_owned(), None);
        for (name, value) in url.query_pairs() {
            match &*name {
                "consumer" if plain(&value) => consumer = value.into_owned(),
                "subject" if !value.is_empty() && !value.contains(char::is_whitespace) => {
                    subject = Some(value.into_owned());
                }
                other => return Err(wrong(&format!("`{other}` is not understood"))),
            }
        }
        Ok(Self {
            server: Server::of(&url).ok_or_else(|| wrong("there is no host"))?,
            stream,
            consumer,
            subject,
            open: None,
            given: Vec::new(),
        })
    }

    /// The connection, made where there is none.
    fn open(&mut self) -> Result<Open> {
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        let mut client = Client::connect(&self.server, PATIENCE)?;
        let (stream, consumer) = (&self.stream, &self.consumer);
        let mut ask = |subject: String, body: &Value| client.ask(&subject, body, PATIENCE);
        let found = ask(format!("$JS.API.STREAM.INFO.{stream}"), &json!({}))?;
        let code = |answer: &Value| answer.pointer("/error/err_code").and_then(Value::as_i64);
        let refused = |answer: &Value| {
            let why = answer.pointer("/error/description").and_then(Value::as_str);
            Trouble::Broken(format!(
                "the stream `{stream}` cannot be read: {}",
                why.unwrap_or("the server says no more")
            ))
        };
        if code(&found) == Some(NO_STREAM) {
            return Err(Trouble::Broken(format!("there is no stream `{stream}`")));
        }
        let created = found.get("created").and_then(Value::as_str);
        let created = created.ok_or_else(|| refused(&found))?.to_owned();
        let mut known = ask(
            format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
            &json!({}),
        )?;
        if code(&known) == Some(NO_CONSUMER) {
            let mut config = json!({
                "durable_name": consumer,
                "ack_policy": "explicit",
                "deliver_policy": "all",
                "replay_policy": "instant",
                "ack_wait": ACKNOWLEDGED.as_nanos() as u64,
                "max_ack_pending": 4 * MESSAGES,
            });
            if let (Some(subject), Some(fields)) = (&self.subject, config.as_object_mut()) {
                fields.insert("filter_subject".to_owned(), json!(subject));
            }
            known = ask(
                format!("$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{consumer}"),
                &json!({ "stream_name": stream, "config": config }),
            )?;
        }
        let config = known.get("config").ok_or_else(|| refused(&known))?;
        let is = |name: &str| config.get(name).and_then(Value::as_str).unwrap_or_default();
        // Otherwise messages that never came to be stored would not come again.
        if is("ack_policy") != "explicit" || !is("deliver_subject").is_empty() {
            return Err(Trouble::Wrong(format!(
                "the consumer `{consumer}` of `{stream}` must be a pull consumer with explicit acknowledgements"
            )));
        }
        if self
            .subject
            .as_deref()
            .is_some_and(|s| s != is("filter_subject"))
        {
            return Err(Trouble::Wrong(format!(
                "the consumer `{consumer}` of `{stream}` is there already, for other subjects"
            )));
        }
        Ok(Open { client, created })
    }

    /// What is there, or the first that comes soon.
    fn fetch(&self, open: &mut Open) -> Result<Vec<Message>> {
        let subject = format!(
            "$JS.API.CONSUMER.MSG.NEXT.{}.{}",
            self.stream, self.consumer
        );
        let all = json!({ "batch": MESSAGES, "max_bytes": BYTES, "no_wait": true });
        let found = open.client.pull(&subject, &all, MESSAGES, PATIENCE)?;
        if !found.is_empty() {
            return Ok(found);
        }
        let one = json!({ "batch": 1, "expires": WAIT.as_nanos() as u64 });
        open.client.pull(&subject, &one, 1, WAIT + PATIENCE)
    }

    /// Whether messages are with a reader that may have died, so that they come again.
    fn is_waiting(&self, open: &mut Open) -> Result<bool> {
        let subject = format!("$JS.API.CONSUMER.INFO.{}.{}", self.stream, self.consumer);
        let known = open.client.ask(&subject, &json!({}), PATIENCE)?;
        self.is_there(&known)?;
        let waiting = known.get("num_ack_pending").and_then(Value::as_u64);
        Ok(waiting.unwrap_or_default() > 0)
    }

    /// An error where it is not the stream any more that was opened: one that was made anew numbers its messages from 1 again, and they
    /// must not be taken for those of the one before.
    fn is_same(&self, open: &mut Open) -> Result<()> {
        let subject = format!("$JS.API.STREAM.INFO.{}", self.stream);
        let known = open.client.ask(&subject, &json!({}), PATIENCE)?;
        self.is_there(&known)?;
        let created = known.get("created").and_then(Value::as_str);
        if created == Some(open.created.as_str()) {
            return Ok(());
        }
        Err(Trouble::Broken(format!(
            "the stream `{}` was made anew",
            self.stream
        )))
    }

    /// An error where an answer says that there is no such stream or consumer, or is an error.
    fn is_there(&self, answer: &Value) -> Result<()> {
        let Some(error) = answer.get("error") else {
            return Ok(());
        };
        let why = error.get("description").and_then(Value::as_str);
        Err(Trouble::Broken(format!(
            "the stream `{}` or its consumer `{}` cannot be read any more: {}",
            self.stream,
            self.consumer,
            why.unwrap_or("the server says no more")
        )))
    }
}

impl Feed for Stream {
    fn next(&mut self) -> Result<Next> {
        let mut open = self.open()?;
        let messages = self.fetch(&mut open)?;
        let created = open.created.clone();
        let waiting = messages.is_empty() && self.is_waiting(&mut open)?;
        if !messages.is_empty() {
            self.is_same(&mut open)?;
        }
        self.open = Some(open);
        self.given.clear();
        let mut piece = Piece {
            source: self.source(),
            ..Piece::default()
        };
        let mut places = Vec::new();
        let last = messages.last().and_then(|message| message.reply.as_deref());
        piece.behind = last.and_then(behind);
        for message in messages {
            let Some((reply, number)) = message.reply.and_then(|reply| {
                let number = number(&reply)?;
                Some((reply, number))
            }) else {
                continue;
            };
            for (place, text) in texts(&message.payload).into_iter().enumerate() {
                // A line end within JSON is white space, and stands in no text.
                piece.body.extend(text.iter().map(|byte| match byte {
                    b'\n' | b'\r' => b' ',
                    other => *other,
                }));
                piece.body.push(b'\n');
                places.push(format!(
                    "nats\n{}\n{created}\n{number}\n{place}",
                    self.stream
                ));
            }
            self.given.push(reply);
        }
        if self.given.is_empty() {
            return Ok(if waiting { Next::Soon } else { Next::Nothing });
        }
        piece.names = Lies::At(places);
        Ok(Next::Piece(piece))
    }

    fn taken(&mut self, _: Taken) -> Result<()> {
        let given = std::mem::take(&mut self.given);
        // Where the connection is gone they come again, and are known then.
        let mut open = self.open()?;
        open.client.acknowledge(&given, PATIENCE)?;
        self.open = Some(open);
        Ok(())
    }

    fn source(&self) -> String {
        short(&format!("nats {}", self.stream))
    }
}

/// The number of a message in its stream, of where it is to be acknowledged:
/// `$JS.ACK.<stream>.<consumer>.<delivered>.<number>.…`, with the domain and the account before the stream where there are such.
fn number(reply: &str) -> Option<u64> {
    let parts: Vec<&str> = reply.split('.').collect();
    let place = if parts.len() < 11 { 5 } else { 7 };
    parts.get(place)?.parse().ok()
}

/// How many messages there are behind a message.
fn behind(reply: &str) -> Option<u64> {
    let parts: Vec<&str> = reply.split('.').collect();
    let place = if parts.len() < 11 { 8 } else { 10 };
    parts.get(place)?.parse().ok()
}

/// The texts of the events of a message: one JSON object, an array of them, or one a line.
fn texts(payload: &[u8]) -> Vec<&[u8]> {
    let whole = payload.trim_ascii();
    if whole.starts_with(b"[")
        && let Ok(values) = serde_json::from_slice::<Vec<&RawValue>>(whole)
    {
        return values.into_iter().map(|v| v.get().as_bytes()).collect();
    }
    if serde_json::from_slice::<&RawValue>(whole).is_ok() {
        return vec![whole];
    }
    let lines = whole.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.trim_ascii().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_message_is_read_with_and_without_a_domain() {
        assert_eq!(number("$JS.ACK.S.c.1.42.7.1700000000000000000.3"), Some(42));
        assert_eq!(behind("$JS.ACK.S.c.1.42.7.1700000000000000000.3"), Some(3));
        let long = "$JS.ACK.hub.ACCOUNT.S.c.1.42.7.1700000000000000000.3.token";
        assert_eq!((number(long), behind(long)), (Some(42), Some(3)));
        assert_eq!(number("_INBOX.x.1"), None);
    }

    #[test]
    fn a_message_is_an_event_an_array_or_lines() {
        let texts = |text: &'static str| {
            let texts = texts(text.as_bytes()).into_iter();
            texts
                .map(|t| String::from_utf8_lossy(t).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(texts("{\"a\":\n1}\n"), ["{\"a\":\n1}"]);
        assert_eq!(texts(" [{\"a\":1}, {}]"), ["{\"a\":1}", "{}"]);
        assert_eq!(texts("{\"a\":1}\n\n{}\r\n"), ["{\"a\":1}", "{}"]);
        assert_eq!(texts("no json"), ["no json"]);
        assert!(texts("  \n").is_empty());
    }

    #[test]
    fn what_is_no_stream_is_said() {
        for url in [
            "nats://localhost",
            "nats:///EVENTS",
            "nats://localhost/A.B",
            "nats://localhost/A?durable=x",
            "nats://localhost/A?consumer=a.b",
        ] {
            assert!(matches!(Stream::read(url), Err(Trouble::Wrong(_))), "{url}");
        }
        let stream = Stream::read("nats://localhost/A?consumer=mine&subject=a.%3E").unwrap();
        assert_eq!(
            (stream.consumer.as_str(), stream.subject.as_deref()),
            ("mine", Some("a.>"))
        );
    }
}
