//! Prices of whole carts, promotions, the two algorithms and the books, asked as the other services ask.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod books;
mod prices;

use contract::client::MiddlewareClient;
use contract::pricing::{LineRequest, QuoteRequest, ReservationRequest, Way};
use contract::{Money, OrderId, Role, geo::Location};
use runtime::Platform;
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::context::{self, RequestContext};
use std::future::Future;
use std::sync::Arc;

/// The service on a platform of its own.
pub struct Counter {
    pub platform: Platform,
    pub clock: ManualClock,
    pub client: MiddlewareClient,
    redis: Option<testkit::RedisServer>,
}

impl Counter {
    pub async fn open() -> Self {
        let (platform, clock) = testkit::platform();
        Self::on(platform, clock).await
    }

    pub async fn with(settings: Settings) -> Self {
        let (platform, clock) = testkit::platform_with(settings);
        Self::on(platform, clock).await
    }

    async fn on(platform: Platform, clock: ManualClock) -> Self {
        platform.embed(&middleware::build(&platform).await.unwrap());
        let client = MiddlewareClient::new(platform.transport("test", "middleware").unwrap());
        Self { platform, clock, client, redis: None }
    }
}

/// One in memory, and one on a real Redis and a real PostgreSQL.
pub async fn counters() -> [Counter; 2] {
    let redis = testkit::RedisServer::start();
    let settings = Settings {
        redis_url: Some(redis.url()),
        database_url: Some(testkit::postgres_database().await),
        seed: Some(1),
        ..Settings::default()
    };
    let mut shared = Counter::with(settings).await;
    shared.redis = Some(redis);
    [Counter::open().await, shared]
}

pub async fn as_operator<F: Future>(work: F) -> F::Output {
    context::scope(Arc::new(RequestContext { role: Role::Operator, ..RequestContext::default() }), work).await
}

pub async fn as_session<F: Future>(session: &str, work: F) -> F::Output {
    context::scope(Arc::new(RequestContext { session: Some(session.into()), ..RequestContext::default() }), work).await
}

pub fn line(item: &str, quantity: u32, cents: i64) -> LineRequest {
    LineRequest { item_id: item.into(), quantity, base_price: Money::from_cents(cents) }
}

pub fn quote(lines: Vec<LineRequest>) -> QuoteRequest {
    QuoteRequest { lines, time_zone: "UTC".to_owned(), restaurant_id: None, promotion: None, way: None }
}

pub fn reserve(order: &str, lines: Vec<LineRequest>) -> ReservationRequest {
    ReservationRequest {
        order_id: OrderId::new(order),
        lines,
        time_zone: "UTC".to_owned(),
        quote_id: None,
        restaurant_id: None,
        promotion: None,
        way: None,
    }
}

/// Along one street.
pub fn way(metres: i32) -> Option<Way> {
    Some(Way { city: "Berlin".to_owned(), from: Location { x: 0, y: 0 }, to: Location { x: metres, y: 0 } })
}
