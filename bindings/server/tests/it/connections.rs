//! The server's sockets: who is silent is not waited for, more connections than the limit wait, and a stop waits for work alone.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use travelsense::access::Key;
use travelsense::{Analytics, Principal};
use travelsense_server::{Limits, Service, router};

use crate::client::{store, verifier};
use crate::tokens::*;

/// A server behind a socket of its own.
struct Listening {
    runtime: Runtime,
    address: SocketAddr,
    store: Arc<Analytics>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Listening {
    fn with(limits: Limits) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let keys = vec![Key::secret(SECRET).unwrap()];
        let store = store();
        let service = Service::new(Arc::clone(&store), verifier(keys), limits);
        let (stop, stopped) = oneshot::channel();
        let served = runtime.spawn(travelsense_server::serve::serve(
            listener,
            router(service),
            limits,
            async move {
                let _ = stopped.await;
            },
        ));
        Self {
            runtime,
            address,
            store,
            stop,
            served,
        }
    }

    fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        socket
    }

    /// Tells it to stop and gives how long that takes.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a stop takes is what is tested"
    )]
    fn stop(self) -> Duration {
        let asked = Clock::now();
        self.stop.send(()).unwrap();
        self.runtime.block_on(self.served).unwrap();
        asked.elapsed()
    }
}

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";

/// The status and the body of the next answer, whose connection stays open.
fn answer(socket: &mut TcpStream) -> std::io::Result<(u16, String)> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        socket.read_exact(&mut byte)?;
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.split("content-length: ").nth(1).unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    socket.read_exact(&mut body)?;
    Ok((status, String::from_utf8(body).unwrap()))
}

fn ask(socket: &mut TcpStream) -> u16 {
    socket.write_all(HEALTH.as_bytes()).unwrap();
    answer(socket).unwrap().0
}

/// Whether the server has closed a connection, in one way or the other.
fn is_closed(socket: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn who_is_silent_before_a_request_or_within_its_head_is_not_waited_for() {
    let server = Listening::with(Limits {
        silence: Duration::from_millis(300),
        ..Limits::default()
    });
    let (mut mute, mut half, mut idle) = (server.connect(), server.connect(), server.connect());
    half.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx-more: ")
        .unwrap();
    assert_eq!(ask(&mut idle), 200);
    // A head that comes in pieces in time is a head.
    let mut slow = server.connect();
    for piece in [&HEALTH[..9], &HEALTH[9..]] {
        slow.write_all(piece.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(answer(&mut slow).unwrap().0, 200);
    for silent in [&mut mute, &mut half, &mut idle] {
        assert!(is_closed(silent));
    }
    assert_eq!(ask(&mut server.connect()), 200);
}

#[test]
fn who_does_not_read_what_is_sent_gives_the_place_back() {
    let server = Listening::with(Limits {
        silence: Duration::from_millis(300),
        connections: 1,
        ..Limits::default()
    });
    let mut deaf = server.connect();
    // More than both ends keep for whoever reads later.
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(60);
    deaf.write_all(asked.as_bytes()).unwrap();
    assert_eq!(ask(&mut server.connect()), 200);
    drop(deaf);
}

#[test]
fn a_large_body_is_read_only_of_those_who_are_proved() {
    let server = Listening::with(Limits::default());
    let head = |token: &str| {
        format!(
            "POST /api/analytics-dashboard/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 4000000\r\n\r\n["
        )
    };
    // The rest of the body never comes, and is not waited for.
    let mut socket = server.connect();
    socket.write_all(head("none").as_bytes()).unwrap();
    assert_eq!(answer(&mut socket).unwrap().0, 401);
    let mut socket = server.connect();
    socket.write_all(head(&token("admin")).as_bytes()).unwrap();
    let rest = " ".repeat(4_000_000 - 2) + "]";
    socket.write_all(rest.as_bytes()).unwrap();
    let (status, body) = answer(&mut socket).unwrap();
    assert!(status == 200 || status == 400, "{body}");
    assert_ne!(status, 401);
}

#[test]
fn a_body_that_does_not_go_on_is_answered_with_400() {
    let server = Listening::with(Limits {
        silence: Duration::from_millis(300),
        ..Limits::default()
    });
    let mut socket = server.connect();
    let token = token("admin");
    let head = format!(
        "POST /api/analytics-dashboard/custom HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: 100\r\n\r\n{{"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let (status, body) = answer(&mut socket).unwrap();
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &problem["status"]), (400, &json!(400)), "{body}");
    assert!(is_closed(&mut socket));
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place() {
    let server = Listening::with(Limits {
        connections: 2,
        ..Limits::default()
    });
    let (mut one, mut two) = (server.connect(), server.connect());
    assert_eq!((ask(&mut one), ask(&mut two)), (200, 200));
    let mut third = server.connect();
    third.write_all(HEALTH.as_bytes()).unwrap();
    third
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let waiting = answer(&mut third).unwrap_err().kind();
    assert!(
        matches!(waiting, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{waiting:?}"
    );
    // Those who have a place are answered meanwhile.
    assert_eq!(ask(&mut two), 200);
    drop(one);
    third
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    assert_eq!(answer(&mut third).unwrap().0, 200);
    drop((two, third));
    // A crowd is answered one after the other.
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_eq!(ask(&mut server.connect()), 200));
        }
    });
}

#[test]
fn a_stop_does_not_wait_for_connections_that_idle() {
    let server = Listening::with(Limits::default());
    let (mut idle, _mute) = (server.connect(), server.connect());
    assert_eq!(ask(&mut idle), 200);
    let took = server.stop();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(is_closed(&mut idle));
}

#[test]
fn a_request_that_is_under_way_is_answered_before_a_stop() {
    let server = Listening::with(Limits::default());
    let (address, store) = (server.address, Arc::clone(&server.store));
    let mut socket = server.connect();
    let body = json!({"name": "Mine", "widgets": [{"type": "metric", "title": "Users", "dataSource": "user_events",
        "visualization": "number", "config": {}}]})
    .to_string();
    let (first, rest) = body.split_at(20);
    let (token, length) = (token("admin"), body.len());
    let head = format!(
        "POST /api/analytics-dashboard/custom HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-length: {length}\r\n\r\n{first}"
    );
    socket.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let stopping = std::thread::spawn(move || server.stop());
    // The server takes nobody new any more, and has not forgotten this one.
    while TcpStream::connect(address).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    socket.write_all(rest.as_bytes()).unwrap();
    let (status, body) = answer(&mut socket).unwrap();
    assert_eq!(status, 201, "{body}");
    assert!(is_closed(&mut socket));
    assert!(stopping.join().unwrap() < Duration::from_secs(10));
    // Where it came from stands in the record.
    let asked = json!({"action": "dashboard.create"});
    let found = store.audit(&Principal::owner(), &asked).unwrap();
    let entry = serde_json::to_value(&found.entries[0]).unwrap();
    assert_eq!(entry["origin"], "127.0.0.1", "{entry}");
}

#[test]
fn what_is_no_request_or_could_be_two_is_refused_and_ends_its_connection() {
    let server = Listening::with(Limits::default());
    let many = "x-a: b\r\n".repeat(200);
    let table = [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET /health HTTP/3.0\r\nhost: x\r\n\r\n".to_owned(), 400),
        (
            "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na"
                .to_owned(),
            400,
        ),
        (
            "POST /health HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"
                .to_owned(),
            400,
        ),
        (
            format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
            431,
        ),
    ];
    for (request, status) in table {
        let mut socket = server.connect();
        socket.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {text}"
        );
    }
    // Nobody hears from others by TRACE.
    let mut socket = server.connect();
    socket
        .write_all(b"TRACE /api/analytics-dashboard/custom HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\r\n")
        .unwrap();
    let (status, body) = answer(&mut socket).unwrap();
    assert_eq!(status, 405, "{body}");
    assert!(!body.contains("secret"), "{body}");
}
