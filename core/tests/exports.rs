//! Exports through the handle: what they hold, whose they are, and what becomes of them.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may stop at the first surprise"
)]

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use travelsense::export::{ExportJob, Status};
use travelsense::metadata::{Kind, change, documents};
use travelsense::{Analytics, Instant, Options, Principal};

const DAY: i64 = 86_400_000_000;

/// A clock that tests move.
#[derive(Clone)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn new() -> Self {
        let now: Instant = "2026-02-01T00:00:00Z".parse().unwrap();
        Self(Arc::new(AtomicI64::new(now.micros())))
    }

    fn add(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }

    fn options(&self, path: Option<&Path>) -> Options {
        let clock = self.clone();
        Options {
            path: path.map(Path::to_owned),
            clock: Arc::new(move || {
                Instant::saturating_from_micros(clock.0.load(Ordering::SeqCst))
            }),
            threads: Some(1),
            ..Options::default()
        }
    }
}

fn fill(store: &Analytics) {
    let event = |user: &str, name: &str, day: u32| {
        json!({ "userId": user, "name": name, "ts": format!("2026-01-{day:02}T12:00:00Z"),
            "properties": { "note": "=1+1" } })
    };
    let events = json!([
        event("ada", "search", 1),
        event("ada", "view_trip", 2),
        event("bob", "search", 1),
        event("cy", "page_view", 9),
    ]);
    store.ingest(&Principal::owner(), &events).unwrap();
}

fn store() -> (Analytics, Clock) {
    let clock = Clock::new();
    let store = Analytics::open_with(clock.options(None)).unwrap();
    fill(&store);
    (store, clock)
}

fn request(kind: &str, format: &str) -> Value {
    json!({ "exportType": kind, "format": format,
        "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } })
}

/// Waits until an export is over.
fn over(store: &Analytics, who: &Principal, job: ExportJob) -> ExportJob {
    let mut job = job;
    for _ in 0..600 {
        if job.status.is_over() {
            return job;
        }
        std::thread::sleep(Duration::from_millis(50));
        job = store.export_job(who, &job.id.to_string()).unwrap();
    }
    panic!("{job:?} is never over")
}

fn read(store: &Analytics, who: &Principal, job: &ExportJob) -> Vec<u8> {
    let mut file = store.export_file(who, &job.id.to_string()).unwrap();
    let mut bytes = Vec::new();
    file.reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, file.size);
    bytes
}

fn code<T: std::fmt::Debug>(result: travelsense::Result<T>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn every_type_in_every_format_is_complete_and_has_its_file() {
    let (store, _) = store();
    let who = Principal::owner();
    for kind in ["dashboard", "report", "dataset"] {
        for format in ["csv", "json", "xlsx", "pdf"] {
            let job = over(
                &store,
                &who,
                store.export(&who, &request(kind, format)).unwrap(),
            );
            assert_eq!(job.status, Status::Completed, "{kind} {format}: {job:?}");
            assert!(job.rows > 0 && job.failure_reason.is_none());
            assert_eq!(job.created_by, "owner");
            let bytes = read(&store, &who, &job);
            assert_eq!(job.file_size, Some(bytes.len() as u64));
            let begins: &[u8] = match format {
                "xlsx" => b"PK",
                "pdf" => b"%PDF-",
                "json" => b"{\"title\":",
                _ if kind == "dataset" => b"event_id,user_id,",
                _ => b"section,row,column,value\r\n",
            };
            assert!(bytes.starts_with(begins), "{kind} {format}");
        }
    }
    assert_eq!(store.exports(&who, &json!({})).unwrap().total, 12);
}

#[test]
fn a_dataset_holds_the_events_of_its_metrics_in_the_order_of_time() {
    let (store, _) = store();
    let who = Principal::owner();
    let rows = |metrics: Value| {
        let mut request = request("dataset", "json");
        request["metrics"] = metrics;
        let job = over(&store, &who, store.export(&who, &request).unwrap());
        let json: Value = serde_json::from_slice(&read(&store, &who, &job)).unwrap();
        let rows = json["sections"][0]["rows"].as_array().unwrap().clone();
        assert_eq!(job.rows, rows.len() as u64);
        rows.iter()
            .map(|r| {
                format!(
                    "{} {}",
                    r["user_id"].as_str().unwrap(),
                    r["event"].as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    let all = ["ada search", "bob search", "ada view_trip", "cy page_view"];
    assert_eq!(rows(json!([])), all);
    assert_eq!(rows(json!(["retention_rate"])), all);
    let page_views = store.catalogue(&who).unwrap().page_views;
    let shown: Vec<&str> = all
        .into_iter()
        .filter(|row| page_views.iter().any(|name| row.ends_with(name)))
        .collect();
    assert_eq!(rows(json!(["page_views"])), shown);
    assert_eq!(rows(json!(["revenue_per_minute"])), Vec::<String>::new());
}

#[test]
fn a_report_is_limited_to_its_metrics() {
    let (store, _) = store();
    let who = Principal::owner();
    let names = |metrics: Value| {
        let mut request = request("report", "json");
        request["metrics"] = metrics;
        let job = over(&store, &who, store.export(&who, &request).unwrap());
        let json: Value = serde_json::from_slice(&read(&store, &who, &job)).unwrap();
        let sections = json["sections"].as_array().unwrap().clone();
        sections
            .iter()
            .map(|s| s["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(json!([])), ["figures", "funnel", "retention"]);
    assert_eq!(names(json!(["active_users"])), ["figures"]);
    assert_eq!(names(json!(["conversion_rate"])), ["figures", "funnel"]);
    assert_eq!(names(json!(["retention_rate"])), ["retention"]);
}

#[test]
fn a_report_begins_where_there_is_something_to_tell() {
    let (store, _) = store();
    let who = Principal::owner();
    let sections = |start: &str| {
        let mut request = request("report", "json");
        request["dateRange"]["startDate"] = json!(start);
        let job = over(&store, &who, store.export(&who, &request).unwrap());
        assert_eq!(json!(job.status), "completed", "{start}");
        let json: Value = serde_json::from_slice(&read(&store, &who, &job)).unwrap();
        let sections = json["sections"].as_array().unwrap().clone();
        let rows = |s: &Value| s["rows"].as_array().map_or(0, Vec::len);
        sections
            .iter()
            .map(|s| (s["name"].clone(), rows(s)))
            .collect::<Vec<_>>()
    };
    let usual = sections("2026-01-01");
    assert_eq!(sections("0001-01-01"), usual);
    assert_eq!(sections("2025-06-01"), usual);
}

#[test]
fn exports_are_seen_by_their_creator_and_those_who_manage_access() {
    let (store, _) = store();
    let (ann, ben) = (
        Principal::new("ann", "analyst"),
        Principal::new("ben", "analyst"),
    );
    let admin = Principal::new("root", "admin");
    let job = over(
        &store,
        &ann,
        store.export(&ann, &request("report", "csv")).unwrap(),
    );
    let id = job.id.to_string();
    assert!(store.export_job(&admin, &id).is_ok() && store.export_file(&admin, &id).is_ok());
    assert_eq!(code(store.export_job(&ben, &id)), "forbidden");
    assert_eq!(code(store.export_file(&ben, &id)), "forbidden");
    assert_eq!(code(store.cancel_export(&ben, &id)), "forbidden");
    let total = |who: &Principal| store.exports(who, &json!({})).unwrap().total;
    assert_eq!((total(&ann), total(&ben), total(&admin)), (1, 0, 1));

    let nobody = Principal::new("x", "root");
    assert_eq!(
        code(store.export(&nobody, &request("report", "csv"))),
        "forbidden"
    );
    let viewer = Principal::new("vi", "viewer");
    assert_eq!(
        code(store.export(&viewer, &request("dataset", "csv"))),
        "forbidden"
    );
    assert!(store.export(&viewer, &request("report", "csv")).is_ok());
}

#[test]
fn what_is_not_there_is_said_by_its_kind() {
    let (store, _) = store();
    let who = Principal::owner();
    let mut of_none = request("dashboard", "csv");
    of_none["dashboardId"] = json!("507f1f77bcf86cd799439011");
    let error = store.export(&who, &of_none).unwrap_err();
    assert_eq!(error.code(), "validation_failed");
    assert_eq!(error.field_errors()[0].field, "dashboardId");
    assert_eq!(error.field_errors()[0].code, "not_found");
    assert_eq!(
        code(store.export_job(&who, "507f1f77bcf86cd799439011")),
        "not_found"
    );
    assert_eq!(code(store.export_job(&who, "x")), "validation_failed");
    let listed = store.exports(&who, &json!({ "limit": 0, "status": "done", "more": 1 }));
    assert_eq!(listed.unwrap_err().field_errors().len(), 3);
}

#[test]
fn a_file_expires_after_a_day_and_its_export_is_still_told() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("events.db");
    let clock = Clock::new();
    let store = Analytics::open_with(clock.options(Some(&path))).unwrap();
    fill(&store);
    let files = || {
        let folder = place.path().join("events.db.exports");
        // One says what the place is known by.
        std::fs::read_dir(folder).unwrap().count() - 1
    };
    let who = Principal::owner();
    let job = over(
        &store,
        &who,
        store.export(&who, &request("report", "csv")).unwrap(),
    );
    let id = job.id.to_string();
    let expires = job.expires_at.unwrap().micros() - job.completed_at.unwrap().micros();
    assert_eq!(expires, DAY);
    clock.add(DAY - 1);
    assert!(store.export_file(&who, &id).is_ok());
    assert_eq!((store.expire_exports().unwrap(), files()), (0, 1));
    clock.add(1);
    assert_eq!(code(store.export_file(&who, &id)), "not_found");
    let told = store.export_job(&who, &id).unwrap();
    assert_eq!((told.status, told.file_url), (Status::Completed, None));
    // Looked at a moment ago, it is taken away a minute later, although nobody exports or fetches anything.
    assert_eq!((store.expire_exports().unwrap(), files()), (0, 1));
    clock.add(60_000_000);
    assert_eq!((store.expire_exports().unwrap(), files()), (1, 0));
    let told = store.export_job(&who, &id).unwrap();
    assert_eq!((told.status, told.file_url), (Status::Completed, None));
}

#[test]
fn an_export_that_is_over_cannot_be_cancelled_and_one_that_failed_has_no_file() {
    let (store, _) = store();
    let who = Principal::owner();
    let job = over(
        &store,
        &who,
        store.export(&who, &request("report", "csv")).unwrap(),
    );
    assert_eq!(
        code(store.cancel_export(&who, &job.id.to_string())),
        "export_over"
    );
}

#[test]
fn what_is_erased_is_in_no_file_any_more() {
    let (store, _) = store();
    let who = Principal::owner();
    let done = |kind| {
        over(
            &store,
            &who,
            store.export(&who, &request(kind, "csv")).unwrap(),
        )
    };
    let (events, report) = (done("dataset"), done("report"));
    assert!(
        String::from_utf8(read(&store, &who, &events))
            .unwrap()
            .contains("ada")
    );
    store.erase(&who, &["ada"]).unwrap();
    assert_eq!(
        code(store.export_file(&who, &events.id.to_string())),
        "not_found"
    );
    assert!(store.export_file(&who, &report.id.to_string()).is_ok());
    let again = read(&store, &who, &done("dataset"));
    assert!(!String::from_utf8(again).unwrap().contains("ada"));
}

/// Puts an export back to where it was when the process that wrote it died.
fn interrupt(store: &Analytics, job: &ExportJob, state: &str) {
    let metadata = store.metadata().unwrap();
    let changed = change(&*metadata, |session| {
        let mut document = documents::get(session, Kind::Export, job.id)?.unwrap();
        document.state = state.to_owned();
        document.revision += 1;
        documents::update(session, &document)
    });
    assert!(changed.unwrap());
}

#[test]
fn exports_go_on_after_a_restart_unless_they_were_cancelled() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("events.db");
    let clock = Clock::new();
    let who = Principal::owner();
    let first = Analytics::open_with(clock.options(Some(&path))).unwrap();
    fill(&first);
    let done = |kind| {
        over(
            &first,
            &who,
            first.export(&who, &request(kind, "csv")).unwrap(),
        )
    };
    let (a, b, c) = (done("report"), done("dataset"), done("report"));
    interrupt(&first, &a, "processing");
    interrupt(&first, &b, "pending");
    interrupt(&first, &c, "pending");
    let cancelled = first.cancel_export(&who, &c.id.to_string()).unwrap();
    assert_eq!(cancelled.status, Status::Failed);
    assert_eq!(cancelled.failure_reason.as_deref(), Some("cancelled"));
    assert_eq!(
        code(first.export_file(&who, &c.id.to_string())),
        "not_found"
    );
    assert_eq!(
        code(first.export_file(&who, &a.id.to_string())),
        "not_ready"
    );
    first.close();

    let again = Analytics::open_with(clock.options(Some(&path))).unwrap();
    assert_eq!(again.resume_exports().unwrap(), 2);
    for job in [&a, &b] {
        let job = again.export_job(&who, &job.id.to_string()).unwrap();
        let job = over(&again, &who, job);
        assert_eq!(job.status, Status::Completed);
        assert!(!read(&again, &who, &job).is_empty());
    }
    let c = again.export_job(&who, &c.id.to_string()).unwrap();
    assert_eq!(c.status, Status::Failed);
    assert_eq!(again.resume_exports().unwrap(), 0);
    again.close();
}

#[test]
fn files_have_names_that_nobody_guesses_and_nobody_else_reads() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("events.db");
    let store = Analytics::open_with(Clock::new().options(Some(&path))).unwrap();
    fill(&store);
    let who = Principal::owner();
    let job = over(
        &store,
        &who,
        store.export(&who, &request("report", "csv")).unwrap(),
    );
    let folder = place.path().join("events.db.exports");
    let files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|f| f.unwrap())
        .filter(|f| f.file_name() != "home")
        .collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().unwrap();
    assert!(
        name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit()),
        "{name}"
    );
    assert!(
        !format!("{job:?}").contains(&name),
        "the name is told to nobody"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = files[0].metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let copy = place.path().join("copy.csv");
    let size = store.save_export(&who, &job.id.to_string(), &copy).unwrap();
    assert_eq!(Some(size), job.file_size);
    assert_eq!(std::fs::read(copy).unwrap(), read(&store, &who, &job));
}

#[test]
fn files_that_no_export_has_are_taken_away_at_the_start() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("events.db");
    let folder = place.path().join("events.db.exports");
    let clock = Clock::new();
    let who = Principal::owner();
    let first = Analytics::open_with(clock.options(Some(&path))).unwrap();
    fill(&first);
    let kept = over(
        &first,
        &who,
        first.export(&who, &request("dataset", "csv")).unwrap(),
    );
    first.close();
    // As a process leaves them that dies while it writes, and between two steps.
    for name in ["0f".repeat(16), "1f".repeat(16) + ".part"] {
        std::fs::write(folder.join(name), "user_id\r\nada\r\n").unwrap();
    }
    let files = || std::fs::read_dir(&folder).unwrap().count() - 1;
    let again = Analytics::open_with(clock.options(Some(&path))).unwrap();
    assert_eq!(files(), 2, "what is half written goes at once");
    assert_eq!(again.resume_exports().unwrap(), 0);
    assert_eq!(files(), 1);
    assert!(read(&again, &who, &kept).starts_with(b"event_id"));
    again.close();
}

#[test]
fn whoever_may_not_see_people_any_more_gets_no_file_of_them() {
    let (store, _) = store();
    let (ann, viewer) = (
        Principal::new("ann", "analyst"),
        Principal::new("ann", "viewer"),
    );
    let made = |kind| {
        over(
            &store,
            &ann,
            store.export(&ann, &request(kind, "csv")).unwrap(),
        )
    };
    let id = made("dataset").id.to_string();
    assert!(store.export_file(&ann, &id).is_ok());
    assert_eq!(code(store.export_file(&viewer, &id)), "forbidden");
    let report = made("report").id.to_string();
    assert!(store.export_file(&viewer, &report).is_ok());
}

#[test]
fn exports_of_another_store_are_left_to_it() {
    let place = tempfile::tempdir().unwrap();
    let clock = Clock::new();
    let who = Principal::owner();
    let path = place.path().join("a.db");
    let first = Analytics::open_with(clock.options(Some(&path))).unwrap();
    fill(&first);
    let job = over(
        &first,
        &who,
        first.export(&who, &request("dataset", "csv")).unwrap(),
    );
    interrupt(&first, &job, "processing");
    first.close();
    // As another server finds it in the store of dashboards that both share.
    let home = place.path().join("a.db.exports").join("home");
    let name = std::fs::read_to_string(&home).unwrap();
    std::fs::write(&home, "0f".repeat(16)).unwrap();
    let other = Analytics::open_with(clock.options(Some(&path))).unwrap();
    assert_eq!(other.resume_exports().unwrap(), 0);
    other.close();
    std::fs::write(&home, name).unwrap();
    let again = Analytics::open_with(clock.options(Some(&path))).unwrap();
    assert_eq!(again.resume_exports().unwrap(), 1);
    again.close();
}

#[test]
fn an_export_that_fails_and_a_file_that_expires_stand_in_the_record() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("events.db");
    let clock = Clock::new();
    let store = Analytics::open_with(clock.options(Some(&path))).unwrap();
    fill(&store);
    let who = Principal::owner();
    let make = || {
        over(
            &store,
            &who,
            store.export(&who, &request("report", "csv")).unwrap(),
        )
    };
    assert_eq!(make().status, Status::Completed);
    // A file in the place of the folder.
    let folder = place.path().join("events.db.exports");
    let aside = place.path().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::write(&folder, "").unwrap();
    assert_eq!(make().status, Status::Failed);
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(&aside, &folder).unwrap();
    clock.add(DAY + 60_000_000);
    assert_eq!(store.expire_exports().unwrap(), 1);
    let told = |action: &str| {
        let record = store.audit(&who, &json!({ "action": action })).unwrap();
        let told = record.entries.into_iter();
        told.map(|e| (e.who, e.outcome)).collect::<Vec<_>>()
    };
    let entry = |who: &str, outcome: &str| (who.to_owned(), outcome.to_owned());
    assert_eq!(
        told("export.complete"),
        [entry("owner", "failed"), entry("owner", "allowed")]
    );
    assert_eq!(told("export.expire"), [entry("system", "allowed")]);
}

#[test]
fn two_exports_of_the_same_are_the_same_bytes() {
    let (store, _) = store();
    let who = Principal::owner();
    for format in ["csv", "json", "xlsx", "pdf"] {
        let make = || {
            let job = store.export(&who, &request("report", format)).unwrap();
            read(&store, &who, &over(&store, &who, job))
        };
        assert!(make() == make(), "{format}");
    }
}

#[test]
fn d2_an_export_says_the_numbers_of_the_screen() {
    let (store, _) = store();
    let who = Principal::owner();
    let job = store.export(&who, &request("report", "json")).unwrap();
    let job = over(&store, &who, job);
    let report: Value = serde_json::from_slice(&read(&store, &who, &job)).unwrap();
    let sections = report["sections"].as_array().unwrap();
    let rows = |name: &str| {
        let section = sections.iter().find(|s| s["name"] == name).unwrap();
        section["rows"].as_array().unwrap().clone()
    };
    let range = json!({ "startDate": "2026-01-01", "endDate": "2026-01-31" });
    let funnel = store.ask(&who, "funnel", &range).unwrap();
    let funnel: Value = serde_json::from_str(&funnel).unwrap();
    let steps = funnel["steps"].as_array().unwrap();
    assert!(steps[0]["count"] == 2 && steps[1]["count"] == 1);
    for (row, step) in rows("funnel").iter().zip(steps) {
        let shown = [&row["event"], &row["count"], &row["rate"], &row["dropped"]];
        let asked = [
            &step["event"],
            &step["count"],
            &step["rate"]["value"],
            &step["dropped"],
        ];
        assert_eq!(shown, asked);
    }
    assert_eq!(rows("funnel").len(), steps.len());
    let mut weekly = range;
    weekly["cohortPeriod"] = json!("weekly");
    weekly["analysisMetric"] = json!("retention_rate");
    let retention = store.ask(&who, "retention", &weekly).unwrap();
    let retention: Value = serde_json::from_str(&retention).unwrap();
    let cells = retention["cohorts"].as_array().unwrap().iter();
    let cells: Vec<&Value> = cells
        .flat_map(|c| c["retention"].as_array().unwrap())
        .collect();
    let shown = rows("retention");
    assert_eq!(shown.len(), cells.len());
    for (row, cell) in shown.iter().zip(cells) {
        assert_eq!(
            [&row["count"], &row["value"]],
            [&cell["count"], &cell["value"]]
        );
    }
}

#[test]
fn d2_a_cap_is_told_with_the_total_in_every_format() {
    let (store, _) = store();
    let who = Principal::owner();
    let dashboard = |limit: u64| {
        let widget = json!({ "type": "table", "title": "Events", "dataSource": "user_events",
            "visualization": "table", "config": { "groupBy": "name", "limit": limit } });
        let body = json!({ "name": "caps", "widgets": [widget] });
        store.create_dashboard(&who, &body).unwrap().id.to_string()
    };
    let exported = |id: &str, format: &str| {
        let mut request = request("dashboard", format);
        request["dashboardId"] = json!(id);
        let job = over(&store, &who, store.export(&who, &request).unwrap());
        assert_eq!(job.status, Status::Completed, "{job:?}");
        String::from_utf8(read(&store, &who, &job)).unwrap()
    };
    let cut = dashboard(1);
    let json: Value = serde_json::from_str(&exported(&cut, "json")).unwrap();
    let section = &json["sections"][0];
    assert_eq!(section["rows"].as_array().unwrap().len(), 1);
    let row = &section["rows"][0];
    assert_eq!(
        [&row["truncated"], &row["total"]],
        [&json!(true), &json!(3)]
    );
    assert!(section["notes"][0].as_str().unwrap().contains("3 groups"));
    assert!(exported(&cut, "csv").contains(",true,3"));
    let whole = dashboard(3);
    let json: Value = serde_json::from_str(&exported(&whole, "json")).unwrap();
    assert_eq!(json["sections"][0]["rows"].as_array().unwrap().len(), 3);
    assert!(json["sections"][0]["rows"][0].get("truncated").is_none());
    assert!(!exported(&whole, "csv").contains("truncated"));
}

#[test]
fn an_export_of_a_dashboard_says_what_the_dashboard_shows() {
    let (store, _) = store();
    let who = Principal::owner();
    let french = json!([{ "userId": "fr", "name": "search", "ts": "2026-01-31T12:00:00Z", "properties": { "country": "FR" } }]);
    store.ingest(&who, &french).unwrap();
    let widget = |title: &str, config: Value| {
        let mut config = config;
        config["groupBy"] = json!("name");
        json!({ "type": "table", "title": title, "dataSource": "user_events", "visualization": "table", "config": config })
    };
    let widgets = [
        widget("All", json!({ "last": "60d" })),
        widget("A day", json!({ "last": "1d" })),
    ];
    let board = store
        .create_dashboard(&who, &json!({ "name": "as shown", "widgets": widgets }))
        .unwrap();
    let id = board.id.to_string();
    let mut told = Vec::new();
    let narrowed = json!([{ "property": "country", "value": "FR" }]);
    for (filters, own) in [
        (None, false),
        (Some(&narrowed), false),
        (None, true),
        (Some(&narrowed), true),
    ] {
        let mut request = request("dashboard", "json");
        let mut asked = json!({});
        request["dashboardId"] = json!(id);
        request["ownRanges"] = json!(own);
        if let Some(filters) = filters {
            request["filters"] = filters.clone();
            asked["filters"] = filters.clone();
        }
        if !own {
            asked["startDate"] = request["dateRange"]["startDate"].clone();
            asked["endDate"] = request["dateRange"]["endDate"].clone();
        }
        let job = over(&store, &who, store.export(&who, &request).unwrap());
        let file: Value = serde_json::from_slice(&read(&store, &who, &job)).unwrap();
        let shown = serde_json::to_value(store.dashboard_data(&who, &id, &asked).unwrap()).unwrap();
        for (section, widget) in file["sections"]
            .as_array()
            .unwrap()
            .iter()
            .zip(shown.as_array().unwrap())
        {
            let counts = |rows: &Value| -> Vec<Value> {
                rows.as_array()
                    .unwrap()
                    .iter()
                    .map(|row| row["count"].clone())
                    .collect()
            };
            assert_eq!(
                counts(&section["rows"]),
                counts(&widget["data"]["rows"]),
                "{request}"
            );
        }
        told.push(file["sections"].to_string());
        let said = &file["filters"];
        assert_eq!(
            said["country"],
            filters.map_or(Value::Null, |_| json!("FR"))
        );
        assert_eq!(said["ranges"].is_string(), own);
    }
    assert!(told[0] != told[1] && told[0] != told[2]);
}
