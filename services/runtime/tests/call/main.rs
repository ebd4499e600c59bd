//! Calls between services, from both ends: what leaves a client, and what a service makes of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bodies;
mod inbound;
mod outgoing;
mod peer;
mod repeated;
mod trouble;

use bytes::Bytes;
use contract::Timestamp;
use contract::client::Call;
use http::{HeaderValue, Method};
use opentelemetry::metrics::Meter;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use runtime::call::{ClientParts, Remote, ServiceClient, Target};
use runtime::chaos::Chaos;
use runtime::clock::ManualClock;
use std::net::SocketAddr;
use std::sync::{Arc, Once};
use std::time::Duration;
use tracing_subscriber::layer::SubscriberExt;

/// Longest any outcome may take. Far above what is needed, so that a busy machine fails no test.
const DEADLINE: Duration = Duration::from_secs(20);

fn meter() -> Meter {
    opentelemetry::global::meter("test")
}

/// Spans are real in all these tests, from the first one on: a span that nobody wanted once is not asked for again.
fn traced() {
    static TRACED: Once = Once::new();
    TRACED.call_once(|| {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    });
}

/// The order service's client of something, and the clock of its breaker.
fn client(target: impl Target + 'static, token: Option<&'static str>) -> (ServiceClient, ManualClock) {
    traced();
    let clock = ManualClock::at(Timestamp::from_millis(1_760_000_000_000));
    let parts = ClientParts {
        caller: "order",
        service: "cart",
        token: token.map(HeaderValue::from_static),
        clock: Arc::new(clock.clone()),
        chaos: Chaos::none(),
        meter: meter(),
    };
    (ServiceClient::new(Box::new(target), parts), clock)
}

fn remote(addresses: &[SocketAddr]) -> Remote {
    let urls: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    Remote::new("CART_URL", &urls).unwrap()
}

/// A call without a body.
fn call(name: &'static str) -> Call {
    Call { name, method: Method::GET, path: "/cart/c".to_owned(), body: Bytes::new(), idempotency_key: None }
}
