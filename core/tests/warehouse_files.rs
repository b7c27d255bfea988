//! Files under trouble: held by another process, on a full disk, cut off in the middle of a write.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the helpers of tests fail as tests do"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use travelsense::access::{self, Permission};
use travelsense::events::{self, ImportOptions, IngestReport, Mapping, Source};
use travelsense::warehouse::{Duckdb, Open, Warehouse};
use travelsense::{Analytics, Error, ErrorKind, Instant, Principal};

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn open(path: &Path, read_only: bool) -> Result<Duckdb, Error> {
    Duckdb::open(&Open {
        path: Some(path.to_owned()),
        read_only,
        threads: Some(2),
        memory_limit: None,
        now: now(),
    })
}

fn ingest(w: &Duckdb, events: &Value) -> Result<IngestReport, Error> {
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, events).unwrap();
    events::ingest(w, &w.catalogue()?, &scoped, now())
}

fn event(i: u32) -> Value {
    json!([{"eventId": format!("e{i}"), "userId": format!("u{i}"), "name": "a", "ts": "2026-02-01"}])
}

/// Runs a helper of this file as a process of its own, `prefix` before it in a shell.
fn helper(name: &str, prefix: &str, path: &Path) -> Child {
    let test = std::env::current_exe().unwrap();
    Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{prefix} exec \"$0\" --exact {name} --ignored --nocapture"
        ))
        .arg(test)
        .env("TRAVELSENSE_TEST_FILE", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn path_of_helper() -> PathBuf {
    std::env::var_os("TRAVELSENSE_TEST_FILE")
        .expect("only run by the other tests")
        .into()
}

/// Reads what the helper prints until a line ends with the word.
fn wait_for(child: &mut Child, word: &str) {
    let mut out = BufReader::new(child.stdout.as_mut().unwrap());
    let mut line = String::new();
    while out.read_line(&mut line).unwrap() > 0 {
        if line.trim_end().ends_with(word) {
            return;
        }
        line.clear();
    }
    panic!("the helper ended before it said {word}");
}

#[test]
#[ignore = "a helper process of the tests"]
fn holds_the_file() {
    let w = open(&path_of_helper(), false).unwrap();
    ingest(&w, &event(1)).unwrap();
    println!("holding");
    std::io::stdout().flush().unwrap();
    let mut end = Vec::new();
    std::io::stdin().read_to_end(&mut end).unwrap();
    drop(w);
}

#[test]
fn a_second_process_is_told_who_has_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let mut holder = helper("holds_the_file", "", &path);
    wait_for(&mut holder, "holding");
    for read_only in [false, true] {
        let error = open(&path, read_only).unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Conflict, "locked"),
            "{error}"
        );
        assert!(
            error.message().contains(&holder.id().to_string()),
            "{error}"
        );
        assert!(
            error.message().contains("read-only") && error.message().contains("server"),
            "{error}"
        );
    }
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert_eq!(open(&path, false).unwrap().head().unwrap().events, 1);
}

#[test]
fn what_was_acknowledged_outlives_a_killed_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let mut holder = helper("holds_the_file", "", &path);
    wait_for(&mut holder, "holding");
    holder.kill().unwrap();
    holder.wait().unwrap();
    let w = open(&path, false).unwrap();
    assert_eq!(w.head().unwrap().events, 1);
    assert_eq!(ingest(&w, &event(1)).unwrap().duplicates, 1);
    assert_eq!(ingest(&w, &event(2)).unwrap().accepted, 1);
}

#[test]
#[ignore = "a helper process of the tests"]
fn imports_until_killed() {
    let path = path_of_helper();
    let w = open(&path, false).unwrap();
    let mapping = Mapping::default();
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, &mapping).unwrap();
    let mut tell = |_| {
        println!("under way");
        std::io::stdout().flush().unwrap();
        std::ops::ControlFlow::Continue(())
    };
    let mut options = ImportOptions {
        progress: Some(&mut tell),
        ..ImportOptions::default()
    };
    let source = Source::Path(path.with_extension("ndjson"));
    events::import(
        &w,
        &w.catalogue().unwrap(),
        source,
        &scoped,
        now(),
        &mut options,
    )
    .unwrap();
}

#[test]
fn an_import_that_is_killed_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.db");
    let w = open(&path, false).unwrap();
    ingest(&w, &event(1)).unwrap();
    let (head, digest) = (w.head().unwrap(), w.content_digest().unwrap());
    drop(w);
    let mut lines = String::new();
    for i in 0..400_000 {
        lines.push_str(&format!(
            "{{\"eventId\":\"x{i}\",\"userId\":\"u{i}\",\"name\":\"a\",\"ts\":\"2026-02-01\"}}\n"
        ));
    }
    std::fs::write(path.with_extension("ndjson"), lines).unwrap();
    let mut importer = helper("imports_until_killed", "", &path);
    for _ in 0..4 {
        wait_for(&mut importer, "under way");
    }
    importer.kill().unwrap();
    importer.wait().unwrap();
    let w = open(&path, false).unwrap();
    assert_eq!(w.head().unwrap(), head);
    assert_eq!(w.content_digest().unwrap(), digest);
}

/// Ingests until an error, then checks that nothing of the failed change is there, neither now nor after opening again.
fn fill(path: &Path) -> Error {
    let mut w = open(path, false).unwrap();
    let mut text = String::new();
    for i in 0..2_000_000u64 {
        // Text that cannot be packed.
        text.push_str(&format!("{:016x}", i.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        if text.len() >= 200_000 {
            let before = w.head().unwrap();
            let events: Vec<Value> = (0..10)
                .map(|n| json!({"name": "a", "ts": "2026-02-01", "x": text[n * 20_000..(n + 1) * 20_000]}))
                .collect();
            if let Err(error) = ingest(&w, &Value::Array(events)) {
                println!("{error:?}");
                assert_eq!(w.head().unwrap(), before);
                drop(w);
                w = open(path, true).unwrap();
                assert_eq!(w.head().unwrap(), before);
                return error;
            }
            text.clear();
        }
    }
    panic!("the disk never became full");
}

#[test]
#[ignore = "a helper process of the tests"]
fn fills_the_disk() {
    let error = fill(&path_of_helper());
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Storage, "disk_full"),
        "{error:?}"
    );
    println!("full");
}

/// No file of the helper may grow beyond 8 MiB, and the signal that would end it is ignored.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_may_not_grow_refuses_the_change_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let child = helper(
        "fills_the_disk",
        "trap '' XFSZ; ulimit -f 16384;",
        &folder.path().join("w.db"),
    );
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("full"), "{text}");
}

/// A disk of eight megabytes; nothing where none can be mounted here.
#[cfg(target_os = "linux")]
struct Disk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(folder)),
            other => {
                println!("not run: no small disk can be mounted here: {other:?}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it but for so many bytes.
    fn fill(&self, but: usize) {
        let filler = self.path().join("filler");
        let _ = std::fs::remove_file(&filler);
        let mut file = std::fs::File::create(&filler).unwrap();
        let mut filled = 0;
        while let Ok(n) = file.write(&[7; 4096]) {
            filled += n;
        }
        file.set_len(filled.saturating_sub(but) as u64).unwrap();
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).output();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_refuses_the_change_and_keeps_the_rest() {
    let Some(disk) = Disk::mount() else { return };
    let error = fill(&disk.path().join("w.db"));
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Storage, "disk_full"),
        "{error:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_opens_a_store_on_a_full_disk_is_told_which() {
    let Some(disk) = Disk::mount() else { return };
    let owner = Principal::owner();
    let kept = tempfile::tempdir().unwrap();
    let kept = kept.path().join("w.db");
    let events = |from: u32, to: u32| {
        let all = (from..to).flat_map(|i| event(i).as_array().unwrap().clone());
        Value::Array(all.collect())
    };
    let beside = |path: &Path, more: &str| {
        let mut path = path.to_owned().into_os_string();
        path.push(more);
        PathBuf::from(path)
    };
    // A store that was killed: its engine's log and ours hold what came last.
    let store = Analytics::open(&kept).unwrap();
    store.metadata().unwrap();
    store.ingest(&owner, &events(0, 2_000)).unwrap();
    let mut opened = [0, 0];
    for killed in [false, true] {
        for room in [0, 4, 12, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096] {
            let path = disk.path().join("w.db");
            for more in ["", ".wal", ".log", ".meta", ".meta.wal"] {
                let _ = std::fs::remove_file(beside(&path, more));
                if killed {
                    let _ = std::fs::copy(beside(&kept, more), beside(&path, more));
                }
            }
            disk.fill(room * 1024);
            let tried = Analytics::open(&path).and_then(|store| {
                store.metadata()?;
                Ok(store)
            });
            match tried {
                Ok(store) => {
                    opened[usize::from(killed)] += 1;
                    if killed {
                        assert_eq!(
                            store.ingest_status(&owner).unwrap().stored.unwrap().events,
                            2_000
                        );
                    }
                }
                Err(error) => {
                    assert_eq!(error.code(), "disk_full", "{killed} {room}: {error:?}");
                    let named = disk.path().display().to_string();
                    assert!(error.message().contains(&named), "{error}");
                    // With room it opens, and nothing of it is lost.
                    std::fs::remove_file(disk.path().join("filler")).unwrap();
                    let store = Analytics::open(&path).unwrap();
                    let stored = store.ingest_status(&owner).unwrap().stored.unwrap();
                    assert_eq!(
                        stored.events,
                        if killed { 2_000 } else { 0 },
                        "{killed} {room}"
                    );
                }
            }
            let _ = std::fs::remove_file(disk.path().join("filler"));
        }
    }
    assert!(opened.iter().all(|opened| *opened > 0), "{opened:?}");
}
