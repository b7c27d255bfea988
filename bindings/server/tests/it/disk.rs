//! A server on a disk without room: it says so to whoever asks whether it is ready, and goes on once there is room.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::serve;
use crate::program::{admin, get, refused, send};

const EVENTS: &str = "/api/analytics-dashboard/events";

/// A disk of some megabytes.
struct Disk(TempDir);

impl Disk {
    /// Nothing where none can be mounted here.
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output();
        mounted
            .is_ok_and(|done| done.status.success())
            .then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        let mut file = File::create(self.path().join("filler")).unwrap();
        while file.write(&[7; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

#[test]
fn a_server_on_a_full_disk_is_not_ready_and_is_again_once_there_is_room() {
    let Some(disk) = Disk::mount(64) else { return };
    let data = disk.path().join("data").to_str().unwrap().to_owned();
    let (server, address) = serve(&data);
    let token = admin();
    let ready = || get(&address, "/ready", "");
    let batch = |from: u32| {
        let event = |n: u32| {
            json!({ "eventId": format!("e{n}"), "userId": "u", "name": "a", "ts": "2026-01-05",
            "properties": { "text": "x".repeat(2_000) } })
        };
        let events: Vec<Value> = (from..from + 10).map(event).collect();
        send(
            &address,
            ("POST", EVENTS),
            &token,
            &Value::Array(events).to_string(),
        )
        .unwrap()
    };
    assert_eq!(batch(0).0, 200);
    assert_eq!(ready().0, 200);

    disk.fill();
    let (code, problem) = batch(10);
    assert_eq!(
        (code, &problem["code"]),
        (503, &json!("disk_full")),
        "{problem}"
    );
    let (code, problem) = ready();
    assert_eq!(code, 503, "{problem}");
    assert_eq!(problem["detail"], "there is no space left on the disk");
    // It lives, and answers what is stored.
    assert_eq!(get(&address, "/health", "").0, 200);
    let status = get(&address, &format!("{EVENTS}/status"), &token).1;
    assert_eq!(status["data"]["stored"]["events"], 10, "{status}");

    disk.make_room();
    assert_eq!(ready().0, 200);
    assert_eq!(batch(10).0, 200);
    let status = get(&address, &format!("{EVENTS}/status"), &token).1;
    assert_eq!(status["data"]["stored"]["events"], 20, "{status}");
    assert_eq!(server.stop("-TERM").0, Some(0));
}

#[test]
fn a_server_that_is_started_on_a_full_disk_names_it() {
    let Some(disk) = Disk::mount(8) else { return };
    let data = disk.path().join("data").to_str().unwrap().to_owned();
    fs::create_dir(&data).unwrap();
    disk.fill();
    let secret = [("TRAVELSENSE_JWT_SECRET", crate::program::SECRET)];
    let args = ["serve", "--data", &data, "--bind", "127.0.0.1:0"];
    refused(&args, &secret, 1, &["no space is left", &data]);
    disk.make_room();
    let (server, address) = serve(&data);
    assert_eq!(get(&address, "/ready", "").0, 200);
    assert_eq!(server.stop("-TERM").0, Some(0));
}
