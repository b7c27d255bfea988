//! Events over HTTP: read, unpacked, handed to the core, and answered one by one once they are durable.

use std::io::Read;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use serde_json::value::RawValue;
use travelsense::Error;
use travelsense::access::{self, Permission};
use travelsense::analytics::{BatchForm, IngestBatch};
use travelsense::audit::{Act, Outcome};
use travelsense::events::Names;

use crate::answer::Answer;
use crate::call::Call;
use crate::frame::{Asker, Id};
use crate::openapi::schema::{self, named};
use crate::openapi::{Api, op};
use crate::problem::Problem;
use crate::routes::{json, question};
use crate::service::Service;

/// The most bytes of a batch, as it is sent and as it is unpacked.
pub(crate) const BODY: usize = 8 << 20;

/// The most events of a batch.
const EVENTS: usize = 10_000;

/// A body of at most so many bytes is read where it arrives and taken together with others.
const FEW: usize = 16 << 10;

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The routes of events as they happen.
pub(crate) fn routes() -> Api {
    Api::of("Events")
        .post(
            "events",
            events,
            op(
                "sendEvents",
                "Takes up to 10,000 events, and answers each once it is on disk.",
            )
            .needs(Permission::IngestEvents)
            .query(
                "source",
                schema::default(schema::plain(1, 100), "http".into()),
                "Where they come from.",
            )
            .keyed()
            .batch(&[
                ("application/json", named("Events")),
                ("application/x-ndjson", schema::text()),
            ])
            .answers(named("IngestReport")),
        )
        .get(
            "events/status",
            status,
            op(
                "readIngestStatus",
                "What waits, and what became of what came.",
            )
            .needs(Permission::ReadAnalytics)
            .answers(named("IngestStatus")),
        )
        .get(
            "events/quarantine",
            quarantine,
            op(
                "listQuarantine",
                "Events that were refused but kept, the latest first.",
            )
            .needs(Permission::ReadPeople)
            .paged(1_000, 100)
            .lists(named("QuarantinedEvent")),
        )
        .post(
            "events/quarantine/replay",
            replay_quarantine,
            op(
                "replayQuarantine",
                "Sends events of the quarantine again, as received now.",
            )
            .needs(Permission::ImportEvents)
            .maybe_body("QuarantineReplay")
            .answers(named("IngestReport")),
        )
        .post(
            "events/parked/replay",
            replay_parked,
            op(
                "replayParked",
                "Stores batches that could not be stored when they came.",
            )
            .needs(Permission::ImportEvents)
            .answers(named("ParkedReport")),
        )
}

/// Takes a batch of events and answers each; a success is durable.
async fn events(
    State(service): State<Service>,
    Extension(id): Id,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Response {
    let who = match service.authenticate(&headers, &id).await {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let asker = Asker(who.id().to_owned());
    let granted = access::decide(&who, Permission::IngestEvents);
    let few = granted.allow
        && body.len() <= FEW
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(&IDEMPOTENCY_KEY);
    let answered = if few {
        match Batch::read(&headers, &uri, &body) {
            Ok(batch) => service
                .take_few(who, batch)
                .await
                .and_then(|report| Answer::of(&report).map_err(Problem::from)),
            Err(problem) => Err(problem),
        }
    } else if granted.allow {
        let most = match headers.contains_key(CONTENT_ENCODING) {
            true => BODY,
            false => body.len(),
        };
        match service.weigh(most).await {
            // Batches do not stand in the record one by one: each of their events says when it was received.
            Ok(mut weight) => {
                service
                    .take(move |analytics| {
                        let batch = Batch::read(&headers, &uri, &body)?;
                        weight.is(batch.body.len());
                        let answer = analytics.ingest_batch(&who, &batch.asked())?;
                        let answer = RawValue::from_string(answer).map_err(Error::internal)?;
                        Answer::of(&answer).map_err(Problem::from)
                    })
                    .await
            }
            Err(problem) => Err(problem),
        }
    } else {
        service
            .run(move |analytics| {
                let refused = access::grant(&who, Permission::IngestEvents, ());
                let act = Act::new("event.ingest", "");
                if let Err(error) = &refused {
                    analytics.record(&who, &act, Outcome::of(error))?;
                }
                refused.and_then(|_| Answer::of(&()))
            })
            .await
    };
    let mut response = match answered {
        Ok(answer) => answer.respond(&id.0),
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(asker);
    response
}

/// By which a request is known when it is sent again.
pub(crate) fn key(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(&IDEMPOTENCY_KEY)?;
    // What is no text stays what it is, and the core refuses it.
    Some(String::from_utf8_lossy(given.as_bytes()).into_owned())
}

/// A batch as it was sent.
#[derive(Debug)]
pub(crate) struct Batch {
    body: Bytes,
    form: BatchForm<'static>,
    source: String,
    key: Option<String>,
}

impl Batch {
    fn read(headers: &HeaderMap, uri: &Uri, body: &Bytes) -> std::result::Result<Self, Problem> {
        let body = unpacked(headers, body)?;
        let form = form(headers, &body)?;
        let source = question(uri, IngestBatch::source)?;
        Ok(Self {
            body,
            form,
            source: source.unwrap_or_else(|| "http".to_owned()),
            key: key(headers),
        })
    }

    pub(crate) fn asked(&self) -> IngestBatch<'_> {
        IngestBatch {
            body: &self.body,
            form: self.form,
            mapping: None,
            source: &self.source,
            key: self.key.as_deref(),
            names: Names::None,
            most: EVENTS,
        }
    }
}

/// The body as it was before it was packed.
fn unpacked(headers: &HeaderMap, body: &Bytes) -> std::result::Result<Bytes, Problem> {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .map(|v| v.to_str().unwrap_or("?"));
    let read = |reader: &mut dyn Read| {
        let mut bytes = Vec::with_capacity(body.len().saturating_mul(4).min(BODY));
        // One byte more than is allowed tells that there is more; what comes behind it is never unpacked.
        reader
            .take(BODY as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|_| {
                Problem::from(Error::field(
                    "body",
                    "invalid_encoding",
                    "cannot be unpacked as its Content-Encoding says",
                ))
            })?;
        if bytes.len() > BODY {
            return Err(Problem::too_large());
        }
        Ok(Bytes::from(bytes))
    };
    match encoding.map(str::to_ascii_lowercase).as_deref() {
        None | Some("identity") => Ok(body.clone()),
        Some("gzip" | "x-gzip") => read(&mut flate2::read::MultiGzDecoder::new(&body[..])),
        Some("zstd") => {
            let mut decoder =
                zstd::Decoder::new(&body[..]).map_err(|e| Problem::from(Error::internal(e)))?;
            // A window larger than a body makes no body smaller.
            decoder
                .window_log_max(23)
                .map_err(|e| Problem::from(Error::internal(e)))?;
            read(&mut decoder)
        }
        Some(_) => Err(Problem::unsupported(
            "the Content-Encoding must be gzip, zstd or identity",
        )),
    }
}

/// How the events are written, by the content type or, without one, by how the body begins.
fn form(headers: &HeaderMap, body: &[u8]) -> std::result::Result<BatchForm<'static>, Problem> {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Ok(if body.trim_ascii_start().starts_with(b"[") {
            BatchForm::Array
        } else {
            BatchForm::Lines
        });
    };
    let given = given.to_str().unwrap_or_default().to_ascii_lowercase();
    match given.split(';').next().unwrap_or_default().trim() {
        "application/json" => Ok(BatchForm::Array),
        "application/x-ndjson"
        | "application/ndjson"
        | "application/jsonl"
        | "application/x-jsonlines" => Ok(BatchForm::Lines),
        _ => Err(Problem::unsupported(
            "the Content-Type must be application/json for an array of events, or application/x-ndjson for one a line",
        )),
    }
}

/// How the intake does.
async fn status(call: Call) -> Response {
    call.tell_health(
        Permission::ReadAnalytics,
        Act::new("event.status", ""),
        |analytics, who| Answer::of(&analytics.ingest_status(who)?),
    )
    .await
}

/// Events that were refused but kept.
async fn quarantine(call: Call, uri: Uri) -> Response {
    call.tell_of(
        Permission::ReadPeople,
        Act::new("event.quarantine", ""),
        move |analytics, who| {
            let list = question(&uri, |asked| analytics.quarantine_json(who, asked))?;
            let page = (list.total, list.limit, list.offset, list.has_more);
            Answer::listed(&list.events, page)
        },
    )
    .await
}

/// Sends events of the quarantine again.
async fn replay_quarantine(call: Call, body: Bytes) -> Response {
    call.tell_of(
        Permission::ImportEvents,
        Act::new("event.replay_quarantine", ""),
        move |analytics, who| {
            let asked = if body.is_empty() {
                Value::Object(serde_json::Map::new())
            } else {
                json(&body)?
            };
            Answer::of(&analytics.replay_quarantine_json(who, &asked)?)
        },
    )
    .await
}

/// Stores batches that could not be stored when they came.
async fn replay_parked(call: Call) -> Response {
    call.tell_of(
        Permission::ImportEvents,
        Act::new("event.replay_parked", ""),
        |analytics, who| Answer::of(&analytics.replay_parked(who)?),
    )
    .await
}
