//! Servers of others that tests start for themselves: a stream of NATS, a PostgreSQL on a socket of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// A server of NATS with JetStream.
pub(crate) struct Nats {
    server: Child,
    _folder: TempDir,
    pub(crate) address: String,
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Nats {
    /// Starts one, or says that there is none here.
    pub(crate) fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let address = format!("127.0.0.1:{}", port.unwrap().port());
        let (host, port) = address.split_once(':').unwrap();
        let server = Command::new("nats-server")
            .args([
                "-a", host, "-p", port, "--user", "me", "--pass", "s3c ret", "-js", "-sd",
            ])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = server else {
            eprintln!("not run: no NATS is installed here");
            return None;
        };
        let nats = Self {
            server,
            _folder: folder,
            address,
        };
        for _ in 0..100 {
            if TcpStream::connect(&nats.address).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        Some(nats)
    }

    pub(crate) fn connect(&self) -> Connection {
        let socket = TcpStream::connect(&self.address).unwrap();
        let mut connection = Connection {
            reader: BufReader::new(socket.try_clone().unwrap()),
            socket,
        };
        connection.say(
            "CONNECT {\"verbose\":false,\"user\":\"me\",\"pass\":\"s3c ret\",\"headers\":true}\r\nSUB answers 1\r\n",
        );
        connection
    }
}

/// A connection to NATS that publishes and asks.
pub(crate) struct Connection {
    socket: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn say(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).unwrap();
    }

    /// Sends a message and gives what is answered: for a stream, that the message is in it.
    pub(crate) fn ask(&mut self, subject: &str, body: &str) -> Value {
        self.say(&format!(
            "PUB {subject} answers {}\r\n{body}\r\n",
            body.len()
        ));
        loop {
            let mut line = String::new();
            assert!(
                self.reader.read_line(&mut line).unwrap() > 0,
                "NATS went away"
            );
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words.first().copied() {
                Some("MSG") => {
                    let mut body = vec![0; words.last().unwrap().parse::<usize>().unwrap() + 2];
                    self.reader.read_exact(&mut body).unwrap();
                    return serde_json::from_slice(&body).unwrap();
                }
                Some("PING") => self.say("PONG\r\n"),
                Some("-ERR") => panic!("{line}"),
                _ => {}
            }
        }
    }
}

/// A PostgreSQL on a socket in a temporary folder.
pub(crate) struct Postgres {
    folder: TempDir,
    bin: PathBuf,
}

impl Postgres {
    /// Starts one, or says that there is none here.
    pub(crate) fn start() -> Option<Self> {
        let debian = std::fs::read_dir("/usr/lib/postgresql");
        let debian = debian.into_iter().flatten().flatten();
        let mut versions: Vec<PathBuf> = debian.map(|e| e.path().join("bin")).collect();
        versions.sort();
        let Some(bin) = versions
            .into_iter()
            .rfind(|bin| bin.join("initdb").exists())
        else {
            eprintln!("not run: no PostgreSQL is installed here");
            return None;
        };
        let server = Self {
            folder: TempDir::new().unwrap(),
            bin,
        };
        let (root, data) = (server.folder.path(), server.folder.path().join("data"));
        std::fs::create_dir(&data).unwrap();
        if rooted() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(root));
        }
        let data = data.to_str().unwrap();
        run(server.tool("initdb").args([
            "-D",
            data,
            "-U",
            "travelsense",
            "-A",
            "trust",
            "--no-sync",
        ]));
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off",
            root.display()
        );
        run(server
            .tool("pg_ctl")
            .args(["-w", "-D", data, "-o", &options, "-l"])
            .arg(root.join("log"))
            .arg("start"));
        Some(server)
    }

    /// How a client finds it.
    pub(crate) fn connect(&self) -> postgres::Client {
        let socket = self.folder.path().display();
        let config = format!("host={socket} user=travelsense dbname=postgres");
        postgres::Client::connect(&config, postgres::NoTls).unwrap()
    }

    /// A table of it as a source.
    pub(crate) fn source(&self, rest: &str) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://travelsense@{socket}/postgres?{rest}")
    }

    // PostgreSQL does not run as root.
    fn tool(&self, name: &str) -> Command {
        let tool = self.bin.join(name);
        let mut command = Command::new(if rooted() {
            "setpriv"
        } else {
            tool.to_str().unwrap()
        });
        if rooted() {
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(tool);
        }
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let _ = self
            .tool("pg_ctl")
            .args(["-m", "immediate", "stop", "-D"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn rooted() -> bool {
    let mine = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    mine.lines().any(|line| line.starts_with("Uid:\t0"))
}

fn run(command: &mut Command) {
    let done = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap();
    assert!(done.success(), "{command:?}");
}
