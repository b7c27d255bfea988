//! A PostgreSQL of this test's own, on a socket in a temporary folder.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::*;

pub(crate) struct Server {
    folder: tempfile::TempDir,
    bin: PathBuf,
}

impl Server {
    /// Starts one, or says that there is none here: `make test` counts the suite `postgres` as not run then.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = found() else {
            eprintln!("not run: no PostgreSQL is installed here");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let server = Self { folder, bin };
        let data = server.folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        // PostgreSQL does not run as root.
        if rooted() {
            run(Command::new("chown")
                .arg("-R")
                .arg("postgres")
                .arg(server.folder.path()));
        }
        run(server.tool("initdb").args([
            "-D",
            data.to_str().unwrap(),
            "-U",
            "travelsense",
            "-A",
            "trust",
            "--no-sync",
        ]));
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log");
        run(server.tool("pg_ctl").args([
            "-w",
            "-D",
            data.to_str().unwrap(),
            "-l",
            log.to_str().unwrap(),
            "-o",
            &options,
            "start",
        ]));
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "host={} user=travelsense dbname=postgres",
            self.folder.path().display()
        )
    }

    fn tool(&self, name: &str) -> Command {
        let tool = self.bin.join(name);
        let mut command = if rooted() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(tool);
            command
        } else {
            Command::new(tool)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let _ = self
            .tool("pg_ctl")
            .args(["-D", data.to_str().unwrap(), "-m", "immediate", "stop"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}

fn found() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let mut versions: Vec<PathBuf> = debian.flatten().map(|e| e.path().join("bin")).collect();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .find(|bin| bin.join("initdb").exists())
}

fn rooted() -> bool {
    let mine = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    mine.lines().any(|line| line.starts_with("Uid:\t0"))
}

fn run(command: &mut Command) {
    let done = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap();
    assert!(done.success(), "{command:?}");
}

#[test]
fn two_servers_that_start_at_once_find_one_set_of_tables() {
    let Some(server) = Server::start() else {
        return;
    };
    let early = Postgres::open(&server.url(), true, at(0)).unwrap_err();
    assert_eq!(early.code(), "older_format");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Postgres::open(&server.url(), false, at(0)).unwrap());
        }
    });
    let store = Postgres::open(&server.url(), false, at(0)).unwrap();
    assert!(Postgres::open(&server.url(), true, at(0)).is_ok());
    let count = read(&store, |s| {
        s.query("select count(*) from metadata_migrations", &[])
    })
    .unwrap();
    assert_eq!(count[0].integer(0).unwrap() as usize, migrate::ALL.len());
    drop(server);
    let gone = read(&store, |s| s.query("select count(*) from documents", &[])).unwrap_err();
    assert_eq!(gone.code(), "unreachable");
}

#[test]
fn a_password_is_not_repeated() {
    let error = Postgres::open("postgres://u:hunter2@[bad", false, at(0)).unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}
