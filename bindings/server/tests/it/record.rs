//! The record in PostgreSQL, as the command line reads and checks it while a server goes on writing.

use serde_json::Value;

use crate::crash::serve_with;
use crate::program::*;
use crate::services::Postgres;

#[test]
fn a_record_in_postgresql_is_listed_and_verified_without_the_events() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.source("");
    let kept = ["--metadata", url.as_str()];
    let audit = |what: &str, more: &[&str]| run(&[&["audit", what], &kept[..], more].concat(), &[]);
    // Nothing is made where nothing is.
    let early = audit("verify", &[]);
    assert_ne!(early.code, 0, "{}", early.out);
    refused(&["audit", "verify"], &[], 2, &["--data"]);

    let (_dir, data) = imported();
    let (server, address) = serve_with(&kept, &data);
    let token = admin();
    for _ in 0..3 {
        assert_eq!(
            get(&address, "/api/analytics-dashboard/custom", &token).0,
            200
        );
    }
    let whole = audit("verify", &["--json"]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    let whole: Value = serde_json::from_str(&whole.out).unwrap();
    assert_eq!(
        (&whole["entries"], &whole["broken"]),
        (&3.into(), &Value::Null)
    );
    let listed = audit("list", &["--action", "dashboard", "--limit", "2"]).out;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains("dashboard.list"), "{listed}");

    let mut client = postgres.connect();
    client
        .execute(
            "update entries set who = 'somebody else' where seq = 2",
            &[],
        )
        .unwrap();
    let broken = audit("verify", &[]);
    assert_eq!(broken.code, 1, "{}", broken.out);
    assert!(broken.err.contains("entry 2"), "{}", broken.err);
    let found = get(&address, "/api/analytics-dashboard/audit/verify", &token).1;
    assert_eq!(found["data"]["broken"]["seq"], 2, "{found}");
    drop(server);
}
