//! The server is killed under load: nothing acknowledged may be lost, and nothing may be there twice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant as Clock};

use serde_json::{Value, json};
use travelsense::Instant;
use travelsense::warehouse::{Duckdb, EventProperty, Open, Warehouse as _};

use crate::program::*;

/// The address of a server that listens, and its process.
fn serve(data: &str) -> (Running, String) {
    let args = ["serve", "--data", data, "--bind", "127.0.0.1:0", "--log-format", "json", "--rate-limit", "off"];
    let mut server = Running::start(&args, &[("TRAVELSENSE_JWT_SECRET", SECRET)]);
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let address = log
        .by_ref()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
        .find_map(|line| (line["message"] == "listening").then(|| line["address"].as_str().unwrap().to_owned()))
        .expect("the server starts");
    // Somebody has to read the rest, or the server would wait for it.
    thread::spawn(move || log.map_while(Result::ok).for_each(drop));
    (server, address)
}

fn token() -> String {
    let made = run(&["token", "--sub", "c", "--role", "collector"], &[("TRAVELSENSE_JWT_SECRET", SECRET)]);
    made.out.trim().to_owned()
}

/// Sends a batch; the status and the answer, or nothing where the server went away.
fn send(address: &str, token: &str, events: &Value, key: Option<&str>) -> Option<(u16, Value)> {
    let body = events.to_string();
    let mut socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
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
    Some((status, serde_json::from_str(body).ok()?))
}

/// How often the server is killed: 200 times where somebody asks for it.
fn kills() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how long a test may take is asked of whoever runs it")]
    let asked = std::env::var("TRAVELSENSE_KILLS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(8)
}

/// How often each event is stored, by its property `n`.
fn stored(data: &str) -> BTreeMap<String, u64> {
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
    warehouse.property(&EventProperty::Named("n".to_owned()), 0, &mut take).unwrap();
    assert_eq!(found.values().sum::<u64>(), warehouse.head().unwrap().events);
    found
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how soon a server is back is what is tested")]
fn kill_9_at_any_moment_loses_and_doubles_nothing() {
    let (_dir, data) = folder();
    let token = token();
    // What was answered: batch, whether it had a key, how many events.
    let answered = Arc::new(Mutex::new(Vec::<(u64, u64)>::new()));
    let next = Arc::new(AtomicU64::new(0));
    let kills = kills();
    for round in 0..kills {
        let begun = Clock::now();
        let (server, address) = serve(&data);
        assert_eq!(get(&address, "/health", "").0, 200);
        let ready = begun.elapsed();
        assert!(ready < Duration::from_secs(10), "round {round}: ready after {ready:?}");
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..6)
            .map(|sender| {
                let (answered, next, stop) = (Arc::clone(&answered), Arc::clone(&next), Arc::clone(&stop));
                let (address, token) = (address.clone(), token.clone());
                thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let batch = next.fetch_add(1, Ordering::Relaxed);
                        let size = 1 + (batch * 7 + sender) % 40;
                        // Half are known by the ids of their events, half only by the key of their batch.
                        let by_key = batch % 2 == 0;
                        let events: Vec<Value> = (0..size)
                            .map(|i| {
                                let mut event = json!({"userId": format!("u{}", batch % 50), "name": "e", "ts": "2026-03-01T00:00:00Z", "n": format!("{batch}-{i}")});
                                if !by_key {
                                    event["eventId"] = json!(format!("{batch}-{i}"));
                                }
                                event
                            })
                            .collect();
                        let key = batch.to_string();
                        let key = by_key.then_some(key.as_str());
                        let events = Value::Array(events);
                        // A client that hears nothing sends again, once.
                        let answer = send(&address, &token, &events, key)
                            .or_else(|| send(&address, &token, &events, key));
                        if let Some((200, answer)) = answer {
                            let data = &answer["data"];
                            assert_eq!(data["accepted"].as_u64().unwrap() + data["duplicates"].as_u64().unwrap(), size, "{answer}");
                            answered.lock().unwrap().push((batch, size));
                        }
                    }
                })
            })
            .collect();
        // At another moment each time, from during the first batches on.
        thread::sleep(Duration::from_millis(20 + (round as u64 * 137) % 700));
        drop(server);
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            sender.join().unwrap();
        }
    }
    // The last ones may not have been answered; sent again by another server they are stored once all the same.
    let (server, _) = serve(&data);
    assert_eq!(server.stop("-TERM").0, Some(0));
    let answered = answered.lock().unwrap();
    assert!(answered.len() > kills, "{} batches were answered", answered.len());
    let found = stored(&data);
    for (event, times) in &found {
        assert_eq!(*times, 1, "event {event} is there {times} times");
    }
    for (batch, size) in answered.iter() {
        for place in 0..*size {
            let event = format!("{batch}-{place}");
            assert!(found.contains_key(&event), "event {event} was acknowledged and is not there");
        }
    }
}
