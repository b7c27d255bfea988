//! `travelsense serve`: answers over HTTP.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use travelsense::{Analytics, Principal};

use super::failure::Failure;
use super::settings::Settings;
use super::{Outcome, preflight, store};
use crate::keys::REFRESH;
use crate::serve::{DRAIN, hangup, serve, signalled};
use crate::source::{Following, Notes};
use crate::{FetchedKeys, Service, anchor, notify, room, router, upkeep};

/// Answers questions over HTTP, under /api/analytics-dashboard
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  export TRAVELSENSE_JWT_SECRET=\"$(openssl rand -base64 48)\"
  travelsense serve --data ./data --bind 127.0.0.1:8080

Every flag is also a name in the settings file and, as TRAVELSENSE_…, in the environment. The server does not start without
a key of at least 256 bits to verify tokens with.")]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
}

/// Whoever breaks so soon after the start would break again and again.
const SOON: Duration = Duration::from_secs(10);

/// How long after the signal an export that does not stop is waited for; it goes on when the server starts again.
const EXPORTS: Duration = Duration::from_secs(2);

/// Where there is less left of it, it is waited for so long.
const LEAST: Duration = Duration::from_millis(500);

/// When the process ends, whatever still holds it up: what was acknowledged is on the disk.
const LAST: Duration = Duration::from_millis(9_700);

// Answers, exports, and a second and a half for what has to be written.
const _: () = assert!(DRAIN.as_millis() + 2 * LEAST.as_millis() + 1_500 < LAST.as_millis());

/// How a server came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was told to stop.
    Stopped,
    /// It was told to begin anew, or a full disk that broke its engine has room again.
    Anew,
    /// Its engine met a failure that it cannot go on after.
    Broken,
}

/// Begins anew in the place of this process, with everything read and opened again: nothing that the engine left behind in memory
/// outlasts it. Returns only where that cannot be.
fn anew() -> Failure {
    let why = |e: &std::io::Error| Failure::failed(format!("the server cannot begin anew: {e}"));
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        match std::env::current_exe() {
            Ok(program) => {
                let arguments = std::env::args_os().skip(1);
                why(&std::process::Command::new(program).args(arguments).exec())
            }
            Err(error) => why(&error),
        }
    }
    #[cfg(not(unix))]
    why(&std::io::ErrorKind::Unsupported.into())
}

/// How often the file of keys is looked at.
const KEYS: Duration = Duration::from_secs(2);

impl Serve {
    /// Serves until SIGINT or SIGTERM.
    pub(super) fn run(self) -> Outcome {
        let begun = Instant::now();
        let settings = self.settings.with_file()?;
        let runtime = runtime()?;
        let fetched = settings.fetched()?.map(Arc::new);
        let verifier = match &fetched {
            Some(keys) => runtime.block_on(keys.fetch()).map_err(|why| {
                Failure::failed(format!("--jwt-jwks: the keys cannot be fetched: {why}"))
            })?,
            None => settings.verifier()?,
        };
        let limits = settings.limits()?;
        let delay = settings.shutdown_delay()?;
        let data = settings.data()?.to_owned();
        let notifier = settings.notifier()?;
        let sources = settings.sources()?;
        let anchors = settings.anchors()?;
        let _log = settings.start_log()?;
        let found = preflight::check(&data)?;
        if let Some(path) = &found.aside {
            tracing::error!(path = %path.display(), "the log of the engine was damaged and was put aside");
        }
        if let Some(path) = preflight::check_metadata(&data)? {
            tracing::error!(
                path = %path.display(),
                "the log of dashboards, alert rules and the record was damaged and was put aside: what was changed last is lost"
            );
        }
        let analytics = Arc::new(store::open(&data, settings.options())?);
        analytics.note_recovery(&Principal::owner(), &found.recovery)?;
        // What cannot be kept is told before anybody asks.
        analytics.metadata()?;
        let listener = runtime.block_on(listen(settings.bind()))?;
        let mut service = Service::new(Arc::clone(&analytics), verifier, limits);
        if let Some(keys) = fetched {
            service = service.fetching(Arc::clone(&keys));
            runtime.spawn(fetch_keys(keys, service.clone()));
        }
        runtime.spawn(notify::run(Arc::clone(&analytics), notifier));
        if let Some(anchors) = anchors.clone() {
            runtime.spawn(anchor::run(
                Arc::clone(&analytics),
                anchors,
                service.stopped(),
            ));
        }
        runtime.spawn(follow_keys(settings, service.clone()));
        let notes = Notes::beside(&store::file(&data))?;
        if let Some(path) = notes.aside() {
            tracing::error!(
                path = %path.display(),
                "the notes of how far sources were read were damaged and were put aside: they are read from their beginning, and what is \
                 stored of them is known"
            );
        }
        let following = Following::start(&analytics, sources, &notes);
        let end = until_stopped(
            runtime,
            listener,
            service,
            (delay, store::file(&data)),
            cut_off,
        );
        following.stop();
        if let Some(anchors) = anchors {
            anchors.end(&analytics);
        }
        let (ended, since) = end?;
        close(analytics, since);
        match ended {
            Ended::Stopped => Ok(()),
            Ended::Broken if begun.elapsed() < SOON => Err(Failure::failed(
                "the engine met a failure that it cannot go on after, and soon after the last; start the server again",
            )),
            Ended::Broken | Ended::Anew => Err(anew()),
        }
    }
}

/// Takes over the keys of a JWKS file whenever it was written anew; one that cannot be read leaves the keys as they are.
async fn follow_keys(settings: Settings, service: Service) {
    let mut known = settings.keys_written();
    if known.is_none() {
        return;
    }
    loop {
        tokio::time::sleep(KEYS).await;
        let written = settings.keys_written();
        if written == known {
            continue;
        }
        known = written;
        match settings.verifier() {
            Ok(verifier) => {
                service.rotate(verifier);
                tracing::info!("the keys were exchanged");
            }
            Err(failure) => tracing::error!(?failure, "the keys stay as they are"),
        }
    }
}

/// Fetches the keys again and again, so that those taken back are soon known no more.
async fn fetch_keys(keys: Arc<FetchedKeys>, service: Service) {
    loop {
        tokio::time::sleep(REFRESH).await;
        keys.refresh(&service).await;
    }
}

/// A runtime for the server.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new()
        .map_err(|e| Failure::failed(format!("the server's threads cannot be started: {e}")))
}

/// Listens at an address.
pub(super) async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| {
        let sentence = format!("--bind: cannot listen at `{address}`: {e}");
        match e.kind() {
            std::io::ErrorKind::InvalidInput => Failure::invalid(sentence),
            _ => Failure::failed(sentence),
        }
    })
}

/// Says what was found in the log of events when the store was opened.
fn tell_of_the_log(analytics: &Analytics) {
    let Ok(status) = analytics.ingest_status(&Principal::owner()) else {
        return;
    };
    let found = status.recovery;
    if let Some(path) = &found.set_aside {
        tracing::error!(path = %path.display(), "the log of events was damaged; what could not be read was put aside");
    }
    if status.parked > 0 {
        tracing::error!(
            batches = status.parked,
            "batches of events could not be stored and wait beside the store"
        );
    }
    if found.replayed > 0 || found.cut > 0 {
        tracing::info!(
            replayed = found.replayed,
            cut = found.cut,
            "events were taken from the log"
        );
    }
}

/// Closes a store that nobody uses any more, and whose exports were told to stop at an instant.
pub(super) fn close(analytics: Arc<Analytics>, since: Instant) {
    if let Ok(analytics) = Arc::try_unwrap(analytics) {
        analytics.close_within(EXPORTS.saturating_sub(since.elapsed()).max(LEAST));
    }
    tracing::info!("stopped");
}

/// Sees to it that the process ends in time once it was told to stop.
pub(super) fn cut_off(why: Ended) {
    if why != Ended::Stopped {
        return;
    }
    let late = std::thread::Builder::new().spawn(|| {
        std::thread::sleep(LAST);
        tracing::warn!(
            "stopped before everything was closed; it is put in order at the next start"
        );
        std::process::exit(0);
    });
    if let Err(error) = late {
        tracing::error!(%error, "nobody sees to it that the server stops in time");
    }
}

/// Serves until SIGINT or SIGTERM, or SIGHUP, which asks to begin anew. Told to stop, it goes on for `delay`, and then calls `stopping`;
/// gives why it stopped and since when.
pub(super) fn until_stopped(
    runtime: Runtime,
    listener: TcpListener,
    service: Service,
    (delay, store): (Duration, PathBuf),
    stopping: fn(Ended),
) -> Result<(Ended, Instant), Failure> {
    let ended = Arc::new(OnceLock::new());
    let end = Arc::clone(&ended);
    let opened = Arc::clone(service.analytics());
    let watched = service.clone();
    let address = listener
        .local_addr()
        .map_or_else(|_| String::new(), |a| a.to_string());
    let served = runtime.block_on(async move {
        let signal = signalled()?;
        let hangup = hangup()?;
        let stop = async move {
            let broken = async {
                watched.broken().await;
                // On a full disk the store cannot be opened: until there is room, the server says how it does.
                if room::wait(store).await {
                    Ended::Anew
                } else {
                    Ended::Broken
                }
            };
            let why = tokio::select! {
                () = signal => Ended::Stopped,
                () = hangup => Ended::Anew,
                why = broken => why,
            };
            // Whoever sends requests here learns that they should go elsewhere before they are refused.
            watched.leave();
            tokio::time::sleep(delay).await;
            stopping(why);
            let _ = end.set((why, Instant::now()));
            watched.stop();
            watched.analytics().wind_down();
        };
        tell_of_the_log(&opened);
        tracing::info!(address, "listening");
        tokio::spawn(upkeep(service.clone()));
        let limits = service.limits();
        serve(listener, router(service), limits, stop).await;
        Ok::<_, std::io::Error>(())
    });
    // A question that still runs is a read and may be dropped; waiting for it could take longer than we are given.
    runtime.shutdown_timeout(Duration::from_millis(500));
    served.map_err(|e| Failure::failed(format!("the server failed: {e}")))?;
    let ended = ended.get().copied();
    Ok(ended.unwrap_or_else(|| (Ended::Stopped, Instant::now())))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::sync::mpsc;

    use serde_json::{Value, json};
    use travelsense::Options;
    use travelsense::access::{Key, Verifier};

    use super::*;
    use crate::Limits;

    #[test]
    fn an_export_that_does_not_stop_holds_nobody_up_and_goes_on_after_the_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("travelsense.db");
        let (go, wait) = mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        // Chance is asked for the name of the file, and never comes.
        let stuck = Options {
            path: Some(path.clone()),
            chance: Arc::new(move |bytes| {
                if std::thread::current().name() == Some("travelsense-export") {
                    let _ = wait.lock().unwrap().recv();
                }
                bytes.fill(7);
                Ok(())
            }),
            ..Options::default()
        };
        let analytics = Arc::new(Analytics::open_with(stuck).unwrap());
        let who = Principal::owner();
        let event = json!([{ "userId": "ada", "name": "search", "ts": "2026-01-01T12:00:00Z" }]);
        analytics.ingest(&who, &event).unwrap();
        let asked = json!({ "exportType": "report", "format": "xlsx",
            "dateRange": { "startDate": "2026-01-01", "endDate": "2026-01-31" } });
        let asking = Arc::clone(&analytics);
        let asking =
            std::thread::spawn(move || asking.export(&Principal::owner(), &asked).map(drop));
        while status(&analytics) != "processing" {
            std::thread::sleep(Duration::from_millis(20));
        }
        let key = Key::secret(b"k3Jd92hfQmzX7vLpWs8Tn4RbYc6Qd1Gz").unwrap();
        let verifier = Verifier::new(vec![key], "a", "b").unwrap();
        let service = Service::new(Arc::clone(&analytics), verifier, Limits::default());
        let runtime = runtime().unwrap();
        let listener = runtime.block_on(listen("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let told = std::thread::spawn(move || {
            // Once it answers it heeds signals too.
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket
                .write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                .unwrap();
            assert!(socket.read_to_end(&mut Vec::new()).unwrap() > 0);
            let me = std::process::id().to_string();
            std::process::Command::new("kill")
                .args(["-TERM", &me])
                .status()
        });
        let place = (Duration::ZERO, path.clone());
        let end = until_stopped(runtime, listener, service, place, |_| {});
        let (ended, since) = end.unwrap();
        assert!(told.join().unwrap().unwrap().success());
        asking.join().unwrap().unwrap();
        close(analytics, since);
        let took = since.elapsed();
        assert_eq!(ended, Ended::Stopped);
        assert!(took < EXPORTS + DRAIN, "{took:?}");

        // The process would be gone by now; here its thread has to let go of the store.
        drop(go);
        let again = loop {
            match Analytics::open(&path) {
                Ok(store) => break store,
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        assert_eq!(status(&again), "processing");
        assert_eq!(again.resume_exports().unwrap(), 1);
        while status(&again) == "processing" {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(status(&again), "completed");
        again.close();
    }

    /// Where the only export is in its life, once there is one.
    fn status(store: &Analytics) -> Value {
        let listed = store.exports(&Principal::owner(), &json!({})).unwrap();
        let first = listed.exports.first();
        first.map_or(Value::Null, |job| json!(job.status))
    }
}
