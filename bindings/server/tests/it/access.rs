//! Who is let in: 401 before 403 before anything else.

use axum::body::Body;
use axum::http::Request;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::json;
use travelsense::access::Key;
use travelsense_server::Limits;

use crate::client::*;
use crate::tokens::*;

#[tokio::test]
async fn without_a_valid_token_every_endpoint_answers_401() {
    let server = Server::new();
    let bearer = |token: String| format!("Bearer {token}");
    let key = |algorithm, pem: &str| match algorithm {
        Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
        Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
        _ => EncodingKey::from_ed_pem(pem.as_bytes()).unwrap(),
    };
    let foreign =
        |algorithm, pem| bearer(signed(algorithm, &key(algorithm, pem), &claims("admin")));
    let table = [
        (String::new(), "token_missing"),
        ("Bearer".to_owned(), "token_missing"),
        ("Bearer ".to_owned(), "token_missing"),
        ("Basic dTpw".to_owned(), "token_missing"),
        (token("admin"), "token_missing"),
        (bearer("undefined".to_owned()), "token_malformed"),
        (bearer(format!("{} x", token("admin"))), "token_malformed"),
        (bearer(sign(&with("exp", json!(NOW - 31)))), "token_expired"),
        (
            bearer(sign(&with("exp", json!("9999999999")))),
            "token_malformed",
        ),
        (
            bearer(sign(&with("nbf", json!(NOW + 31)))),
            "token_not_yet_valid",
        ),
        (bearer(sign(&with("nbf", json!("0")))), "token_malformed"),
        (bearer(unsigned()), "token_wrong_algorithm"),
        (
            bearer(signed(
                Algorithm::HS256,
                &EncodingKey::from_secret(OTHER),
                &claims("admin"),
            )),
            "token_bad_signature",
        ),
        (
            bearer(signed(
                Algorithm::HS512,
                &EncodingKey::from_secret(SECRET),
                &claims("admin"),
            )),
            "token_wrong_algorithm",
        ),
        (foreign(Algorithm::RS256, RSA), "token_wrong_algorithm"),
        (foreign(Algorithm::ES256, EC), "token_wrong_algorithm"),
        (foreign(Algorithm::EdDSA, ED), "token_wrong_algorithm"),
        (
            bearer(sign(&with("aud", json!("another")))),
            "token_wrong_audience",
        ),
        (
            bearer(sign(&with("iss", json!("https://evil.example")))),
            "token_wrong_issuer",
        ),
        (bearer(sign(&without("exp"))), "token_missing_claim"),
        (bearer(sign(&without("sub"))), "token_missing_claim"),
        (bearer(sign(&without("iss"))), "token_missing_claim"),
        (bearer(sign(&without("aud"))), "token_missing_claim"),
    ];
    for (path, query) in GOOD {
        for (authorization, code) in &table {
            // What else is wrong with the request does not matter before it is known who asks.
            for query in [query, "startDate=nonsense&unknown=1"] {
                let reply = server.get(path, query, authorization).await;
                assert_eq!(reply.problem(401), *code, "{path} {authorization}");
                assert_eq!(reply.json["errors"], json!([]));
                assert_eq!(reply.json["instance"], path);
                let challenge = reply.header("www-authenticate");
                assert!(
                    challenge.starts_with("Bearer realm=\"travelsense\""),
                    "{challenge}"
                );
                assert_eq!(
                    challenge.contains("error=\"invalid_token\""),
                    *code != "token_missing"
                );
            }
        }
    }
}

#[tokio::test]
async fn two_authorization_headers_are_none() {
    let request = Request::get(REALTIME)
        .header("authorization", format!("Bearer {}", token("admin")))
        .header("authorization", format!("Bearer {}", token("viewer")));
    let reply = Server::new()
        .send(request.body(Body::empty()).unwrap())
        .await;
    assert_eq!(reply.problem(401), "token_malformed");
}

#[tokio::test]
async fn a_role_without_rights_is_403_before_anything_is_validated() {
    let server = Server::new();
    for (path, query) in GOOD {
        for query in [query, "startDate=nonsense&unknown=1"] {
            for claims in [claims("root"), claims("Admin"), claims(""), without("role")] {
                let reply = server
                    .get(path, query, &format!("Bearer {}", sign(&claims)))
                    .await;
                assert_eq!(reply.problem(403), "forbidden", "{path}");
                assert_eq!(reply.header("www-authenticate"), "");
                assert_eq!(reply.json["errors"], json!([]));
            }
        }
    }
}

#[tokio::test]
async fn every_role_with_rights_reads_and_the_scheme_is_case_insensitive() {
    let server = Server::new();
    for (path, query) in GOOD {
        for role in ["admin", "analyst", "viewer"] {
            assert_eq!(server.ask(path, query, role).await.status, 200);
        }
        assert_eq!(
            server
                .get(path, query, &format!("bearer {}", token("viewer")))
                .await
                .status,
            200
        );
    }
}

#[tokio::test]
async fn public_keys_let_in_whom_they_signed() {
    let pairs = [
        (
            Algorithm::RS256,
            EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap(),
            RSA_PUBLIC,
        ),
        (
            Algorithm::ES256,
            EncodingKey::from_ec_pem(EC.as_bytes()).unwrap(),
            EC_PUBLIC,
        ),
        (
            Algorithm::EdDSA,
            EncodingKey::from_ed_pem(ED.as_bytes()).unwrap(),
            ED_PUBLIC,
        ),
    ];
    for (algorithm, private, public) in pairs {
        let server = Server::with(vec![Key::pem(public).unwrap()], Limits::default());
        let (path, query) = GOOD[0];
        let good = format!("Bearer {}", signed(algorithm, &private, &claims("viewer")));
        assert_eq!(server.get(path, query, &good).await.status, 200);
        // A secret that an attacker knows, because it is the public key.
        let secret = EncodingKey::from_secret(public.as_bytes());
        let forged = format!(
            "Bearer {}",
            signed(Algorithm::HS256, &secret, &claims("admin"))
        );
        assert_eq!(
            server.get(path, query, &forged).await.problem(401),
            "token_wrong_algorithm"
        );
    }
}
