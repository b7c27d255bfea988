//! The HTTP routes inside a Node process: a request goes in, its answer comes out, and no socket lies between.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, BodyDataStream, HttpBody as _, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, Response};
use futures_util::StreamExt as _;
use napi::bindgen_prelude::{Uint8Array, spawn};
use napi_derive::napi;
use serde::Deserialize;
use tokio::sync::{Mutex as Turn, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use travelsense::{Error, ErrorKind, Principal, Result};
use travelsense_server::{Host, Hosting, Service, router, upkeep};

use crate::error::{parse, to_js};
use crate::store::Store;

/// The routes over one store.
#[napi]
pub(crate) struct Handler {
    base: Arc<str>,
    served: Mutex<Option<Served>>,
}

struct Served {
    router: Router,
    service: Service,
    upkeep: JoinHandle<()>,
}

/// A request that was sent, and its answer.
#[napi]
pub(crate) struct Reply {
    stage: Arc<Turn<Stage>>,
    ended: Arc<watch::Sender<bool>>,
}

/// How far a request is.
enum Stage {
    Sent(Box<(Router, Request<Body>)>),
    Body(BodyDataStream),
    Over,
}

/// How an answer begins.
#[napi(object)]
pub(crate) struct Head {
    /// Its status.
    pub status: u32,
    /// Its headers, names and values.
    pub headers: Vec<Vec<String>>,
    /// Its body, where that is there at once; the rest of it comes piece by piece elsewhere.
    pub body: Option<Uint8Array>,
}

/// A request as JSON, but its body.
#[derive(Deserialize)]
struct Sent {
    method: String,
    /// Path and query.
    target: String,
    headers: Vec<(String, String)>,
    who: Option<Who>,
}

/// Who the program says that asks.
#[derive(Deserialize)]
struct Who {
    id: String,
    role: String,
    address: Option<String>,
}

#[napi]
impl Store {
    /// The HTTP routes over this store, served as the options, as JSON, say.
    #[napi]
    pub fn handler(&self, options: String) -> napi::Result<Handler> {
        let hosting = parse(&options).and_then(|asked| Hosting::parse(&asked));
        let hosting = hosting.map_err(to_js)?;
        let service = Service::hosted(self.shared().map_err(to_js)?, hosting.limits);
        Ok(Handler {
            base: hosting.base,
            served: Mutex::new(Some(Served {
                router: router(service.clone()),
                upkeep: spawn(upkeep(service.clone())),
                service,
            })),
        })
    }
}

#[napi]
impl Handler {
    /// Sends a request, given as JSON, and its body.
    #[napi]
    pub fn send(&self, request: String, body: Option<Uint8Array>) -> napi::Result<Reply> {
        // The bytes are copied because the caller could change them while another thread reads.
        let body = body.map_or_else(Body::empty, |bytes| Body::from(bytes.to_vec()));
        let request = self.request(&request, body).map_err(to_js)?;
        let served = self.served();
        let router = served.as_ref().map(|served| served.router.clone());
        let router = router.ok_or_else(|| to_js(crate::store::closed()))?;
        Ok(Reply {
            stage: Arc::new(Turn::new(Stage::Sent(Box::new((router, request))))),
            ended: Arc::new(watch::Sender::new(false)),
        })
    }

    /// Ends all streams and what runs beside the answers, and lets the store go.
    #[napi]
    pub async fn close(&self) -> napi::Result<()> {
        let served = self.served().take();
        if let Some(Served {
            service, upkeep, ..
        }) = served
        {
            service.stop();
            let _ = upkeep.await;
        }
        Ok(())
    }
}

impl Handler {
    fn served(&self) -> std::sync::MutexGuard<'_, Option<Served>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, request: &str, body: Body) -> Result<Request<Body>> {
        let sent: Sent = serde_json::from_str(request).map_err(Error::internal)?;
        let mut made = Request::builder()
            .method(sent.method.as_str())
            .uri(sent.target)
            .body(body)
            .map_err(|_| unreadable())?;
        for (name, value) in sent.headers {
            let name = HeaderName::try_from(name).map_err(|_| unreadable())?;
            let value = HeaderValue::from_bytes(&latin1(&value)?).map_err(|_| unreadable())?;
            made.headers_mut().append(name, value);
        }
        made.extensions_mut().insert(Host {
            origin: sent
                .who
                .as_ref()
                .and_then(|who| who.address.clone())
                .unwrap_or_default(),
            who: sent.who.map(|who| Principal::new(who.id, who.role)),
            base: Arc::clone(&self.base),
        });
        Ok(made)
    }
}

#[napi]
impl Reply {
    /// How the answer begins; nothing where it was ended before.
    #[napi]
    pub async fn head(&self) -> napi::Result<Option<Head>> {
        let mut stage = self.stage.lock().await;
        let Stage::Sent(sent) = std::mem::replace(&mut *stage, Stage::Over) else {
            return Ok(None);
        };
        let (router, request) = *sent;
        let mut ended = self.ended.subscribe();
        let response = tokio::select! {
            _ = ended.wait_for(|ended| *ended) => return Ok(None),
            response = router.oneshot(request) => response.unwrap_or_else(|never| match never {}),
        };
        let (head, rest) = begun(response).await;
        if let Some(rest) = rest {
            *stage = Stage::Body(rest);
        }
        Ok(Some(head))
    }

    /// The next piece of a body that was not there at once; nothing at its end.
    #[napi]
    pub async fn next(&self) -> napi::Result<Option<Uint8Array>> {
        let mut stage = self.stage.lock().await;
        let Stage::Body(body) = &mut *stage else {
            return Ok(None);
        };
        let mut ended = self.ended.subscribe();
        let piece = tokio::select! {
            _ = ended.wait_for(|ended| *ended) => None,
            piece = body.next() => piece,
        };
        match piece {
            Some(Ok(bytes)) => Ok(Some(Uint8Array::from(bytes.to_vec()))),
            end => {
                *stage = Stage::Over;
                end.map_or(Ok(None), |error| match error {
                    Ok(_) => Ok(None),
                    Err(error) => Err(to_js(Error::internal(error))),
                })
            }
        }
    }

    /// Nobody waits for it any more: a question is given up, a stream ends.
    #[napi]
    pub fn end(&self) {
        self.ended.send_replace(true);
        if let Ok(mut stage) = self.stage.try_lock() {
            *stage = Stage::Over;
        }
    }
}

/// The beginning of an answer, with its body where that is there already.
async fn begun(response: Response<Body>) -> (Head, Option<BodyDataStream>) {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = value.as_bytes().iter().map(|byte| char::from(*byte));
        vec![name.as_str().to_owned(), value.collect()]
    });
    let head = |body| Head {
        status: u32::from(parts.status.as_u16()),
        headers: headers.collect(),
        body,
    };
    if body.size_hint().exact().is_none() {
        return (head(None), Some(body.into_data_stream()));
    }
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    (head(Some(Uint8Array::from(bytes.to_vec()))), None)
}

/// A header's value as the bytes that it is made of.
fn latin1(text: &str) -> Result<Vec<u8>> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).map_err(|_| unreadable()))
        .collect()
}

fn unreadable() -> Error {
    Error::new(
        ErrorKind::Invalid,
        "bad_request",
        "the request cannot be read",
    )
}
