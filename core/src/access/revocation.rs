//! Tokens taken back before they expire.

use serde_json::Value;

use super::token::{Proof, revoked};
use crate::error::{FieldError, Result};
use crate::metadata::Revocation;
use crate::query::Instant;
use crate::query::fields::{self, Fields, Parsed, fault};

/// Reads `{"jti": …}` or `{"subject": …, "issuedBefore": …}`, with `until`, from when on all such tokens have expired anyway.
///
/// The subject `*` is everybody; without `issuedBefore` it is now.
///
/// # Errors
/// `validation_failed` with every field error at once.
pub fn parse(asked: &Value, now: Instant) -> Result<Revocation> {
    let mut fields = Fields::of(asked)?;
    let token = fields.optional("jti", name);
    let subject = fields.optional("subject", name);
    let before = fields.optional("issuedBefore", fields::instant);
    let until = fields.optional("until", fields::instant);
    let given = |name: &str| asked.get(name).is_some_and(|v| !v.is_null());
    let mut faults = Vec::new();
    let mut wrong = |field: &str, code, message: &str| {
        faults.push(FieldError {
            field: field.to_owned(),
            code,
            message: message.to_owned(),
        });
    };
    match (given("jti"), given("subject")) {
        (false, false) => wrong("jti", "required", "is required where no `subject` is named"),
        (true, true) => wrong("subject", "conflict", "must not be given beside `jti`"),
        _ => {}
    }
    if given("jti") && given("issuedBefore") {
        wrong("issuedBefore", "conflict", "must not be given beside `jti`");
    }
    if before.is_some_and(|at| at > now) {
        wrong("issuedBefore", "in_future", "must not be in the future");
    }
    fields.finish(faults)?;
    Ok(Revocation {
        token: token.unwrap_or_default(),
        subject: subject.unwrap_or_default(),
        issued_before: before.unwrap_or(now),
        until: until.unwrap_or(Instant::MAX),
    })
}

/// Lets a proven principal in, unless the token was taken back.
///
/// # Errors
/// `Unauthenticated` with the code `token_revoked`.
pub fn admit(proof: &Proof, revocations: &[Revocation]) -> Result<()> {
    let meets = |r: &Revocation| {
        if !r.token.is_empty() {
            return proof.token.as_ref() == Some(&r.token);
        }
        // A token that does not say when it was issued may have been issued before.
        (r.subject == "*" || r.subject == proof.principal.id())
            && proof.issued.is_none_or(|at| at < r.issued_before)
    };
    if revocations.iter().any(meets) {
        Err(revoked())
    } else {
        Ok(())
    }
}

/// Text that a store can hold.
fn name(value: &Value) -> Parsed<String> {
    let text = fields::text(value)?;
    if !(1..=500).contains(&text.chars().count()) || text.contains('\0') {
        return fault("invalid_length", "must have 1 to 500 characters");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::access::Principal;

    fn now() -> Instant {
        "2026-03-01T00:00:00Z".parse().unwrap()
    }

    fn proof(token: Option<&str>, issued: Option<&str>) -> Proof {
        Proof {
            principal: Principal::new("u1", "admin"),
            token: token.map(str::to_owned),
            issued: issued.map(|at| at.parse().unwrap()),
        }
    }

    #[test]
    fn a_token_is_taken_back_by_its_id_or_by_when_its_subject_got_it() {
        let (old, fresh) = (Some("2026-02-01T00:00:00Z"), Some("2026-02-20T00:00:00Z"));
        let february = json!({"subject": "u1", "issuedBefore": "2026-02-10T00:00:00Z"});
        let table = [
            (json!({"jti": "a"}), proof(Some("a"), fresh), false),
            (json!({"jti": "a"}), proof(Some("b"), fresh), true),
            (json!({"jti": "a"}), proof(None, None), true),
            (february.clone(), proof(None, old), false),
            (february.clone(), proof(None, None), false),
            (february, proof(None, fresh), true),
            (json!({"subject": "u1"}), proof(None, fresh), false),
            (json!({"subject": "*"}), proof(None, fresh), false),
            (json!({"subject": "u2"}), proof(None, old), true),
            (
                json!({"subject": "u1"}),
                proof(None, Some("2026-03-01T00:00:00Z")),
                true,
            ),
        ];
        for (asked, proof, allowed) in table {
            let revocation = parse(&asked, now()).unwrap();
            let admitted = admit(
                &proof,
                &[
                    Revocation {
                        token: "z".to_owned(),
                        ..Revocation::default()
                    },
                    revocation,
                ],
            );
            assert_eq!(admitted.is_ok(), allowed, "{asked} {proof:?}");
            if let Err(error) = admitted {
                assert_eq!(error.code(), "token_revoked");
            }
        }
    }

    #[test]
    fn everything_wrong_with_a_revocation_is_said_at_once() {
        let table = [
            (json!({}), vec!["jti required"]),
            (json!({"jti": ""}), vec!["jti invalid_length"]),
            (
                json!({"jti": "a", "subject": "b", "issuedBefore": "2027-01-01T00:00:00Z", "x": 1}),
                vec![
                    "subject conflict",
                    "issuedBefore conflict",
                    "issuedBefore in_future",
                    "x unknown_field",
                ],
            ),
            (
                json!({"subject": 7, "until": "soon"}),
                vec!["subject invalid_type", "until invalid_date"],
            ),
        ];
        for (asked, expected) in table {
            let error = parse(&asked, now()).unwrap_err();
            let faults: Vec<String> = error
                .field_errors()
                .iter()
                .map(|f| format!("{} {}", f.field, f.code))
                .collect();
            assert_eq!(faults, expected, "{asked}");
        }
    }
}
