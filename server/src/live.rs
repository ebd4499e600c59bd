//! Server-sent events: an order's page and a restaurant's board follow what happens without asking.
//!
//! One listener on the bus serves every open page; it sleeps while nobody looks. An event is only a nudge: what is sent is what the order
//! service says then, to whoever is asking, so that a page can never show more than the caller may see, nor an older state. A stream that
//! rests on a log-in ends with it.

use crate::identity::Standing;
use axum::extract::{Path, State};
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use contract::client::{DeliveryClient, OrderClient};
use contract::error::ErrorBody;
use contract::event::Event;
use contract::order::{Board, Tracking};
use contract::{ApiError, Code, OrderId, RestaurantId};
use futures::Stream;
use runtime::Platform;
use runtime::boot::BootError;
use runtime::context::{self, RequestContext};
use runtime::events::bus::{Bus, Tailed};
use runtime::http::HttpError;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Pages that may follow at once. Each costs a connection and a few kilobytes.
const MAX_LISTENERS: usize = 2_000;

/// Nudges a page may be behind; it reads the newest state anyway.
const BEHIND: usize = 16;

/// After this long without a nudge the state is read again: a nudge that was lost delays a page, and no more.
const REREAD: Duration = Duration::from_secs(10);

/// Nudges within this time are one.
const GATHER: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    bus: Arc<dyn Bus>,
    topics: Mutex<Topics>,
    order: OrderClient,
    delivery: DeliveryClient,
    places: Arc<Semaphore>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Topics {
    senders: HashMap<String, broadcast::Sender<()>>,
    listening: bool,
}

impl Live {
    /// # Errors
    /// A service is neither embedded nor addressed.
    pub fn new(platform: &Platform, bus: Arc<dyn Bus>) -> Result<Self, BootError> {
        Ok(Self(Arc::new(Inner {
            bus,
            topics: Mutex::default(),
            order: OrderClient::new(platform.transport(crate::NAME, "order")?),
            delivery: DeliveryClient::new(platform.transport(crate::NAME, "delivery")?),
            places: Arc::new(Semaphore::new(MAX_LISTENERS)),
            stop: platform.stop.clone(),
        })))
    }

    fn topics(&self) -> std::sync::MutexGuard<'_, Topics> {
        self.0.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nudges about one order or restaurant, from now on.
    fn listen(&self, topic: &str) -> broadcast::Receiver<()> {
        let mut topics = self.topics();
        let receiver = topics.senders.entry(topic.to_owned()).or_insert_with(|| broadcast::channel(BEHIND).0).subscribe();
        if !topics.listening {
            topics.listening = true;
            let mut tail = self.0.bus.tail();
            let live = self.clone();
            tokio::spawn(async move {
                loop {
                    let tailed = tokio::select! {
                        () = live.0.stop.cancelled() => return,
                        tailed = tail.next() => tailed,
                        () = tokio::time::sleep(REREAD) => Some(Tailed::Missed(0)),
                    };
                    match tailed {
                        Some(Tailed::Event(event)) => live.nudge(&event),
                        Some(Tailed::Missed(_)) => {}
                        None => return,
                    }
                    if live.nobody_listens() {
                        return;
                    }
                }
            });
        }
        receiver
    }

    fn nudge(&self, event: &Event) {
        if event.fact.order().is_none() {
            return;
        }
        let topics = self.topics();
        for topic in [order_topic(&event.order_id), restaurant_topic(&event.restaurant_id)] {
            if let Some(sender) = topics.senders.get(&topic) {
                // A listener that has just gone is forgotten below.
                let _ = sender.send(());
            }
        }
    }

    /// Forgets topics without listeners; true when none is left, and then the next listener starts anew.
    fn nobody_listens(&self) -> bool {
        let mut topics = self.topics();
        topics.senders.retain(|_, sender| sender.receiver_count() > 0);
        topics.listening = !topics.senders.is_empty();
        !topics.listening
    }
}

fn order_topic(id: &OrderId) -> String {
    format!("order {id}")
}

fn restaurant_topic(id: &RestaurantId) -> String {
    format!("restaurant {id}")
}

pub fn router(live: Live) -> Router {
    routes().with_state(live).into()
}

/// The same calls, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Live> {
    OpenApiRouter::default().routes(routes!(order)).routes(routes!(restaurant))
}

/// Follows an order
///
/// `event: order` with the order and its courier as JSON (`Tracking`), at once and whenever something changes. Ends when the order has.
#[utoipa::path(get, path = "/events/orders/{id}", tag = "Live", operation_id = "followOrder",
    params(("id" = OrderId, Path, description = "The order.")),
    responses(
        (status = 200, description = "Server-sent events; the `data` of each is this.", body = Tracking, content_type = "text/event-stream"),
        (status = 404, description = "ORDER_NOT_FOUND", body = ErrorBody),
        (status = 503, description = "OVERLOADED", body = ErrorBody),
    ))]
async fn order(State(live): State<Live>, standing: Option<Extension<Standing>>, Path(id): Path<OrderId>) -> Response {
    follow(live, Subject::Order(id), standing).await
}

/// Follows a restaurant's board
///
/// `event: board` with the board as JSON (`KitchenBoard`), at once and whenever something changes.
#[utoipa::path(get, path = "/events/restaurants/{id}", tag = "Live", operation_id = "followBoard",
    params(("id" = RestaurantId, Path, description = "The restaurant.")),
    responses(
        (status = 200, description = "Server-sent events; the `data` of each is this.", body = Board, content_type = "text/event-stream"),
        (status = 503, description = "OVERLOADED", body = ErrorBody),
    ))]
async fn restaurant(State(live): State<Live>, standing: Option<Extension<Standing>>, Path(id): Path<RestaurantId>) -> Response {
    follow(live, Subject::Board(id), standing).await
}

/// What a page follows.
enum Subject {
    Order(OrderId),
    Board(RestaurantId),
}

impl Subject {
    fn topic(&self) -> String {
        match self {
            Self::Order(id) => order_topic(id),
            Self::Board(id) => restaurant_topic(id),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Order(_) => "order",
            Self::Board(_) => "board",
        }
    }

    /// Its state now, as JSON, and whether it will ever change again.
    async fn read(&self, live: &Live) -> Result<(String, bool), ApiError> {
        let (json, ended) = match self {
            Self::Order(id) => {
                let order = live.0.order.get(id).await?;
                let ended = order.status.is_final();
                // Until it is ready nobody carries it.
                let delivery = live.0.delivery.get(id).await.ok();
                (serde_json::to_string(&Tracking { order, delivery }), ended)
            }
            Self::Board(id) => (serde_json::to_string(&live.0.order.board(id).await?), false),
        };
        Ok((json.map_err(|_| ApiError::internal())?, ended))
    }
}

/// The caller's identity without the request's deadline: the page stays open for longer than any request.
fn caller() -> Arc<RequestContext> {
    Arc::new(RequestContext { deadline: None, ..(*context::current()).clone() })
}

async fn follow(live: Live, subject: Subject, standing: Option<Extension<Standing>>) -> Response {
    let Ok(place) = live.0.places.clone().try_acquire_owned() else {
        return HttpError(ApiError::new(Code::Overloaded, "too many pages are following; this one will ask again").retry_after(5))
            .into_response();
    };
    // Listening begins before the first look, so that nothing happens unseen in between.
    let nudges = live.listen(&subject.topic());
    let first = match subject.read(&live).await {
        Ok(first) => first,
        Err(error) => return HttpError(error).into_response(),
    };
    let (events, sent) = mpsc::channel(4);
    let standing = standing.map(|Extension(standing)| standing.ended());
    let feeding = async move {
        let feed = feed(live, subject, nudges, first, events, place);
        match standing {
            None => feed.await,
            Some(ended) => tokio::select! { () = feed => {}, () = ended => {} },
        }
    };
    tokio::spawn(context::scope(caller(), feeding));
    Sse::new(Feed(sent)).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

/// Sends what is new until the page is closed, the order has ended or the process stops.
async fn feed(
    live: Live,
    subject: Subject,
    mut nudges: broadcast::Receiver<()>,
    first: (String, bool),
    events: mpsc::Sender<Sent>,
    _place: OwnedSemaphorePermit,
) {
    let (mut last, mut ended) = first;
    let event = |data: &str| Sent::default().event(subject.name()).data(data);
    if events.send(event(&last)).await.is_err() {
        return;
    }
    while !ended {
        tokio::select! {
            () = live.0.stop.cancelled() => return,
            () = events.closed() => return,
            nudged = nudges.recv() => {
                if matches!(nudged, Err(broadcast::error::RecvError::Closed)) {
                    return;
                }
                tokio::time::sleep(GATHER).await;
                nudges = nudges.resubscribe();
            }
            () = tokio::time::sleep(REREAD) => {}
        }
        // A service that is down for a moment is asked again at the next nudge.
        let Ok((now, over)) = subject.read(&live).await else { continue };
        ended = over;
        if now != last {
            if events.send(event(&now)).await.is_err() {
                return;
            }
            last = now;
        }
    }
}

/// What the task sends, as the body of the answer.
struct Feed(mpsc::Receiver<Sent>);

impl Stream for Feed {
    type Item = Result<Sent, Infallible>;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|sent| sent.map(Ok))
    }
}
