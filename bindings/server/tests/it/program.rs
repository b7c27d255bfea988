//! Runs the program, as a command that ends or as a server that goes on.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Clock};

use serde_json::Value;
use tempfile::TempDir;
use travelsense::{Analytics, Options};

pub(crate) const SECRET: &str = "Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE";

/// The program, without any setting of the machine it is tested on.
pub(crate) fn program(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_travelsense"));
    for name in [
        "DATA",
        "BIND",
        "CONFIG",
        "JWT_SECRET",
        "JWT_SECRET_FILE",
        "JWT_PUBLIC_KEY",
        "JWT_JWKS",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "MAX_RUNNING",
        "MAX_CONNECTIONS",
        "TIMEOUT",
        "RATE_LIMIT",
        "METADATA",
        "CACHE",
        "SHUTDOWN_DELAY",
        "AUDIT_ANCHOR",
        "AUDIT_ANCHOR_KEY",
        "OTLP",
        "LOG",
        "LOG_FORMAT",
        "DEMO",
        "FOLLOW",
    ] {
        command.env_remove(format!("TRAVELSENSE_{name}"));
    }
    command
        .args(args)
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    command
}

/// A token of the server's administrator.
pub(crate) fn admin() -> String {
    let made = run(
        &["token", "--sub", "a", "--role", "admin"],
        &[("TRAVELSENSE_JWT_SECRET", SECRET)],
    );
    made.out.trim().to_owned()
}

pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run(args: &[&str], environment: &[(&str, &str)]) -> Done {
    let output = program(args, environment).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Runs it and expects success.
pub(crate) fn ok(args: &[&str]) -> String {
    let done = run(args, &[]);
    assert_eq!(done.code, 0, "{args:?}: {}", done.err);
    done.out
}

/// Runs it and expects that it refuses with this exit code and these words.
pub(crate) fn refused(args: &[&str], environment: &[(&str, &str)], code: i32, words: &[&str]) {
    let done = run(args, environment);
    assert_eq!(done.code, code, "{args:?}: {}{}", done.out, done.err);
    assert_eq!(done.out, "", "{args:?}");
    for word in words {
        assert!(
            done.err.contains(word),
            "{args:?}: `{word}` is not in: {}",
            done.err
        );
    }
    assert!(!done.err.contains("panicked"), "{}", done.err);
}

pub(crate) fn folder() -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

pub(crate) fn file(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(crate) const EVENTS: &str = "\
user_id,event,ts
u1,search,2026-01-05T10:00:00Z
u1,book,2026-01-06T10:00:00Z
u2,search,2026-01-05T11:00:00Z
u2,search,2026-01-13T11:00:00Z
u3,search,2026-01-14T11:00:00Z
";

pub(crate) fn imported() -> (TempDir, String) {
    let (dir, data) = folder();
    let events = file(&dir, "events.csv", EVENTS);
    ok(&["import", &events, "--data", &data]);
    (dir, data)
}

pub(crate) fn open(data: &str) -> Analytics {
    let path = Path::new(data).join("travelsense.db");
    Analytics::open_with(Options {
        path: Some(path),
        read_only: true,
        ..Options::default()
    })
    .unwrap()
}

/// A server that is stopped whatever becomes of the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    pub(crate) fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self(
            program(args, environment)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// Sends a signal and gives the exit code and how long it took.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a shutdown takes is what is tested"
    )]
    pub(crate) fn stop(mut self, signal: &str) -> (Option<i32>, Duration) {
        let asked = Clock::now();
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let status = self.0.wait().unwrap();
        (status.code(), asked.elapsed())
    }
}

/// One request over a socket: the status and the body.
pub(crate) fn get(address: &str, path: &str, token: &str) -> (u16, Value) {
    send(address, ("GET", path), token, "").unwrap()
}

/// One request over a socket, which the server may refuse or cut off.
pub(crate) fn send(
    address: &str,
    (method, path): (&str, &str),
    token: &str,
    body: &str,
) -> std::io::Result<(u16, Value)> {
    let mut socket = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )?;
    let mut text = String::new();
    socket.read_to_string(&mut text)?;
    let cut = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
