//! Bodies of answers: taken in whole, or passed on as they come. Neither is waited for without end.

use super::{NoResponse, STREAM_IDLE};
use axum::BoxError;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::Sleep;

/// A reply that is kept whole in memory may not be larger.
const REPLY_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Why there is no answer that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// There is none, or it broke off.
    Off,
    TooLarge,
}

impl From<NoResponse> for Broken {
    fn from(_: NoResponse) -> Self {
        Self::Off
    }
}

/// The response with its whole body.
pub async fn whole(response: Response<Body>) -> Result<Response<Bytes>, Broken> {
    let (parts, body) = response.into_parts();
    let collected = Limited::new(body, REPLY_LIMIT_BYTES).collect().await;
    let body = collected.map_err(|error| if error.is::<LengthLimitError>() { Broken::TooLarge } else { Broken::Off })?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// A body that ends with an error when nothing has come for [`STREAM_IDLE`]: whoever reads it sees a broken answer, not one that ended.
pub struct Patient {
    body: Body,
    service: &'static str,
    /// Runs while nothing comes.
    idle: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    pub fn around(body: Body, service: &'static str) -> Body {
        if body.is_end_stream() { body } else { Body::new(Self { body, service, idle: None }) }
    }
}

impl HttpBody for Patient {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.idle = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let idle = this.idle.get_or_insert_with(|| Box::pin(tokio::time::sleep(STREAM_IDLE)));
        ready!(idle.as_mut().poll(context));
        tracing::warn!(peer.service = this.service, "Nothing came of an answer of {} for {} s", this.service, STREAM_IDLE.as_secs());
        Poll::Ready(Some(Err(format!("nothing came for {} s", STREAM_IDLE.as_secs()).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
