//! `GET /events/console`: tells open pages of the console that there is news, at most once a second, and of what.

use crate::identity::Standing;
use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use contract::error::ErrorBody;
use contract::{ApiError, Code, Timestamp};
use futures::{FutureExt, Stream, StreamExt};
use runtime::http::HttpError;
use serde::Serialize;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// Pages of operators that may follow at once.
const MAX_FOLLOWERS: usize = 64;
/// A page that is more behind reads the newest state anyway.
const BEHIND: usize = 4;

/// What there is news of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    Flags,
    Proofs,
    Detection,
    Incidents,
    Load,
    Audit,
    Telemetry,
}

/// Clones share it.
#[derive(Clone)]
pub struct Nudges(Arc<Inner>);

struct Inner {
    pending: Mutex<BTreeSet<Topic>>,
    sender: broadcast::Sender<String>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

#[derive(Serialize, ToSchema)]
struct News {
    /// Absent in the first, which only says that the page is heard.
    #[schema(required = false)]
    at: Timestamp,
    #[schema(value_type = Vec<Topic>)]
    changed: BTreeSet<Topic>,
}

impl Nudges {
    pub fn new(stop: CancellationToken) -> Self {
        let (sender, _) = broadcast::channel(BEHIND);
        Self(Arc::new(Inner { pending: Mutex::default(), sender, places: Arc::new(Semaphore::new(MAX_FOLLOWERS)), stop }))
    }

    /// There is news; it is told with the next [`Nudges::send`].
    pub fn about(&self, topic: Topic) {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(topic);
    }

    pub fn somebody_follows(&self) -> bool {
        self.0.sender.receiver_count() > 0
    }

    /// Tells what was gathered. Called once a second.
    pub fn send(&self, at: Timestamp) {
        let changed = std::mem::take(&mut *self.0.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if !changed.is_empty() && self.somebody_follows() {
            // Whoever has just gone needs none.
            let _ = self.0.sender.send(news(at, changed));
        }
    }
}

fn news(at: Timestamp, changed: BTreeSet<Topic>) -> String {
    serde_json::to_string(&News { at, changed }).unwrap_or_default()
}

/// Follows the console
///
/// `event: console`: at once with nothing changed, then whenever there is news, at most once a second. It ends with the log-in it rests on.
#[utoipa::path(get, path = "/events/console", tag = "Live", operation_id = "followConsole",
    responses(
        (status = 200, description = "Server-sent events; the `data` of each is this.", body = News, content_type = "text/event-stream"),
        (status = 503, description = "OVERLOADED", body = ErrorBody),
    ))]
pub async fn follow(State(nudges): State<Nudges>, standing: Option<Extension<Standing>>) -> Response {
    let Ok(place) = nudges.0.places.clone().try_acquire_owned() else {
        let error = ApiError::new(Code::Overloaded, "too many pages are following; this one will ask again").retry_after(5);
        return HttpError(error).into_response();
    };
    let receiver = nudges.0.sender.subscribe();
    let first = "{\"changed\":[]}".to_owned();
    let stop = nudges.0.stop.clone();
    let stream = futures::stream::unfold((Some(first), receiver, place, stop), |(first, mut receiver, place, stop)| async move {
        let data = match first {
            Some(first) => first,
            None => next(&mut receiver, &stop).await?,
        };
        Some((data, (None, receiver, place, stop)))
    });
    let ended = match standing {
        Some(Extension(standing)) => standing.ended().boxed(),
        None => std::future::pending().boxed(),
    };
    Sse::new(events(stream).take_until(ended)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

fn events(data: impl Stream<Item = String>) -> impl Stream<Item = Result<Event, Infallible>> {
    data.map(|data| Ok(Event::default().event("console").data(data)))
}

/// The newest news; `None` when the process stops.
async fn next(receiver: &mut broadcast::Receiver<String>, stop: &CancellationToken) -> Option<String> {
    loop {
        tokio::select! {
            () = stop.cancelled() => return None,
            received = receiver.recv() => match received {
                Ok(data) => return Some(data),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_hears_at_once_that_it_is_heard_and_then_of_news_gathered_into_one() {
        let (nudges, at) = (Nudges::new(CancellationToken::new()), Timestamp::from_millis(0));
        nudges.about(Topic::Flags);
        nudges.send(at);
        let mut body = follow(State(nudges.clone()), None).await.into_body().into_data_stream();
        let mut next = async || String::from_utf8(body.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert_eq!(next().await, "event: console\ndata: {\"changed\":[]}\n\n");
        nudges.send(at);
        for topic in [Topic::Proofs, Topic::Flags, Topic::Proofs] {
            nudges.about(topic);
        }
        nudges.send(at);
        let news = "event: console\ndata: {\"at\":\"1970-01-01T00:00:00.000Z\",\"changed\":[\"flags\",\"proofs\"]}\n\n";
        assert_eq!(next().await, news);
    }

    #[tokio::test]
    async fn the_stream_ends_with_the_process_and_there_are_only_so_many() {
        let nudges = Nudges::new(CancellationToken::new());
        let mut open = Vec::new();
        for _ in 0..MAX_FOLLOWERS {
            open.push(follow(State(nudges.clone()), None).await);
        }
        assert_eq!(follow(State(nudges.clone()), None).await.status(), 503);
        nudges.0.stop.cancel();
        let said = open.pop().unwrap().into_body().into_data_stream().count().await;
        assert_eq!(said, 1);
        drop(open);
        assert_eq!(follow(State(nudges), None).await.status(), 200);
    }
}
