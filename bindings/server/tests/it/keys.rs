//! Keys that are fetched from a URL: rotation, an unknown `kid`, and what does not disturb the server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::{Value, json};
use travelsense_server::{FetchedKeys, Limits, Service, router};

use crate::client::*;
use crate::tokens::*;

/// A server of keys: what it answers, and how often it was asked.
struct Issuer {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((200, String::new())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (Arc::clone(&answer), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                let head = reader.lines().map_while(Result::ok);
                head.take_while(|line| !line.is_empty()).for_each(drop);
                count.fetch_add(1, Ordering::SeqCst);
                let (status, body) = answers.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Self { url, answer, asked }
    }

    fn says(&self, status: u16, keys: &[(&str, &DecodingKey)]) {
        let keys: Vec<Value> = keys
            .iter()
            .map(|(id, key)| {
                let mut jwk = Jwk::from_decoding_key(key, None).unwrap();
                jwk.common.key_id = Some((*id).to_owned());
                serde_json::to_value(jwk).unwrap()
            })
            .collect();
        *self.answer.lock().unwrap() = (status, json!({ "keys": keys }).to_string());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn server(&self, pause: Duration) -> Server {
        let keys = FetchedKeys::new(&self.url, Vec::new(), (ISSUER, AUDIENCE), pause).unwrap();
        let verifier = keys.fetch().await.unwrap();
        let store = store();
        let service = Service::new(Arc::clone(&store), verifier, Limits::default());
        let service = service.fetching(Arc::new(keys));
        Server::of(store, service.clone(), router(service))
    }
}

fn token_of(id: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let header = Header {
        kid: Some(id.to_owned()),
        ..Header::new(algorithm)
    };
    let token = jsonwebtoken::encode(&header, &claims("viewer"), key).unwrap();
    format!("Bearer {token}")
}

fn ed() -> (EncodingKey, DecodingKey) {
    (
        EncodingKey::from_ed_pem(ED.as_bytes()).unwrap(),
        DecodingKey::from_ed_pem(ED_PUBLIC.as_bytes()).unwrap(),
    )
}

fn ec() -> (EncodingKey, DecodingKey) {
    (
        EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(),
        DecodingKey::from_ec_pem(EC_PUBLIC.as_bytes()).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_is_good_at_once_and_one_taken_back_no_more() {
    let issuer = Issuer::new();
    let ((old, old_public), (new, new_public)) = (ed(), ec());
    issuer.says(200, &[("old", &old_public)]);
    let server = issuer.server(Duration::ZERO).await;
    let (old, new) = (
        token_of("old", Algorithm::EdDSA, &old),
        token_of("new", Algorithm::ES256, &new),
    );
    for _ in 0..5 {
        assert_eq!(server.get(REALTIME, "", &old).await.status, 200);
    }
    assert_eq!(
        issuer.asked(),
        1,
        "keys that are known are not fetched again"
    );
    assert_eq!(server.get(REALTIME, "", &new).await.status, 401);
    // Both are there for a while, so that nobody is refused.
    issuer.says(200, &[("old", &old_public), ("new", &new_public)]);
    assert_eq!(server.get(REALTIME, "", &new).await.status, 200);
    assert_eq!(server.get(REALTIME, "", &old).await.status, 200);
    issuer.says(200, &[("new", &new_public)]);
    let other = token_of("third", Algorithm::ES256, &ec().0);
    assert_eq!(server.get(REALTIME, "", &other).await.status, 401);
    assert_eq!(server.get(REALTIME, "", &old).await.status, 401);
    assert_eq!(server.get(REALTIME, "", &new).await.status, 200);
    // An issuer that fails, or says nonsense, takes no keys away.
    issuer.says(500, &[]);
    assert_eq!(server.get(REALTIME, "", &old).await.status, 401);
    assert_eq!(server.get(REALTIME, "", &new).await.status, 200);
    *issuer.answer.lock().unwrap() = (200, "x".repeat(2 << 20));
    assert_eq!(server.get(REALTIME, "", &old).await.status, 401);
    assert_eq!(server.get(REALTIME, "", &new).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_that_name_unknown_keys_do_not_have_them_fetched_again_and_again() {
    let issuer = Issuer::new();
    let (key, public) = ed();
    issuer.says(200, &[("known", &public)]);
    let server = issuer.server(Duration::from_secs(3_600)).await;
    for n in 0..20 {
        let token = token_of(&format!("k{n}"), Algorithm::EdDSA, &key);
        assert_eq!(server.get(REALTIME, "", &token).await.status, 401);
    }
    assert_eq!(
        issuer.asked(),
        2,
        "when it began, and for the first of them"
    );
    let token = token_of("known", Algorithm::EdDSA, &key);
    assert_eq!(server.get(REALTIME, "", &token).await.status, 200);
}

#[test]
fn keys_are_fetched_where_nobody_can_put_in_another() {
    let new = |url: &str| FetchedKeys::new(url, Vec::new(), (ISSUER, AUDIENCE), Duration::ZERO);
    for url in [
        "https://id.example/jwks.json",
        "http://127.0.0.1:1/x",
        "http://localhost/x",
    ] {
        new(url).unwrap();
    }
    for url in [
        "http://id.example/jwks.json",
        "ftp://id.example/x",
        "file:///etc/keys",
        "x",
    ] {
        assert!(new(url).is_err(), "{url}");
    }
}
