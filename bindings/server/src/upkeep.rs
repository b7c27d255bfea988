//! What a service does beside answering, so that answers do not wait for it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use travelsense::{Analytics, Result};

use crate::service::Service;

/// How often the figures in memory take in what arrived.
const FRESH: Duration = Duration::from_secs(1);

/// How often the files of exports are taken away that have expired.
const EXPIRED: Duration = Duration::from_secs(61);

/// Builds timelines, goes on with exports, takes their files away in time and keeps the real-time figures up to date, until the service
/// stops.
pub async fn upkeep(service: Service) {
    let stopped = service.stopped();
    let (warm, exports) = (store(&service), store(&service));
    // The first question should not be the one that waits for the timelines.
    let warm = tokio::task::spawn_blocking(move || match warm.timelines() {
        Ok(_) => tracing::info!("timelines are ready"),
        Err(error) if error.code() == "cancelled" => {}
        Err(error) => tracing::error!(error = ?error, "timelines cannot be built"),
    });
    let exports = tokio::task::spawn_blocking(move || match exports.resume_exports() {
        Ok(0) => {}
        Ok(resumed) => tracing::info!(resumed, "exports go on"),
        Err(error) => tracing::error!(error = ?error, "exports cannot go on"),
    });
    tokio::join!(
        again(FRESH, &service, stopped.clone(), |analytics| analytics
            .refresh_realtime()
            .inspect_err(|error| {
                tracing::warn!(error = ?error, "the real-time figures are not up to date");
            })),
        again(EXPIRED, &service, stopped, |analytics| {
            analytics
            .expire_exports()
            .inspect_err(|error| {
                tracing::warn!(error = ?error, "files of exports that have expired are still there");
            })
            .map(drop)
        }),
    );
    let _ = tokio::join!(warm, exports);
}

/// Does something again and again, so that whoever asks does not have to wait for it.
async fn again(
    every: Duration,
    service: &Service,
    mut stopped: watch::Receiver<bool>,
    work: fn(&Analytics) -> Result<()>,
) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
        let analytics = store(service);
        let done = tokio::task::spawn_blocking(move || work(&analytics)).await;
        if let Ok(Err(error)) = done {
            service.hear(error.code());
        }
    }
}

/// The store, for what is given up when the service stops.
fn store(service: &Service) -> Analytics {
    let stopped = service.stopped();
    service.analytics().until(move || *stopped.borrow())
}
