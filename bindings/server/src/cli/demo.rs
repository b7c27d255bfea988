//! `travelsense demo`: a travel platform made up, served, and ready to be asked.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use travelsense::access::{Key, Verifier};
use travelsense::demo::{Demo as Platform, Table};
use travelsense::{Analytics, Error, Instant, Options, Principal, Window, Zone};

use super::failure::Failure;
use super::progress::Progress;
use super::serve::{close, cut_off, listen, runtime, until_stopped};
use super::table::count;
use super::token::{now, signed};
use super::{Outcome, output, store};
use crate::notify::{self, Notifier, Outgoing};
use crate::{Limits, Service, chance};

/// Makes up a travel platform with 90 days of events, serves it with a key of its own, and says how to ask it
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// The folder for the demo data; made where it is not there
    #[arg(
        long,
        value_name = "DIR",
        default_value = "demo",
        env = "TRAVELSENSE_DEMO"
    )]
    data: PathBuf,
    /// Where to listen [default: 127.0.0.1:8080, or the next free port]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// How many people there are
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    users: u32,
    /// How many days of events there are
    #[arg(long, value_name = "N", default_value_t = 90)]
    days: u32,
    /// What all chance depends on: the same seed makes the same people
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Make the data and end, without serving it
    #[arg(long)]
    no_serve: bool,
}

/// What a folder of demo data was made from; written when it is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    seed: u64,
    users: u32,
    days: u32,
    end: String,
    /// How many events were made.
    #[serde(default)]
    events: u64,
}

const NOTE: &str = "demo.json";

/// Where the demo is served, and how many ports after it are tried.
const ADDRESS: (&str, u16, u16) = ("127.0.0.1", 8080, 100);

/// The issuer and the audience of its tokens.
const NAME: &str = "travelsense-demo";

const DAY: i64 = 86_400_000_000;

impl Demo {
    /// Makes the data where it is missing or too old, and serves it until SIGINT or SIGTERM.
    pub(super) fn run(self) -> Outcome {
        let now = now();
        if self.is_needed(now) {
            self.make(now)?;
        }
        if self.no_serve {
            return Ok(());
        }
        let secret = chance::hex::<32>()?;
        let verifier = Verifier::new(vec![Key::secret(secret.as_bytes())?], NAME, NAME)?;
        let token = signed(
            secret.as_bytes(),
            "demo",
            "admin",
            (NAME, NAME),
            Window::days(1),
            now,
        )?;
        let filter = tracing_subscriber::EnvFilter::new("warn");
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .try_init()
            .map_err(|e| Failure::failed(format!("the log cannot be started: {e}")))?;

        let analytics = Arc::new(store::open(&self.data, Options::default())?);
        let runtime = runtime()?;
        let listener = match &self.bind {
            Some(address) => runtime.block_on(listen(address))?,
            None => runtime.block_on(listen_nearby())?,
        };
        let address = listener.local_addr()?;
        // Whoever pastes a line at once should not wait for the timelines.
        analytics.timelines()?;
        let code = chance::hex::<32>()?;
        output::line(&welcome(address, (&token, &code), now))?;
        let service = Service::new(Arc::clone(&analytics), verifier, Limits::default());
        let notifier = Notifier::new(Outgoing::default()).map_err(Failure::failed)?;
        runtime.spawn(notify::run(Arc::clone(&analytics), notifier));
        service.admit_once(code, token);
        let file = store::file(&self.data);
        let place = (Duration::ZERO, file);
        let (_, since) = until_stopped(runtime, listener, service, place, cut_off)?;
        close(analytics, since);
        Ok(())
    }

    /// Whether data has to be made: there is none, it was left half made, or its day is over. Data that is no demo stays.
    fn is_needed(&self, now: Instant) -> bool {
        let file = store::file(&self.data);
        let note = match fs::read_to_string(self.data.join(NOTE)) {
            Ok(text) => serde_json::from_str::<Note>(&text).ok(),
            Err(_) => return !file.exists(),
        };
        let fresh = |note: Note| {
            let end = note.end.parse::<Instant>().unwrap_or_default();
            let same = (note.seed, note.users, note.days) == (self.seed, self.users, self.days);
            same && end <= now && now.micros() - end.micros() < DAY
        };
        !file.exists() || !note.is_some_and(fresh)
    }

    /// How many events there are in a store that nobody else has open: whoever has would go on without its file. One that cannot be
    /// read was left half made.
    fn held(&self) -> Result<u64, Failure> {
        let path = store::file(&self.data);
        if !path.exists() {
            return Ok(0);
        }
        match Analytics::open(&path) {
            Ok(analytics) => {
                let events = analytics.timelines()?.head().events;
                analytics.close();
                Ok(events)
            }
            Err(error) if error.code() == "locked" => Err(error.into()),
            Err(_) => Ok(0),
        }
    }

    fn make(&self, now: Instant) -> Outcome {
        let platform = Platform {
            seed: self.seed,
            users: self.users,
            days: self.days,
            ..Platform::until(now)
        };
        let held = self.held()?;
        let noted = fs::read_to_string(self.data.join(NOTE)).unwrap_or_default();
        if let Ok(Note { events, .. }) = serde_json::from_str(&noted) {
            if held > events && events > 0 {
                return Err(Failure::failed(format!(
                    "--data: `{}` holds {} events that the demo did not make, and would have to make room for another demo: choose another folder, or remove it",
                    self.data.display(),
                    count(held - events)
                )));
            }
            output::remark(
                "The demo there is a day old, or another was asked for: it is made anew.",
            );
        }
        output::remark(&format!(
            "Making up {} people and {} days …",
            count(self.users.into()),
            self.days
        ));
        let world = platform.make()?;
        self.clear()?;
        let analytics = store::open(&self.data, Options::default())?;
        let mut bar: Option<(Table, Progress)> = None;
        let mut hear = |table, progress| {
            let shown = match bar.take() {
                Some((shown, bar)) if shown == table => bar,
                _ => Progress::start(table.name()),
            };
            shown.at(progress);
            bar = Some((table, shown));
            ControlFlow::Continue(())
        };
        let loaded = world.load(&analytics, &Principal::owner(), &mut hear)?;
        drop(bar);
        for (table, report) in loaded {
            output::remark(&format!("  {} {}", count(report.accepted), table.name()));
        }
        analytics.close();
        let note = Note {
            seed: self.seed,
            users: self.users,
            days: self.days,
            end: now.to_string(),
            events: self.held()?,
        };
        let text = serde_json::to_string(&note).map_err(Error::internal)?;
        write(&self.data.join(NOTE), &text)
    }

    /// Removes what an earlier demo left, and marks the folder as one whose data may be made anew.
    fn clear(&self) -> Outcome {
        let file = store::file(&self.data);
        fs::create_dir_all(&self.data).map_err(|e| {
            Failure::failed(format!(
                "--data: cannot make the folder `{}`: {e}",
                self.data.display()
            ))
        })?;
        write(&self.data.join(NOTE), "\"being made\"")?;
        let mut wal = file.clone().into_os_string();
        wal.push(".wal");
        for old in [file, PathBuf::from(wal)] {
            match fs::remove_file(&old) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(Failure::failed(format!(
                        "--data: cannot remove `{}`: {e}",
                        old.display()
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Listens at the usual port, or at the next that is free.
async fn listen_nearby() -> Result<TcpListener, Failure> {
    let (host, first, tries) = ADDRESS;
    for port in first..first + tries {
        match TcpListener::bind((host, port)).await {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
            Ok(listener) => return Ok(listener),
            Err(e) => {
                return Err(Failure::failed(format!(
                    "cannot listen at {host}:{port}: {e}"
                )));
            }
        }
    }
    Err(Failure::failed(format!(
        "the ports {first} to {} of {host} are all taken; --bind chooses another",
        first + tries - 1
    )))
}

fn welcome(address: SocketAddr, (token, code): (&str, &str), now: Instant) -> String {
    let zone = Zone::default();
    let day = |back: i64| zone.day(Instant::saturating_from_micros(now.micros() - back * DAY));
    let questions = [
        (
            "What is happening now:",
            "realtime?timeRange=last_hour".to_owned(),
        ),
        (
            "How many searches become bookings:",
            format!(
                "user-insights?insightType=conversion_funnel&startDate={}&endDate={}",
                day(30),
                day(0)
            ),
        ),
        (
            "Who comes back:",
            format!(
                "cohort-analysis?cohortPeriod=weekly&analysisMetric=retention_rate&startDate={}&endDate={}",
                day(84),
                day(0)
            ),
        ),
    ];
    let mut text = format!(
        "\nListening at http://{address}\n\nDashboard (this link logs in once):\nhttp://{address}/#enter={code}\n\nToken (admin, valid for a day):\n{token}\n"
    );
    for (what, question) in questions {
        text.push_str(&format!(
            "\n# {what}\ncurl -s -H 'Authorization: Bearer {token}' 'http://{address}/api/analytics-dashboard/{question}'\n"
        ));
    }
    text.push_str("\nCtrl-C stops it.");
    text
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text)
        .map_err(|e| Failure::failed(format!("--data: cannot write `{}`: {e}", path.display())))
}
