//! The paths of charts and exports: drawn, asked for, looked at, given up, and fetched as they are read from the disk.

use std::io::Read as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::Uri;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use http_body::Frame;
use serde_json::Value;
use tokio::sync::mpsc;
use travelsense::access::Permission;
use travelsense::analytics::ExportFile;
use travelsense::audit::Act;
use travelsense::chart::Look;
use travelsense::export::{ExportJob, Format};
use travelsense::{Analytics, ErrorKind, Principal};

use crate::answer::Answer;
use crate::call::Call;
use crate::ingest::key;
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, Operation, op};
use crate::routes::{json, question};

/// How much of a file is read at a time, and how many such pieces wait for a slow reader.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 4;

/// The routes.
pub(crate) fn routes() -> Api {
    let id = |operation: Operation| {
        operation
            .needs(Permission::ReadAnalytics)
            .path("id", named("ObjectId"), "The export's id.")
            .refuses(&[404])
    };
    let types: Vec<&str> = Format::ALL.iter().map(|f| f.media_type()).collect();
    Api::of("Exports and charts")
        .post(
            "chart/{word}",
            chart,
            op("drawChart", "The answer of a word to the question in the body, as SVG.")
                .needs(Permission::ReadAnalytics)
                .path("word", schema::one_of(&Analytics::CHARTED), "Which word is asked.")
                .body("Question")
                .sends(&["image/svg+xml"]),
        )
        .post(
            "export",
            create,
            op(
                "createExport",
                "Exports a dashboard, a report or events as a file; the answer is the job, complete where the export is small.",
            )
            .needs(Permission::ReadAnalytics)
            .keyed()
            .body("ExportRequest")
            .answers(named("DashboardExportJob")),
        )
        .get(
            "exports",
            list,
            op("listExports", "One's exports; those who manage access see all.")
                .needs(Permission::ReadAnalytics).paged(100, 20)
                .query(
                    "status",
                    schema::one_of(&["pending", "processing", "completed", "failed"]),
                    "Only those of this status.",
                )
                .answers(named("Exports")),
        )
        .get(
            "export/{id}",
            read,
            id(op("readExport", "An export and how far it is.")).answers(named("DashboardExportJob")),
        )
        .delete(
            "export/{id}",
            cancel,
            id(op("cancelExport", "Gives an export up that is not over."))
                .refuses(&[409])
                .answers(named("DashboardExportJob")),
        )
        .get(
            "export/{id}/file",
            file,
            id(op("readExportFile", "The file of an export that is complete."))
                .refuses(&[409])
                .sends(&types),
        )
}

/// The answer of a word to the question in the body, as a chart.
async fn chart(call: Call, Path(word): Path<String>, body: Bytes) -> Response {
    let draw = move |analytics: &Analytics, who: &Principal| {
        let act = Act::new("chart.draw", word.as_str());
        analytics.on_record(who, Permission::ReadAnalytics, &act, || {
            analytics.chart(who, &word, &json(&body)?)
        })
    };
    call.give(draw, |chart, _| {
        let headers = [(CONTENT_TYPE, "image/svg+xml")];
        (headers, chart.svg(&Look::default())).into_response()
    })
    .await
}

/// Exports what the body asks for; the answer is the job, complete where the export is small.
async fn create(call: Call, body: Bytes) -> Response {
    let base = call.id.path("");
    let key = key(&call.headers);
    call.look(move |analytics, who| {
        // What is no JSON is refused by the core in its turn, as any other fault of the body.
        let asked = json(&body);
        let body = asked.as_ref().unwrap_or(&Value::Null);
        let made = analytics.export_once(who, body, key.as_deref());
        let faulty = matches!(&made, Err(error) if error.kind() == ErrorKind::Invalid);
        match asked {
            Err(unread) if faulty => Err(unread),
            _ => Answer::of(&placed(made?, &base)),
        }
    })
    .await
}

/// One's exports, page by page.
async fn list(call: Call, uri: Uri) -> Response {
    let base = call.id.path("");
    call.look(move |analytics, who| {
        let mut listed = question(&uri, |asked| analytics.exports(who, asked))?;
        let exports = std::mem::take(&mut listed.exports).into_iter();
        listed.exports = exports.map(|job| placed(job, &base)).collect();
        Answer::of(&listed)
    })
    .await
}

/// An export and how far it is.
async fn read(call: Call, Path(export): Path<String>) -> Response {
    let base = call.id.path("");
    call.look(move |analytics, who| Answer::of(&placed(analytics.export_job(who, &export)?, &base)))
        .await
}

/// Gives an export up.
async fn cancel(call: Call, Path(export): Path<String>) -> Response {
    let base = call.id.path("");
    call.look(move |analytics, who| {
        Answer::of(&placed(analytics.cancel_export(who, &export)?, &base))
    })
    .await
}

/// An export whose file lies below the path at which these routes are.
fn placed(job: ExportJob, base: &str) -> ExportJob {
    ExportJob {
        file_url: job.file_url.map(|ours| format!("{base}{ours}")),
        ..job
    }
}

/// The file of an export that is complete.
async fn file(call: Call, Path(export): Path<String>) -> Response {
    let open = move |analytics: &Analytics, who: &Principal| analytics.export_file(who, &export);
    call.give(open, |file, _| sent(file)).await
}

/// A file as a download.
fn sent(file: ExportFile) -> Response {
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
    let mut reader = file.reader;
    tokio::spawn(async move {
        // No thread waits for a slow reader; whoever fetched it may have gone.
        while let Ok(room) = pieces.reserve().await {
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; PIECE];
                let read = reader.read(&mut piece).map(|n| {
                    piece.truncate(n);
                    Bytes::from(piece)
                });
                (reader, read)
            });
            let Ok((back, read)) = read.await else { return };
            reader = back;
            match read {
                Ok(piece) if piece.is_empty() => return,
                Ok(piece) => room.send(Ok(piece)),
                Err(error) => {
                    room.send(Err(error));
                    return;
                }
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
