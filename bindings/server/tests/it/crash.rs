//! The server is killed under load: nothing acknowledged may be lost, and nothing may be there twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant as Clock};

use serde_json::{Value, json};
use travelsense::Instant;
use travelsense::warehouse::{Duckdb, EventProperty, Open, Warehouse as _};

use crate::program::*;

/// The address of a server that listens, and its process.
pub(crate) fn serve(data: &str) -> (Running, String) {
    serve_by(&[], data)
}

/// A server that another program starts: it gets the server's program and arguments behind its own.
fn serve_by(by: &[&str], data: &str) -> (Running, String) {
    start(by, data, &[])
}

/// A server with more flags.
pub(crate) fn serve_with(flags: &[&str], data: &str) -> (Running, String) {
    start(&[], data, flags)
}

fn start(by: &[&str], data: &str, flags: &[&str]) -> (Running, String) {
    let args = [
        "serve",
        "--data",
        data,
        "--bind",
        "127.0.0.1:0",
        "--log-format",
        "json",
        "--rate-limit",
        "off",
    ];
    let bound = flags.first() == Some(&"--bind");
    let args: Vec<&str> = args
        .into_iter()
        .filter(|arg| !bound || !["--bind", "127.0.0.1:0"].contains(arg))
        .chain(flags.iter().copied())
        .collect();
    let secret = [("TRAVELSENSE_JWT_SECRET", SECRET)];
    let mut command = match by {
        [] => program(&args, &secret),
        [first, rest @ ..] => {
            let mut command = std::process::Command::new(first);
            command
                .args(rest)
                .arg(env!("CARGO_BIN_EXE_travelsense"))
                .args(args)
                .envs(secret);
            command
        }
    };
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut server = Running(command.spawn().unwrap());
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let address = log
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find_map(|line| {
            (line["message"] == "listening").then(|| line["address"].as_str().unwrap().to_owned())
        })
        .expect("the server starts");
    // Somebody has to read the rest, or the server would wait for it.
    thread::spawn(move || log.map_while(Result::ok).for_each(drop));
    (server, address)
}

fn token() -> String {
    let made = run(
        &["token", "--sub", "c", "--role", "collector"],
        &[("TRAVELSENSE_JWT_SECRET", SECRET)],
    );
    made.out.trim().to_owned()
}

/// Sends a batch; the status, whether it says when to come again, and the answer; or nothing where the server went away.
fn send(
    address: &str,
    token: &str,
    events: &Value,
    key: Option<&str>,
) -> Option<(u16, bool, Value)> {
    let body = events.to_string();
    let mut socket = TcpStream::connect(address).ok()?;
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let key = key.map_or(String::new(), |key| format!("idempotency-key: {key}\r\n"));
    write!(
        socket,
        "POST /api/analytics-dashboard/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n{key}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut text = String::new();
    socket.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let retry = head.to_ascii_lowercase().contains("\r\nretry-after: ");
    Some((status, retry, serde_json::from_str(body).ok()?))
}

/// How often the server is killed: 200 times where somebody asks for it.
fn kills() -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a test may take is asked of whoever runs it"
    )]
    let asked = std::env::var("TRAVELSENSE_KILLS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// Text that hardly becomes smaller where it is stored.
fn padding(seed: u64, length: usize) -> String {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + (state >> 58) as u8)
    };
    (0..length).map(|_| letter()).collect()
}

/// How often each event is stored, by its property `n`.
pub(crate) fn stored(data: &str) -> BTreeMap<String, u64> {
    let warehouse = Duckdb::open(&Open {
        path: Some(Path::new(data).join("travelsense.db")),
        read_only: true,
        threads: None,
        memory_limit: None,
        now: Instant::default(),
    })
    .unwrap();
    let mut found = BTreeMap::new();
    let mut take = |_: &[u32], values: &arrow::array::StringArray| {
        for value in values.iter().flatten() {
            *found.entry(value.trim_matches('"').to_owned()).or_insert(0) += 1;
        }
        Ok(())
    };
    warehouse
        .property(&EventProperty::Named("n".to_owned()), 0, &mut take)
        .unwrap();
    assert_eq!(
        found.values().sum::<u64>(),
        warehouse.head().unwrap().events
    );
    found
}

/// What was sent and answered over all servers of a test.
#[derive(Default)]
struct Sent {
    next: AtomicU64,
    /// Batches and how many events each has.
    answered: Mutex<Vec<(u64, u64)>>,
    turned_away: AtomicU64,
    /// Batches that nobody answered: they are sent again, also to the next server.
    unanswered: Mutex<Vec<(u64, u64)>>,
    /// How much text each event has beside what it says, of which no two are alike.
    padding: usize,
}

impl Sent {
    /// Sends batches until it is told to stop, from so many clients at once.
    fn load(
        self: &Arc<Self>,
        address: &str,
        clients: u64,
        size: u64,
    ) -> (Arc<AtomicBool>, Vec<thread::JoinHandle<()>>) {
        let stop = Arc::new(AtomicBool::new(false));
        let token = token();
        let client = |client: u64| {
            let (sent, stop) = (Arc::clone(self), Arc::clone(&stop));
            let (address, token) = (address.to_owned(), token.clone());
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    sent.one(&address, &token, client, size);
                }
            })
        };
        let clients = (0..clients).map(client).collect();
        (stop, clients)
    }

    fn one(&self, address: &str, token: &str, client: u64, size: u64) {
        let before = self.unanswered.lock().unwrap().pop();
        let (batch, size) = before.unwrap_or_else(|| {
            let batch = self.next.fetch_add(1, Ordering::Relaxed);
            (batch, 1 + (batch * 7 + client) % size)
        });
        // Half are known by the ids of their events, half only by the key of their batch.
        let by_key = batch.is_multiple_of(2);
        let events = (0..size).map(|i| {
            let n = format!("{batch}-{i}");
            let user = format!("u{}", batch % 50);
            let mut event =
                json!({"userId": user, "name": "e", "ts": "2026-03-01T00:00:00Z", "n": n});
            if !by_key {
                event["eventId"] = json!(n);
            }
            if self.padding > 0 {
                event["padding"] = json!(padding(batch * 1_000 + i, self.padding));
            }
            event
        });
        let events = Value::Array(events.collect());
        let key = batch.to_string();
        let key = by_key.then_some(key.as_str());
        // A client that hears nothing sends again, once.
        let answer =
            send(address, token, &events, key).or_else(|| send(address, token, &events, key));
        match answer {
            Some((200, _, answer)) => {
                let count = |name: &str| answer["data"][name].as_u64().unwrap();
                assert_eq!(count("accepted") + count("duplicates"), size, "{answer}");
                self.answered.lock().unwrap().push((batch, size));
            }
            Some((503, retry, answer)) => {
                assert!(retry, "{answer}");
                self.turned_away.fetch_add(1, Ordering::Relaxed);
            }
            None => self.unanswered.lock().unwrap().push((batch, size)),
            _ => {}
        }
    }

    /// Checks that all that was acknowledged is stored, and nothing twice.
    fn check(&self, data: &str) {
        let found = stored(data);
        for (event, times) in &found {
            assert_eq!(*times, 1, "event {event} is there {times} times");
        }
        for (batch, size) in self.answered.lock().unwrap().iter() {
            for place in 0..*size {
                let event = format!("{batch}-{place}");
                assert!(
                    found.contains_key(&event),
                    "event {event} was acknowledged and is not there"
                );
            }
        }
    }

    fn answers(&self) -> usize {
        self.answered.lock().unwrap().len()
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how soon a server is back is what is tested"
)]
fn kill_9_at_any_moment_loses_and_doubles_nothing() {
    let (_dir, data) = folder();
    let sent = Arc::new(Sent::default());
    let kills = kills();
    for round in 0..kills {
        let begun = Clock::now();
        let (server, address) = serve(&data);
        assert_eq!(get(&address, "/health", "").0, 200);
        let ready = begun.elapsed();
        assert!(
            ready < Duration::from_secs(10),
            "round {round}: ready after {ready:?}"
        );
        let (stop, clients) = sent.load(&address, 6, 40);
        // At another moment each time, from during the first batches on.
        thread::sleep(Duration::from_millis(50 + (round as u64 * 137) % 700));
        drop(server);
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
        // Now and then the engine's own log is lost too: ours has what was in it.
        if round % 3 == 2 {
            let _ = std::fs::remove_file(Path::new(&data).join("travelsense.db.wal"));
        }
    }
    let (server, _) = serve(&data);
    assert_eq!(server.stop("-TERM").0, Some(0));
    assert!(
        sent.answers() > kills,
        "{} batches were answered",
        sent.answers()
    );
    sent.check(&data);
    assert!(
        !Path::new(&data).join("travelsense.db.log").exists(),
        "a store that was closed needs no log"
    );
}

#[test]
fn a_server_that_is_told_to_stop_under_load_loses_nothing_and_stops_in_time() {
    let (_dir, data) = folder();
    let sent = Arc::new(Sent::default());
    for _ in 0..2 {
        let (server, address) = serve(&data);
        let (stop, clients) = sent.load(&address, 6, 40);
        thread::sleep(Duration::from_millis(500));
        let (code, took) = server.stop("-TERM");
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(10), "{took:?}");
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
    }
    assert!(sent.answers() > 2);
    sent.check(&data);
}

#[test]
fn beyond_capacity_batches_are_turned_away_and_what_is_accepted_is_stored() {
    let (_dir, data) = folder();
    let sent = Arc::new(Sent::default());
    let (server, address) = serve(&data);
    let (stop, clients) = sent.load(&address, 400, 300);
    thread::sleep(Duration::from_secs(3));
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    assert!(
        sent.turned_away.load(Ordering::Relaxed) > 0,
        "nothing was too much"
    );
    // And as soon as it is less, all is well again.
    let before = sent.answers();
    sent.one(&address, &token(), 0, 10);
    assert_eq!(sent.answers(), before + 1);
    assert_eq!(server.stop("-TERM").0, Some(0));
    sent.check(&data);
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let (_dir, data) = folder();
    let sent = Arc::new(Sent::default());
    // No file may grow beyond this; the signal that comes with it is not asked for.
    let script = "trap '' XFSZ; ulimit -f 10000; exec \"$0\" \"$@\"";
    let (server, address) = serve_by(&["sh", "-c", script], &data);
    let (stop, clients) = sent.load(&address, 4, 200);
    for _ in 0..300 {
        if sent.turned_away.load(Ordering::Relaxed) > 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    assert!(
        sent.turned_away.load(Ordering::Relaxed) > 0,
        "the disk was never full"
    );
    let (_, status) = get(&address, "/api/analytics-dashboard/events/status", &admin());
    assert!(
        status["data"]["turnedAway"].as_u64().unwrap() > 0,
        "{status}"
    );
    drop(server);
    let before = sent.answers();
    assert!(before > 0);
    let (server, address) = serve(&data);
    sent.one(&address, &token(), 0, 10);
    assert_eq!(sent.answers(), before + 1, "it goes on with room again");
    assert_eq!(server.stop("-TERM").0, Some(0));
    sent.check(&data);
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_that_a_full_disk_broke_tells_how_it_does_and_is_opened_again_once_there_is_room() {
    let (_dir, data) = folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr();
    let bind = port.unwrap().to_string();
    let sent = Arc::new(Sent {
        padding: 1_000,
        ..Sent::default()
    });
    // In the middle of taking the log into the file there is no more room.
    let script = "trap '' XFSZ; ulimit -S -f 44000; exec \"$0\" \"$@\"";
    let (server, address) = start(&["sh", "-c", script], &data, &["--bind", &bind]);
    let (stop, clients) = sent.load(&address, 4, 300);
    // While it begins anew, nobody listens.
    let ready = || crate::program::send(&address, ("GET", "/ready"), "", "").map_or(0, |a| a.0);
    assert!(within(60, || ready() == 503), "the store was never broken");
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let token = admin();
    assert_eq!(get(&address, "/health", "").0, 200);
    let (code, status) = get(&address, "/api/analytics-dashboard/events/status", &token);
    assert_eq!(code, 200, "{status}");
    assert!(status["data"]["batches"].as_u64().unwrap() > 0, "{status}");
    assert!(status["data"]["trouble"].is_string(), "{status}");
    assert!(status["data"]["failing"].is_string(), "{status}");
    let url = format!("http://{address}");
    let doctor = run(&["doctor", "--url", &url, "--token", &token], &[]);
    assert_eq!(doctor.code, 1, "{}", doctor.err);
    assert!(
        doctor.out.contains("what is stored cannot be read"),
        "{}",
        doctor.out
    );
    let before = sent.answers();
    assert!(before > 0);
    let pid = server.0.id().to_string();
    let room = std::process::Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:unlimited"])
        .status();
    assert!(room.unwrap().success());
    assert!(within(15, || ready() == 200), "it was not opened again");
    sent.one(&address, &self::token(), 0, 10);
    assert_eq!(sent.answers(), before + 1, "it goes on with room again");
    assert_eq!(server.stop("-TERM").0, Some(0), "it is the same process");
    sent.check(&data);
}

/// Whether something becomes so within so many seconds.
#[cfg(target_os = "linux")]
fn within(seconds: u64, mut is_so: impl FnMut() -> bool) -> bool {
    for _ in 0..seconds * 10 {
        if is_so() {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}

#[test]
fn a_damaged_log_of_the_engine_is_put_aside_and_nothing_is_lost() {
    let (_dir, data) = folder();
    let sent = Arc::new(Sent::default());
    let wal = Path::new(&data).join("travelsense.db.wal");
    for round in 0..4 {
        let (server, address) = serve(&data);
        let (stop, clients) = sent.load(&address, 4, 40);
        thread::sleep(Duration::from_millis(700));
        drop(server);
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
        let mut bytes = std::fs::read(&wal).unwrap_or_default();
        let middle = bytes.len() / 2;
        match round {
            0 => bytes.truncate(middle),
            1 => bytes
                .iter_mut()
                .skip(middle)
                .step_by(97)
                .for_each(|b| *b ^= 0x40),
            2 => bytes.iter_mut().skip(8).for_each(|b| *b = 0xff),
            _ => bytes.iter_mut().for_each(|b| *b = 0),
        }
        std::fs::write(&wal, bytes).unwrap();
    }
    let (server, address) = serve(&data);
    // Zeros are no log that ended early: they are kept, and what came from the log of events instead is counted.
    let (_, status) = get(&address, "/api/analytics-dashboard/events/status", &admin());
    assert!(
        status["data"]["recovery"]["replayed"].as_u64().unwrap() > 0,
        "{status}"
    );
    let aside = status["data"]["stored"]["setAside"].to_string();
    assert!(aside.contains(".wal.damaged-"), "{status}");
    sent.one(&address, &token(), 0, 10);
    assert_eq!(server.stop("-TERM").0, Some(0));
    assert!(
        sent.answers() > 4,
        "{} batches were answered",
        sent.answers()
    );
    sent.check(&data);
}

#[test]
fn a_damaged_log_of_dashboards_stops_no_start_and_is_not_thrown_away() {
    let (_dir, data) = folder();
    let wal = Path::new(&data).join("travelsense.db.meta.wal");
    let boards = "/api/analytics-dashboard/custom";
    let widget = json!({"title": "Now", "dataSource": "user_events", "type": "metric", "visualization": "sparkline",
        "config": {"metric": "active_users", "timeRange": "last_hour"}});
    let board = json!({"name": "Board", "widgets": [widget]}).to_string();
    for round in 0..3 {
        let (server, address) = serve(&data);
        let (status, made) =
            crate::program::send(&address, ("POST", boards), &admin(), &board).unwrap();
        assert_eq!(status, 201, "{made}");
        drop(server);
        let mut bytes = std::fs::read(&wal).unwrap();
        assert!(bytes.len() > 100, "a change that was not yet in the file");
        let middle = bytes.len() / 2;
        match round {
            0 => bytes[middle] ^= 1,
            1 => bytes[0] ^= 1,
            _ => bytes.iter_mut().for_each(|b| *b = 0),
        }
        std::fs::write(&wal, bytes).unwrap();
        let (server, address) = serve(&data);
        assert_eq!(get(&address, boards, &admin()).0, 200);
        assert_eq!(server.stop("-TERM").0, Some(0));
        let aside = format!("travelsense.db.meta.wal.damaged-{}", round + 1);
        assert!(Path::new(&data).join(&aside).exists(), "{aside}");
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_is_hung_up_begins_anew_in_its_place_and_loses_nothing() {
    let (_dir, data) = folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr();
    let address = port.unwrap().to_string();
    let sent = Arc::new(Sent::default());
    let (server, _) = serve_with(&["--bind", &address], &data);
    sent.one(&address, &token(), 0, 10);
    let pid = server.0.id().to_string();
    let hung_up = std::process::Command::new("kill")
        .args(["-HUP", &pid])
        .status();
    assert!(hung_up.unwrap().success());
    let (stop, clients) = sent.load(&address, 2, 10);
    thread::sleep(Duration::from_secs(3));
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let before = sent.answers();
    sent.one(&address, &token(), 0, 10);
    assert_eq!(sent.answers(), before + 1, "it is there again");
    assert_eq!(server.stop("-TERM").0, Some(0), "it is the same process");
    sent.check(&data);
}
