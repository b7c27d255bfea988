//! Listens until it is told to stop, then lets running answers finish.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::Limits;
use crate::patient::Patient;

/// How long running answers may still take after the signal: Kubernetes and Docker wait at least 10 seconds, and there is more to do.
pub(crate) const DRAIN: Duration = Duration::from_secs(6);

/// Serves until `stop` completes, then takes no new connections and waits up to 6 seconds for those at work. Of the limits those of
/// connections are kept here: how many are open at once, and how long one may be silent or not read what is sent to it.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let most = limits.connections.max(1);
    let places = Arc::new(Semaphore::new(most as usize));
    let stopping = watch::Sender::new(false);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.silence);
    let mut stop = pin!(stop);
    while let Some((stream, peer, place)) = tokio::select! {
        () = &mut stop => None,
        taken = take(&listener, &places) => Some(taken),
    } {
        let (http, router) = (http.clone(), TowerToHyperService::new(router.clone()));
        let mut stopped = stopping.subscribe();
        tokio::spawn(async move {
            let answer = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                router.call(request)
            });
            let stream = TokioIo::new(Patient::new(stream, limits.silence));
            let mut connection = pin!(http.serve_connection(stream, answer));
            let stopped = async {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            let served = tokio::select! {
                served = connection.as_mut() => served,
                () = stopped => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = served {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
            drop(place);
        });
    }
    tracing::info!("stopping");
    drop(listener);
    stopping.send_replace(true);
    // Once every place is free again, nobody is at work any more.
    let all = tokio::time::timeout(DRAIN, places.acquire_many(most));
    if all.await.is_err() {
        tracing::warn!("stopped before every answer was finished");
    }
}

/// The next connection, once there is a place for it; until then it waits with the system, which turns away what it cannot keep.
async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    loop {
        let place = Arc::clone(places).acquire_owned().await;
        match (listener.accept().await, place) {
            (Ok((stream, peer)), Ok(place)) => return (stream, peer, place),
            // Whoever was about to connect has gone again.
            (Err(error), _) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            // There are no more files to open, most likely, until others are closed.
            (error, _) => {
                tracing::error!(error = ?error.err(), "a connection cannot be taken");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Completes on SIGINT (Ctrl-C) or SIGTERM.
///
/// # Errors
/// What the system raises when it refuses a signal handler.
pub fn signalled() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

/// Completes on SIGHUP, where there is such a signal.
///
/// # Errors
/// As `signalled`.
pub fn hangup() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    Ok(async move {
        #[cfg(unix)]
        if hangup.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    })
}
