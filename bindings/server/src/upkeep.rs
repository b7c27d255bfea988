//! What a service does beside answering, so that answers do not wait for it.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use travelsense::{Analytics, Result};

use crate::service::Service;

/// How often the figures in memory take in what arrived.
const FRESH: Duration = Duration::from_secs(1);

/// How often it is looked whether they are as usual.
const JUDGED: Duration = Duration::from_secs(60);

/// How often the files of exports are taken away that have expired.
const EXPIRED: Duration = Duration::from_secs(61);

/// Reads which events are stored, builds timelines, goes on with exports, takes their files away in time, keeps the real-time figures up to
/// date and says whether they are as usual, until the service stops.
pub async fn upkeep(service: Service) {
    let (warm, exports) = (store(&service), store(&service));
    // Neither the first batch nor the first question should be the one that waits.
    let warm = tokio::task::spawn_blocking(move || {
        match warm.prepare_ingest() {
            Ok(()) => tracing::info!("stored events are known"),
            Err(error) => tracing::error!(error = ?error, "stored events cannot be read"),
        }
        match warm.timelines() {
            Ok(_) => tracing::info!("timelines are ready"),
            Err(error) if error.code() == "cancelled" => {}
            Err(error) => tracing::error!(error = ?error, "timelines cannot be built"),
        }
    });
    let exports = tokio::task::spawn_blocking(move || match exports.resume_exports() {
        Ok(0) => {}
        Ok(resumed) => tracing::info!(resumed, "exports go on"),
        Err(error) => tracing::error!(error = ?error, "exports cannot go on"),
    });
    tokio::join!(
        again(
            "the real-time figures",
            FRESH,
            &service,
            Analytics::refresh_realtime
        ),
        again(
            "whether the real-time figures are as usual",
            JUDGED,
            &service,
            Analytics::judge_realtime
        ),
        again("the files of exports", EXPIRED, &service, |analytics| {
            analytics.expire_exports().map(drop)
        }),
    );
    let _ = tokio::join!(warm, exports);
}

/// Does something again and again, so that whoever asks does not have to wait for it; the log tells what is not kept up where it fails.
async fn again(
    what: &'static str,
    every: Duration,
    service: &Service,
    work: fn(&Analytics) -> Result<()>,
) {
    let mut stopped = service.stopped();
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
        let analytics = store(service);
        let done = tokio::task::spawn_blocking(move || work(&analytics)).await;
        match done {
            Ok(Err(error)) if error.code() != "cancelled" => {
                tracing::warn!(error = ?error, what, "not kept up");
                service.hear(error.code());
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, what, "the upkeep panicked"),
        }
    }
}

/// The store, for what is given up when the service stops.
fn store(service: &Service) -> Analytics {
    let stopped = service.stopped();
    service.analytics().until(move || *stopped.borrow())
}
