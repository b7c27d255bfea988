//! What a service does beside answering, so that answers do not wait for it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use travelsense::Analytics;

use crate::service::Service;

/// How often the figures in memory take in what arrived.
const FRESH: Duration = Duration::from_secs(1);

/// Builds timelines, goes on with exports and keeps the real-time figures up to date, until the service stops.
pub async fn upkeep(service: Service) {
    let mut stopped = service.stopped();
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
    keep_fresh(&service, &mut stopped).await;
    let _ = tokio::join!(warm, exports);
}

/// Keeps the real-time figures up to date, so that whoever asks does not have to wait for what arrived since.
async fn keep_fresh(service: &Service, stopped: &mut watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(FRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
        let analytics = store(service);
        let refreshed = tokio::task::spawn_blocking(move || analytics.refresh_realtime()).await;
        if let Ok(Err(error)) = refreshed {
            service.hear(error.code());
            tracing::warn!(error = ?error, "the real-time figures are not up to date");
        }
    }
}

/// The store, for what is given up when the service stops.
fn store(service: &Service) -> Analytics {
    let stopped = service.stopped();
    service.analytics().until(move || *stopped.borrow())
}
