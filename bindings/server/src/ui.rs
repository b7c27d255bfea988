//! The dashboard: files that are built ahead and part of the program. Whatever path a browser asks for that is no file and none
//! of the API's is a page of the dashboard, which finds its way by itself.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;

use crate::frame::Id;

#[derive(RustEmbed)]
#[folder = "ui/dist"]
struct Built;

/// A file as it is sent.
struct File {
    plain: Bytes,
    /// Smaller, where it gets smaller.
    gzip: Option<Bytes>,
    tag: HeaderValue,
    media: HeaderValue,
}

const PAGE: &str = "index.html";

/// Nothing is loaded from elsewhere and no script stands in a page. Charts set styles of their elements.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// The file at a path, the dashboard's page, or 404.
pub(crate) async fn serve(id: Id, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::NOT_FOUND.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let page = path.is_empty() || (!path.starts_with("api/") && has(&headers, ACCEPT, "text/html"));
    match files().get(path) {
        Some(file) if path != PAGE => sent(file, &headers),
        found if found.is_some() || page => sent(&page_at(&id.2.base), &headers),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The dashboard's page, which names its files from where it is: one page serves every path, so that they cannot be named from that.
fn page_at(base: &str) -> File {
    let page = files().get(PAGE);
    let text = page.map_or("", |page| {
        std::str::from_utf8(&page.plain).unwrap_or_default()
    });
    let plain = text.replace("\"./", &format!("\"{base}/"));
    File {
        gzip: None,
        tag: page.map_or(HeaderValue::from_static(""), |page| page.tag.clone()),
        media: HeaderValue::from_static(media(PAGE)),
        plain: Bytes::from(plain),
    }
}

fn sent(file: &File, headers: &HeaderMap) -> Response {
    let known = headers.get_all(IF_NONE_MATCH).iter().any(|tags| {
        let tags = tags.to_str().unwrap_or_default();
        file.tag.to_str().is_ok_and(|tag| tags.contains(tag))
    });
    let gzip = file
        .gzip
        .as_ref()
        .filter(|_| has(headers, ACCEPT_ENCODING, "gzip"));
    let body = match (known, gzip) {
        (true, _) => Bytes::new(),
        (false, Some(gzip)) => gzip.clone(),
        (false, None) => file.plain.clone(),
    };
    let mut response = body.into_response();
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let mut put = |name: HeaderName, value: HeaderValue| {
        response.headers_mut().insert(name, value);
    };
    put(CONTENT_TYPE, file.media.clone());
    put(ETAG, file.tag.clone());
    // Names stay the same from build to build: a browser asks each time, and is mostly told that nothing has changed.
    put(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    put(VARY, HeaderValue::from_static("accept-encoding"));
    put(CONTENT_SECURITY_POLICY, POLICY);
    put(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if gzip.is_some() && !known {
        put(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Whether a list in a header names something.
fn has(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    headers.get_all(name).iter().any(|value| {
        let mut items = value.to_str().unwrap_or_default().split(',');
        items.any(|item| item.split(';').next().unwrap_or_default().trim() == wanted)
    })
}

/// All files by path, compressed once.
fn files() -> &'static HashMap<String, File> {
    static FILES: OnceLock<HashMap<String, File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let read = |path: &str| Some((path.to_owned(), file(path)?));
        Built::iter().filter_map(|path| read(&path)).collect()
    })
}

fn file(path: &str) -> Option<File> {
    let built = Built::get(path)?;
    let hash = built.metadata.sha256_hash();
    let hash: String = hash.iter().take(12).map(|b| format!("{b:02x}")).collect();
    let plain = Bytes::from(built.data.into_owned());
    let gzip = compressed(&plain).filter(|gzip| gzip.len() < plain.len());
    Some(File {
        gzip,
        tag: HeaderValue::try_from(format!("\"{hash}\"")).ok()?,
        media: HeaderValue::from_static(media(path)),
        plain,
    })
}

fn compressed(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
