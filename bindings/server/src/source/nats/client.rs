//! As much of the protocol of NATS as a pull consumer needs: lines of text over one connection.
//! <https://docs.nats.io/reference/reference-protocols/nats-protocol>

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::{Result, Trouble};
use super::behind;

/// Where a server is, and who we are there.
#[derive(Clone)]
pub(super) struct Server {
    address: String,
    user: Option<String>,
    password: Option<String>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.address)
    }
}

impl Server {
    /// The server of a URL; nothing where it names none.
    pub(super) fn of(url: &reqwest::Url) -> Option<Self> {
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let decoded = |text: &str| {
            let pairs = format!("x:?x={}", text.replace('&', "%26").replace('+', "%2B"));
            let url = reqwest::Url::parse(&pairs).ok()?;
            url.query_pairs().next().map(|pair| pair.1.into_owned())
        };
        Some(Self {
            address: format!("{host}:{}", url.port().unwrap_or(4222)),
            user: decoded(url.username()).filter(|user| !user.is_empty()),
            password: url.password().and_then(decoded),
        })
    }

    /// What is sent to be let in; a name without a password is a token.
    fn greeting(&self) -> Value {
        let mut greeting = json!({
            "verbose": false,
            "pedantic": false,
            "headers": true,
            "no_responders": true,
            "lang": "rust",
            "name": "travelsense",
            "version": env!("CARGO_PKG_VERSION"),
        });
        let proof = match (&self.user, &self.password) {
            (Some(user), Some(password)) => vec![("user", user), ("pass", password)],
            (Some(token), None) => vec![("auth_token", token)],
            _ => Vec::new(),
        };
        if let Some(fields) = greeting.as_object_mut() {
            let proof = proof.into_iter();
            fields.extend(proof.map(|(name, text)| (name.to_owned(), json!(text))));
        }
        greeting
    }
}

/// A message that came.
#[derive(Debug)]
pub(super) struct Message {
    subject: String,
    /// Where it is to be acknowledged.
    pub(super) reply: Option<String>,
    /// What the server says in place of a message, and its words for it.
    status: Option<u16>,
    why: String,
    pub(super) payload: Vec<u8>,
}

impl Message {
    /// Whether a status of a pull says that nobody is there who has messages: no answer at all, or a consumer that was deleted or is
    /// no pull consumer any more. Any other 409 is of this one pull, such as one that wanted more than the consumer gives at once.
    fn is_gone(&self, status: u16) -> bool {
        status == 503 || status == 409 && self.why.to_ascii_lowercase().starts_with("consumer ")
    }
}

/// What a server sends.
enum Said {
    Message(Message),
    Pong,
    Other,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    socket: TcpStream,
    read: Vec<u8>,
    /// All before it was understood.
    at: usize,
    inbox: String,
    asked: u64,
    /// Messages that came late, after nobody waited for them any more.
    late: Vec<Message>,
}

/// A line of the protocol is at most so long, and a message with its headers; both are far more than servers send.
const LINE: usize = 1 << 20;
const MESSAGE: usize = 64 << 20;

impl Client {
    /// Connects and is let in.
    pub(super) fn connect(server: &Server, patience: Duration) -> Result<Self> {
        let unreachable = |e| Trouble::Broken(format!("{server:?} cannot be reached: {e}"));
        let socket = TcpStream::connect(&server.address).map_err(unreachable)?;
        socket.set_nodelay(true).map_err(unreachable)?;
        socket
            .set_write_timeout(Some(patience))
            .map_err(unreachable)?;
        let mut client = Self {
            socket,
            read: Vec::new(),
            at: 0,
            inbox: String::new(),
            asked: 0,
            late: Vec::new(),
        };
        let until = Instant::now() + patience;
        let information = client.line(until)?.ok_or_else(late)?;
        let information = information
            .strip_prefix("INFO ")
            .map(serde_json::from_str::<Value>);
        let Some(Ok(information)) = information else {
            return Err(Trouble::Broken(format!("{server:?} does not speak NATS")));
        };
        if information.get("tls_required").and_then(Value::as_bool) == Some(true) {
            return Err(Trouble::Wrong(format!(
                "{server:?} wants TLS, which is not spoken here; a tunnel or a leaf node beside it does"
            )));
        }
        // Nobody else has the number that the server gave this connection.
        let id = |name: &str| {
            information
                .get(name)
                .map(|v| v.to_string().replace(['"', '.'], ""))
        };
        client.inbox = format!(
            "_INBOX.travelsense.{}.{}",
            id("server_id").unwrap_or_default(),
            id("client_id").unwrap_or_default()
        );
        let greeting = server.greeting();
        client.send(
            format!("CONNECT {greeting}\r\nSUB {}.* 1\r\nPING\r\n", client.inbox).as_bytes(),
        )?;
        client.settled(until)?;
        Ok(client)
    }

    /// Asks something and gives the answer.
    pub(super) fn ask(&mut self, subject: &str, body: &Value, patience: Duration) -> Result<Value> {
        let until = Instant::now() + patience;
        let inbox = self.publish(subject, body)?;
        loop {
            match self.said(until)?.ok_or_else(late)? {
                Said::Message(message) if message.subject == inbox => {
                    if message.status == Some(503) {
                        return Err(Trouble::Broken("JetStream is not enabled there".to_owned()));
                    }
                    let answer = serde_json::from_slice(&message.payload);
                    return answer.map_err(|e| Trouble::Broken(format!("an answer of NATS: {e}")));
                }
                Said::Message(message) => self.late.push(message),
                Said::Pong | Said::Other => {}
            }
        }
    }

    /// Asks for messages, and gives those that come: as many as wanted, or as there are. Nobody who could be asked is an error.
    pub(super) fn pull(
        &mut self,
        subject: &str,
        body: &Value,
        wanted: usize,
        patience: Duration,
    ) -> Result<Vec<Message>> {
        let mut messages = std::mem::take(&mut self.late);
        messages.retain(|message| message.status.is_none() && message.reply.is_some());
        let inbox = self.publish(subject, body)?;
        let until = Instant::now() + patience;
        let mut came = 0;
        while let Some(said) = self.said(until)? {
            let Said::Message(message) = said else {
                continue;
            };
            let mine = message.subject == inbox;
            match message.status {
                // What came before the consumer went is good.
                Some(status) if mine && messages.is_empty() && message.is_gone(status) => {
                    return Err(Trouble::Broken(format!(
                        "the stream or its consumer is there no more: NATS says {status} {}",
                        message.why
                    )));
                }
                // None, no more, or not so many: that was all.
                Some(_) if mine => return Ok(messages),
                Some(_) => continue,
                None => {}
            }
            came += usize::from(mine);
            let last = message.reply.as_deref().and_then(behind) == Some(0);
            messages.push(message);
            if mine && (last || came >= wanted) {
                return Ok(messages);
            }
        }
        // What was promised did not come; what came is good.
        Ok(messages)
    }

    /// Acknowledges messages, and knows that the server has heard it.
    pub(super) fn acknowledge(&mut self, replies: &[String], patience: Duration) -> Result<()> {
        let mut text = String::with_capacity(replies.len() * 96);
        for reply in replies {
            text.push_str(&format!("PUB {reply} 4\r\n+ACK\r\n"));
        }
        text.push_str("PING\r\n");
        self.send(text.as_bytes())?;
        self.settled(Instant::now() + patience)
    }

    /// Sends a message that is to be answered; where the answer comes.
    fn publish(&mut self, subject: &str, body: &Value) -> Result<String> {
        self.asked += 1;
        let inbox = format!("{}.{}", self.inbox, self.asked);
        let body = body.to_string();
        self.send(format!("PUB {subject} {inbox} {}\r\n{body}\r\n", body.len()).as_bytes())?;
        Ok(inbox)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.socket.write_all(bytes).map_err(|e| gone(&e))
    }

    /// Waits until the server has read all that was sent.
    fn settled(&mut self, until: Instant) -> Result<()> {
        loop {
            match self.said(until)?.ok_or_else(late)? {
                Said::Pong => return Ok(()),
                Said::Message(message) => self.late.push(message),
                Said::Other => {}
            }
        }
    }

    /// What the server says next; nothing where it says nothing until then.
    fn said(&mut self, until: Instant) -> Result<Option<Said>> {
        let Some(line) = self.line(until)? else {
            return Ok(None);
        };
        let mut words = line.split_ascii_whitespace();
        let kind = words.next().unwrap_or_default().to_ascii_uppercase();
        let words: Vec<&str> = words.collect();
        match kind.as_str() {
            "MSG" | "HMSG" => {}
            "PING" => {
                self.send(b"PONG\r\n")?;
                return Ok(Some(Said::Other));
            }
            "PONG" => return Ok(Some(Said::Pong)),
            "-ERR" => {
                let why = line.get(4..).unwrap_or_default().trim();
                return Err(Trouble::Broken(format!("NATS refuses: {why}")));
            }
            _ => return Ok(Some(Said::Other)),
        }
        let sizes = if kind == "HMSG" { 2 } else { 1 };
        let (named, sizes) = words.split_at(words.len().saturating_sub(sizes));
        let size = |at: usize| {
            let size = sizes.get(at).and_then(|size| size.parse::<usize>().ok());
            size.filter(|size| *size <= MESSAGE)
        };
        let (head, whole) = match sizes.len() {
            2 => (size(0), size(1)),
            _ => (Some(0), size(0)),
        };
        let (Some(head), Some(whole), Some(subject)) = (head, whole, named.first()) else {
            return Err(Trouble::Broken("NATS sent a message of no size".to_owned()));
        };
        let (subject, reply) = ((*subject).to_owned(), named.get(2).map(|r| (*r).to_owned()));
        // A message whose line has come is on its way.
        let until = until.max(Instant::now() + Duration::from_secs(5));
        let mut payload = self.bytes(whole + 2, until)?;
        payload.truncate(whole);
        let headers = payload.drain(..head.min(whole)).collect::<Vec<u8>>();
        // `NATS/1.0 404 No Messages`: a message of the server's own.
        let first = headers
            .split(|byte| *byte == b'\r')
            .next()
            .unwrap_or_default();
        let first = String::from_utf8_lossy(first);
        let mut words = first.split_ascii_whitespace().skip(1);
        let status = words.next().and_then(|s| s.parse().ok());
        let why = words.collect::<Vec<_>>().join(" ");
        Ok(Some(Said::Message(Message {
            subject,
            reply,
            status,
            why,
            payload,
        })))
    }

    /// The next line; nothing where none is whole until then.
    fn line(&mut self, until: Instant) -> Result<Option<String>> {
        let mut looked = self.at;
        loop {
            let found = self.read.get(looked..).unwrap_or_default();
            if let Some(end) = found.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.read.get(self.at..looked + end).unwrap_or_default();
                let line = String::from_utf8_lossy(line).into_owned();
                self.at = looked + end + 2;
                return Ok(Some(line));
            }
            if self.read.len() - self.at > LINE {
                return Err(Trouble::Broken(
                    "NATS sent a line without an end".to_owned(),
                ));
            }
            looked = self.at.max(self.read.len().saturating_sub(1));
            let before = self.at;
            if !self.more(until)? {
                return Ok(None);
            }
            // What was understood may have been let go of.
            looked -= before - self.at;
        }
    }

    /// So many bytes.
    fn bytes(&mut self, count: usize, until: Instant) -> Result<Vec<u8>> {
        while self.read.len() - self.at < count {
            if !self.more(until)? {
                return Err(late());
            }
        }
        let bytes = self.read.get(self.at..self.at + count);
        let bytes = bytes.unwrap_or_default().to_vec();
        self.at += count;
        Ok(bytes)
    }

    /// Reads what comes; `false` where nothing does until then.
    fn more(&mut self, until: Instant) -> Result<bool> {
        self.read.drain(..self.at);
        self.at = 0;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        self.socket
            .set_read_timeout(Some(left))
            .map_err(|e| gone(&e))?;
        let mut bytes = [0; 1 << 16];
        match self.socket.read(&mut bytes) {
            Ok(0) => Err(Trouble::Broken("NATS closed the connection".to_owned())),
            Ok(count) => {
                self.read
                    .extend_from_slice(bytes.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(gone(&e)),
        }
    }
}

fn late() -> Trouble {
    Trouble::Broken("NATS does not answer".to_owned())
}

fn gone(error: &std::io::Error) -> Trouble {
    Trouble::Broken(format!("the connection to NATS is gone: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_that_is_gone_is_told_from_one_that_has_nothing() {
        let gone = |status: u16, why: &str| {
            let said = Message {
                subject: String::new(),
                reply: None,
                status: Some(status),
                why: why.to_owned(),
                payload: Vec::new(),
            };
            said.is_gone(status)
        };
        assert!(gone(503, "") && gone(409, "Consumer Deleted"));
        assert!(!gone(404, "No Messages") && !gone(408, "Request Timeout"));
        assert!(!gone(409, "Message Size Exceeds MaxBytes") && !gone(409, "Leadership Change"));
    }
}
