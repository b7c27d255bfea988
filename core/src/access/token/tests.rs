use serde_json::json;

use super::*;

const SECRET: &[u8] = b"Zk3v9QpL1xW7tRb2YcN8sDf4GhJ6mKaE";
const OTHER: &[u8] = b"qW8eRt5yUi2oPa9sDf6gHj3kLz7xCv1b";
const NOW: i64 = 1_800_000_000;

const RSA: &str = include_str!("keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("keys/rsa.pub.pem");
const EC: &str = include_str!("keys/ec.pem");
const EC_PUBLIC: &str = include_str!("keys/ec.pub.pem");
const ED: &str = include_str!("keys/ed.pem");
const ED_PUBLIC: &str = include_str!("keys/ed.pub.pem");

fn at(seconds: i64) -> Instant {
    Instant::from_micros(seconds * 1_000_000).unwrap()
}

fn verifier(keys: Vec<Key>) -> Verifier {
    Verifier::new(keys, "https://id.example", "travelsense").unwrap()
}

fn hs256() -> Verifier {
    verifier(vec![Key::secret(SECRET).unwrap()])
}

fn claims() -> Value {
    json!({
        "sub": "u1", "role": "admin", "iss": "https://id.example", "aud": "travelsense",
        "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 600,
    })
}

/// The good claims with one of them replaced, or removed where the value is null.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token of any header and any payload, signed with HS256.
fn raw(header: &str, payload: &str, secret: &[u8]) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = crypto::sign(
        signed.as_bytes(),
        &EncodingKey::from_secret(secret),
        Algorithm::HS256,
    )
    .unwrap();
    format!("{signed}.{signature}")
}

fn token(claims: &Value) -> String {
    raw(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        &claims.to_string(),
        SECRET,
    )
}

fn headed(header: &str) -> String {
    raw(header, &claims().to_string(), SECRET)
}

fn code(verifier: &Verifier, token: &str) -> &'static str {
    match verifier.verify(token, at(NOW)) {
        Ok(_) => "ok",
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unauthenticated);
            error.code()
        }
    }
}

#[test]
fn a_good_token_tells_the_user_and_the_role() {
    let who = hs256().verify(&token(&claims()), at(NOW)).unwrap();
    assert_eq!((who.id(), who.role()), ("u1", "admin"));
    let without_role = hs256()
        .verify(&token(&with("role", Value::Null)), at(NOW))
        .unwrap();
    assert_eq!(without_role.role(), "");
}

#[test]
fn every_claim_is_there_of_the_right_type_and_value() {
    let table = [
        ("exp", Value::Null, "token_missing_claim"),
        ("iss", Value::Null, "token_missing_claim"),
        ("aud", Value::Null, "token_missing_claim"),
        ("sub", Value::Null, "token_missing_claim"),
        ("sub", json!(""), "token_missing_claim"),
        ("nbf", Value::Null, "ok"),
        ("iat", Value::Null, "ok"),
        ("exp", json!("1900000000"), "token_malformed"),
        ("exp", json!(true), "token_malformed"),
        ("exp", json!([NOW + 600]), "token_malformed"),
        ("nbf", json!("1700000000"), "token_malformed"),
        ("nbf", json!({}), "token_malformed"),
        ("iat", json!("1700000000"), "token_malformed"),
        ("sub", json!(7), "token_malformed"),
        ("iss", json!(["https://id.example"]), "token_malformed"),
        ("aud", json!(7), "token_malformed"),
        ("aud", json!(["travelsense", 7]), "token_malformed"),
        ("role", json!(["admin"]), "token_malformed"),
        ("exp", json!(NOW + 1), "ok"),
        ("exp", json!(NOW), "ok"),
        ("exp", json!(NOW - 29), "ok"),
        ("exp", json!(NOW as f64 - 29.5), "ok"),
        ("exp", json!(NOW - 30), "token_expired"),
        ("exp", json!(NOW - 3600), "token_expired"),
        ("exp", json!(0), "token_expired"),
        ("exp", json!(-1e300), "token_expired"),
        ("exp", json!(1e300), "ok"),
        ("exp", json!(u64::MAX), "ok"),
        ("nbf", json!(NOW + 30), "ok"),
        ("nbf", json!(NOW + 31), "token_not_yet_valid"),
        ("nbf", json!(1e300), "token_not_yet_valid"),
        ("iss", json!("https://id.example/"), "token_wrong_issuer"),
        ("iss", json!("https://evil.example"), "token_wrong_issuer"),
        ("aud", json!("other"), "token_wrong_audience"),
        ("aud", json!("TravelSense"), "token_wrong_audience"),
        ("aud", json!([]), "token_wrong_audience"),
        ("aud", json!(["other", "travelsense"]), "ok"),
    ];
    for (name, value, expected) in table {
        let line = format!("{name} = {value}");
        assert_eq!(
            code(&hs256(), &token(&with(name, value))),
            expected,
            "{line}"
        );
    }
}

#[test]
fn the_header_may_not_choose_how_it_is_verified() {
    let table = [
        (r#"{"alg":"HS256"}"#, "ok"),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, "ok"),
        (r#"{"alg":"HS256","typ":"application/jwt"}"#, "ok"),
        (r#"{"alg":"HS256","kid":"whatever"}"#, "ok"),
        (
            r#"{"alg":"HS256","jku":"https://evil.example","x5u":"https://evil.example"}"#,
            "ok",
        ),
        (r#"{"alg":"none"}"#, "token_wrong_algorithm"),
        (r#"{"alg":"None"}"#, "token_wrong_algorithm"),
        (r#"{"alg":""}"#, "token_wrong_algorithm"),
        (r#"{"alg":"hs256"}"#, "token_wrong_algorithm"),
        (r#"{"alg":"HS384"}"#, "token_wrong_algorithm"),
        (r#"{"alg":"HS512"}"#, "token_wrong_algorithm"),
        (r#"{"alg":"RS256"}"#, "token_wrong_algorithm"),
        (r#"{"alg":"ES256"}"#, "token_wrong_algorithm"),
        (r#"{"alg":7}"#, "token_malformed"),
        (r#"{"alg":["HS256"]}"#, "token_malformed"),
        (r#"{"typ":"JWT"}"#, "token_malformed"),
        (r#"{"alg":"HS256","alg":"none"}"#, "token_malformed"),
        (r#"{"alg":"HS256","crit":["exp"]}"#, "token_malformed"),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, "token_malformed"),
        (r#"{"alg":"HS256","typ":7}"#, "token_malformed"),
        (r#"{"alg":"HS256","kid":7}"#, "token_malformed"),
        (r#"["HS256"]"#, "token_malformed"),
        ("HS256", "token_malformed"),
    ];
    for (header, expected) in table {
        assert_eq!(code(&hs256(), &headed(header)), expected, "{header}");
    }
}

#[test]
fn what_is_no_token_is_malformed() {
    let good = token(&claims());
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let deep = "[".repeat(20_000);
    let table = [
        (String::new(), "token_malformed"),
        (".".to_owned(), "token_malformed"),
        ("..".to_owned(), "token_malformed"),
        ("a.b.c".to_owned(), "token_malformed"),
        (format!("{header}.{payload}"), "token_malformed"),
        (format!("{good}.x"), "token_malformed"),
        (
            format!("{header}=.{payload}.{signature}"),
            "token_malformed",
        ),
        (format!("{header}.{payload}."), "token_bad_signature"),
        (
            format!("{header}.{payload}.{signature}="),
            "token_malformed",
        ),
        (
            format!(
                "{header}.{}.{signature}",
                encode(&with("role", json!("viewer")).to_string())
            ),
            "token_bad_signature",
        ),
        (
            format!("{}..{signature}", encode(r#"{"alg":"none"}"#)),
            "token_wrong_algorithm",
        ),
        (
            raw(r#"{"alg":"HS256"}"#, &claims().to_string(), OTHER),
            "token_bad_signature",
        ),
        (raw(r#"{"alg":"HS256"}"#, &deep, SECRET), "token_malformed"),
        (
            raw(r#"{"alg":"HS256"}"#, r#"{"sub":"a","sub":"b"}"#, SECRET),
            "token_malformed",
        ),
        (
            raw(r#"{"alg":"HS256"}"#, "\"text\"", SECRET),
            "token_malformed",
        ),
        ("a".repeat(16_385), "token_malformed"),
    ];
    for (token, expected) in table {
        assert_eq!(
            code(&hs256(), &token),
            expected,
            "{}",
            token.get(..60).unwrap_or(&token)
        );
    }
}

#[test]
fn no_change_of_a_single_byte_is_accepted() {
    let good = token(&claims());
    for i in 0..good.len() {
        for replacement in [b'A', b'B', b'z', b'.', b'-'] {
            let mut bytes = good.clone().into_bytes();
            if bytes[i] == replacement {
                continue;
            }
            bytes[i] = replacement;
            let changed = String::from_utf8(bytes).unwrap();
            assert_ne!(code(&hs256(), &changed), "ok", "byte {i}");
        }
    }
}

fn signed(algorithm: Algorithm, key: &EncodingKey, id: Option<&str>) -> String {
    let header = Header {
        kid: id.map(ToOwned::to_owned),
        ..Header::new(algorithm)
    };
    jsonwebtoken::encode(&header, &claims(), key).unwrap()
}

fn pairs() -> [(Algorithm, EncodingKey, &'static str); 3] {
    [
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
    ]
}

#[test]
fn public_keys_verify_only_their_own_tokens() {
    for (algorithm, private, public) in pairs() {
        let mine = verifier(vec![Key::pem(public).unwrap()]);
        assert_eq!(
            code(&mine, &signed(algorithm, &private, None)),
            "ok",
            "{algorithm:?}"
        );
        for (other, key, _) in pairs().iter().filter(|p| p.0 != algorithm) {
            assert_eq!(
                code(&mine, &signed(*other, key, None)),
                "token_wrong_algorithm",
                "{algorithm:?} {other:?}"
            );
        }
        // The classic confusion: the public key's text as the secret of an HMAC.
        let forged = raw(
            r#"{"alg":"HS256"}"#,
            &claims().to_string(),
            public.as_bytes(),
        );
        assert_eq!(code(&mine, &forged), "token_wrong_algorithm");
        let renamed = raw(
            &format!(r#"{{"alg":"{algorithm:?}"}}"#),
            &claims().to_string(),
            public.as_bytes(),
        );
        assert_eq!(code(&mine, &renamed), "token_bad_signature");
    }
}

#[test]
fn kid_chooses_among_configured_keys_and_nothing_else() {
    let [(_, rsa, rsa_public), (_, ec, ec_public), _] = pairs();
    let keys = vec![
        Key::pem(rsa_public).unwrap().with_id("r"),
        Key::pem(ec_public).unwrap().with_id("e"),
    ];
    let both = verifier(keys);
    let table = [
        (signed(Algorithm::RS256, &rsa, Some("r")), "ok"),
        (signed(Algorithm::ES256, &ec, Some("e")), "ok"),
        (signed(Algorithm::RS256, &rsa, None), "ok"),
        (
            signed(Algorithm::RS256, &rsa, Some("e")),
            "token_wrong_algorithm",
        ),
        (
            signed(Algorithm::ES256, &ec, Some("r")),
            "token_wrong_algorithm",
        ),
        (
            signed(Algorithm::RS256, &rsa, Some("x")),
            "token_bad_signature",
        ),
        (
            signed(Algorithm::RS256, &rsa, Some("")),
            "token_bad_signature",
        ),
        (
            signed(Algorithm::RS256, &rsa, Some("../../../../dev/null")),
            "token_bad_signature",
        ),
    ];
    for (i, (token, expected)) in table.into_iter().enumerate() {
        assert_eq!(code(&both, &token), expected, "line {i}");
    }
}

#[test]
fn two_secrets_overlap_while_one_replaces_the_other() {
    let old_and_new = verifier(vec![
        Key::secret(OTHER).unwrap().with_id("new"),
        Key::secret(SECRET).unwrap().with_id("old"),
    ]);
    assert_eq!(
        code(&old_and_new, &headed(r#"{"alg":"HS256","kid":"old"}"#)),
        "ok"
    );
    assert_eq!(code(&old_and_new, &headed(r#"{"alg":"HS256"}"#)), "ok");
    assert_eq!(
        code(&old_and_new, &headed(r#"{"alg":"HS256","kid":"new"}"#)),
        "token_bad_signature"
    );
}

#[test]
fn a_jwks_gives_its_signing_keys() {
    let public = |pem: &str| {
        let key = Key::pem(pem).unwrap().key;
        serde_json::to_value(jsonwebtoken::jwk::Jwk::from_decoding_key(&key, None).unwrap())
            .unwrap()
    };
    let mut keys: Vec<Value> = pairs().iter().map(|p| public(p.2)).collect();
    for (i, key) in keys.iter_mut().enumerate() {
        key["kid"] = json!(format!("k{i}"));
        key["use"] = json!("sig");
    }
    keys.push(json!({"kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "other"}));
    let mut encryption = keys[0].clone();
    encryption["use"] = json!("enc");
    keys.push(encryption);
    let read = Key::jwks(&json!({ "keys": keys }).to_string()).unwrap();
    assert_eq!(
        read.iter().map(Key::algorithm).collect::<Vec<_>>(),
        ["RS256", "ES256", "EdDSA"]
    );
    let all = verifier(read);
    for (i, (algorithm, private, _)) in pairs().iter().enumerate() {
        assert_eq!(
            code(&all, &signed(*algorithm, private, Some(&format!("k{i}")))),
            "ok"
        );
    }

    let bad = [
        "",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"WmszdjlRcEwxeFc3dFJiMlljTjhzRGY0R2hKNm1LYUU"}]}"#,
        r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
        r#"{"keys":[{"kty":"RSA","n":"***","e":"AQAB"}]}"#,
    ];
    for document in bad {
        assert_eq!(
            Key::jwks(document).unwrap_err().code(),
            "invalid_key",
            "{document}"
        );
    }
}

#[test]
fn a_key_that_cannot_be_used_is_refused_at_the_start() {
    let bad = [
        "",
        "not a key",
        RSA,
        EC,
        ED,
        include_str!("keys/p384.pub.pem"),
        include_str!("keys/rsa1024.pub.pem"),
    ];
    for pem in bad {
        assert_eq!(Key::pem(pem).unwrap_err().code(), "invalid_key", "{pem}");
    }
    assert_eq!(
        Verifier::new(Vec::new(), "i", "a").unwrap_err().code(),
        "no_key"
    );
    let key = || vec![Key::secret(SECRET).unwrap()];
    assert_eq!(
        Verifier::new(key(), "", "a").unwrap_err().field_errors()[0].field,
        "issuer"
    );
    assert_eq!(
        Verifier::new(key(), "i", "").unwrap_err().field_errors()[0].field,
        "audience"
    );
}

#[test]
fn a_minted_token_is_accepted_until_it_expires() {
    let claims = Claims {
        sub: "u7".to_owned(),
        role: "viewer".to_owned(),
        iss: "https://id.example".to_owned(),
        aud: "travelsense".to_owned(),
        iat: at(NOW),
        exp: at(NOW + 3600),
    };
    let token = mint(SECRET, &claims).unwrap();
    assert_eq!(
        hs256().verify(&token, at(NOW)).unwrap(),
        Principal::new("u7", "viewer")
    );
    assert_eq!(
        hs256().verify(&token, at(NOW + 3630)).unwrap_err().code(),
        "token_expired"
    );
    assert_eq!(mint(b"short", &claims).unwrap_err().code(), "weak_key");
}
