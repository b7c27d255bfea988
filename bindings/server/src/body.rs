//! Bodies of requests: a large one is read of those alone who are proved, and none may take for ever.

use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::Sleep;

use crate::service::Service;

/// A body of no more bytes is read before it is asked who sends it: to look would cost more.
const SMALL: u64 = 64 * 1024;

/// A whole body may take so many times as long as its sender may be silent.
const PIECES: u32 = 10;

/// Reads no body that does not say how large it is, unless it is small, of somebody who is not proved: what comes next then says so of an empty one.
pub(crate) async fn of_the_proved(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    // Of one that says how large it is, its sender was asked for already.
    let declared = request.headers().contains_key(CONTENT_LENGTH);
    let small = request.body().size_hint().upper();
    let small = declared || small.is_some_and(|bytes| bytes <= SMALL);
    next.run(read(&service, request, small)).await
}

/// Asks who sends a body that says it is large before it is told to be too large.
pub(crate) async fn declared(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let length = request.headers().get(CONTENT_LENGTH);
    let length: Option<u64> = length.and_then(|text| text.to_str().ok()?.parse().ok());
    let small = length.is_none_or(|bytes| bytes <= SMALL);
    next.run(read(&service, request, small)).await
}

/// A request, without its body where that is not small and its sender not proved.
fn read(service: &Service, request: Request, small: bool) -> Request {
    if small || service.may_send(&request) {
        return request;
    }
    let mut unread = request.map(|_| Body::empty());
    unread.headers_mut().remove(CONTENT_LENGTH);
    unread
}

/// Gives a body up that takes too long as a whole.
pub(crate) async fn in_time(
    State(service): State<Service>,
    request: Request,
    next: Next,
) -> Response {
    let most = service.limits().silence * PIECES;
    let timed = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        Body::new(Timed {
            body,
            end: Box::pin(tokio::time::sleep(most)),
        })
    });
    next.run(timed).await
}

/// A body that ends with an error at an instant.
struct Timed {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            let late = std::io::Error::from(ErrorKind::TimedOut);
            return Poll::Ready(Some(Err(axum::Error::new(late))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_body_that_drips_for_ever_is_given_up() {
        let timed = |pieces: u32| {
            let drops = futures_util::stream::unfold(0, move |n| async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let piece = Ok::<_, std::io::Error>(Bytes::from_static(b"x"));
                (n < pieces).then_some((piece, n + 1))
            });
            Body::new(Timed {
                body: Body::from_stream(drops),
                end: Box::pin(tokio::time::sleep(Duration::from_millis(400))),
            })
        };
        assert_eq!(to_bytes(timed(10), 1_000).await.unwrap().len(), 10);
        assert!(to_bytes(timed(u32::MAX), 1_000).await.is_err());
    }
}
