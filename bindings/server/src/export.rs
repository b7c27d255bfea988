//! The paths of charts and exports: drawn, asked for, looked at, given up, and fetched as they are read from the disk.

use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http_body::Frame;
use tokio::sync::mpsc;
use travelsense::access::Permission;
use travelsense::analytics::ExportFile;
use travelsense::chart::Look;

use crate::answer::Answer;
use crate::frame::{Asker, Id};
use crate::problem::Problem;
use crate::routes::{ask, json, tell};
use crate::service::Service;

/// How much of a file is read at a time, and how many such pieces wait for a slow reader.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 4;

/// The routes.
pub(crate) fn routes() -> Router<Service> {
    Router::new()
        .route("/api/analytics-dashboard/chart/{word}", post(chart))
        .route("/api/analytics-dashboard/export", post(create))
        .route("/api/analytics-dashboard/exports", get(list))
        .route(
            "/api/analytics-dashboard/export/{id}",
            get(read).delete(cancel),
        )
        .route("/api/analytics-dashboard/export/{id}/file", get(file))
}

/// The answer of a word to the question in the body, as a chart.
async fn chart(
    State(service): State<Service>,
    Path(word): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let who = match service.authenticate(&headers) {
        Ok(who) => who,
        Err(error) => return Problem::from(error).into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let drawn = async {
        Service::authorise(&who, Permission::ReadAnalytics)?;
        service
            .run(move |analytics| analytics.chart(&who, &word, &json(&body)?))
            .await
    };
    let mut response = match drawn.await {
        Ok(chart) => {
            let headers = [(CONTENT_TYPE, "image/svg+xml")];
            (headers, chart.svg(&Look::default())).into_response()
        }
        Err::<_, Problem>(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

/// Exports what the body asks for; the answer is the job, complete where the export is small.
async fn create(service: State<Service>, id: Id, headers: HeaderMap, body: Bytes) -> Response {
    let may = Permission::ReadAnalytics;
    tell(service, id, headers, may, move |analytics, who| {
        Answer::of(&analytics.export(who, &json(&body)?)?)
    })
    .await
}

/// One's exports, page by page.
async fn list(service: State<Service>, id: Id, headers: HeaderMap, uri: Uri) -> Response {
    ask(service, id, headers, uri, |analytics, who, question| {
        Answer::of(&analytics.exports(who, question)?)
    })
    .await
}

/// An export and how far it is.
async fn read(
    service: State<Service>,
    id: Id,
    Path(export): Path<String>,
    headers: HeaderMap,
) -> Response {
    let may = Permission::ReadAnalytics;
    tell(service, id, headers, may, move |analytics, who| {
        Answer::of(&analytics.export_job(who, &export)?)
    })
    .await
}

/// Gives an export up.
async fn cancel(
    service: State<Service>,
    id: Id,
    Path(export): Path<String>,
    headers: HeaderMap,
) -> Response {
    let may = Permission::ReadAnalytics;
    tell(service, id, headers, may, move |analytics, who| {
        Answer::of(&analytics.cancel_export(who, &export)?)
    })
    .await
}

/// The file of an export that is complete.
async fn file(
    State(service): State<Service>,
    Path(export): Path<String>,
    headers: HeaderMap,
) -> Response {
    let who = match service.authenticate(&headers) {
        Ok(who) => who,
        Err(error) => return Problem::from(error).into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let opened = async {
        Service::authorise(&who, Permission::ReadAnalytics)?;
        service
            .run(move |analytics| analytics.export_file(&who, &export))
            .await
    };
    let mut response = match opened.await {
        Ok(file) => sent(file),
        Err::<_, Problem>(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

/// A file as a download.
fn sent(mut file: ExportFile) -> Response {
    // The name is ours, of letters, digits, `-` and `.` alone.
    let headers = [
        (CONTENT_TYPE, file.format.media_type().to_owned()),
        (CONTENT_LENGTH, file.size.to_string()),
        (
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file.name),
        ),
    ];
    let (pieces, rest) = mpsc::channel(WAITING);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = vec![0; PIECE];
            let read = file.reader.read(&mut piece).map(|n| {
                piece.truncate(n);
                piece
            });
            let over = !matches!(&read, Ok(piece) if !piece.is_empty());
            let empty = matches!(&read, Ok(piece) if piece.is_empty());
            // Whoever fetched it may have gone.
            if empty || pieces.blocking_send(read.map(Bytes::from)).is_err() || over {
                return;
            }
        }
    });
    (headers, Body::new(Pieces(rest))).into_response()
}

/// A body that comes piece by piece.
struct Pieces(mpsc::Receiver<std::io::Result<Bytes>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|bytes| bytes.map(Frame::data)))
    }
}
