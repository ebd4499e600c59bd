//! Calling another service: in this process or over HTTP, by one policy table.

mod body;
mod breaker;
mod embedded;
mod outgoing;
mod policy;
mod remote;

pub use embedded::Embedded;
pub use policy::{POLICIES, Policy, STREAM_IDLE, policy};
pub use remote::Remote;

use crate::chaos::{Breaking, Chaos, ClientFault};
use crate::telemetry::metrics;
use async_trait::async_trait;
use axum::body::Body;
use body::{Broken, Patient};
use breaker::{Breaker, FAILURES_TO_OPEN, Pass};
use bytes::Bytes;
use contract::client::{Call, Reply, Transport};
use contract::{ApiError, Code};
use http::{Request, Response, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Histogram, Meter};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::clock::SharedClock;

/// The question whether somebody is ready. It is asked of those, too, who say that they are not.
const IS_READY: &str = "health.ready";

/// Where a service's requests go. Both kinds take the same requests and give the same responses.
#[async_trait]
pub trait Target: Send + Sync {
    /// # Errors
    /// Only when there is no response.
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, NoResponse>;
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoResponse {
    /// Nobody listens, or the connection broke.
    Unreachable,
    /// The request never left: trying elsewhere or again is always safe.
    NotSent,
}

/// A client of one service: target, policy, breaker, bulkhead, spans and metrics.
pub struct ServiceClient {
    caller: &'static str,
    service: &'static str,
    target: Box<dyn Target>,
    token: Option<http::HeaderValue>,
    breaker: Breaker,
    in_flight: Semaphore,
    chaos: Chaos,
    duration: Histogram<f64>,
}

/// What a [`ServiceClient`] is made of besides its target.
pub struct ClientParts {
    pub caller: &'static str,
    pub service: &'static str,
    pub token: Option<http::HeaderValue>,
    pub clock: SharedClock,
    pub chaos: Chaos,
    pub meter: Meter,
}

impl ServiceClient {
    pub fn new(target: Box<dyn Target>, parts: ClientParts) -> Self {
        Self {
            caller: parts.caller,
            service: parts.service,
            target,
            token: parts.token,
            breaker: Breaker::new(parts.clock),
            in_flight: Semaphore::new(policy::MAX_IN_FLIGHT),
            chaos: parts.chaos,
            duration: metrics::seconds(&parts.meter, "http.client.request.duration", "Duration of HTTP client requests"),
        }
    }

    /// Sends one request under `policy` once, with span, deadline, breaker and bulkhead. Bodies stream both ways: the call's time is for
    /// the head of the answer, and its body may take as long as it keeps coming ([`STREAM_IDLE`]).
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`, `OVERLOADED` or `TIMEOUT` when there is no response.
    pub async fn send(&self, policy: &Policy, request: Request<Body>) -> Result<Response<Body>, ApiError> {
        let service = self.service;
        self.exchange(policy, request, async |response| Ok(response.map(|body| Patient::around(body, service)))).await
    }

    /// The same for an answer that is kept whole: the call's time is for all of it.
    async fn fetch(&self, policy: &Policy, request: Request<Body>) -> Result<Response<Bytes>, ApiError> {
        self.exchange(policy, request, body::whole).await
    }

    /// Sends the request and takes the response in by `receive`, within the call's time.
    async fn exchange<B>(
        &self,
        policy: &Policy,
        mut request: Request<Body>,
        receive: impl AsyncFnOnce(Response<Body>) -> Result<Response<B>, Broken>,
    ) -> Result<Response<B>, ApiError> {
        let started = Instant::now();
        let span = tracing::info_span!(
            "http.client",
            otel.name = policy.name,
            otel.kind = "client",
            otel.status_code = field::Empty,
            http.request.method = request.method().as_str(),
            http.response.status_code = field::Empty,
            error.r#type = field::Empty,
            peer.service = self.service,
            chaos.flag = field::Empty,
            chaos.injected = field::Empty,
        );
        let wait = outgoing::prepare(&mut request, &span, self.token.as_ref(), policy.timeout());
        let outcome = self.attempt(policy, request, wait, receive).instrument(span.clone()).await;
        let status = outcome.as_ref().map_or_else(|error| error.status, |response| response.status().as_u16());
        let mut attributes = vec![
            KeyValue::new("rpc.method", policy.name),
            KeyValue::new("peer.service", self.service),
            KeyValue::new("http.response.status_code", i64::from(status)),
        ];
        if let Err(error) = &outcome {
            span.record("error.type", error.code.as_str());
            attributes.push(KeyValue::new("error.type", error.code.as_str()));
        }
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
        self.duration.record(started.elapsed().as_secs_f64(), &attributes);
        outcome
    }

    async fn attempt<B>(
        &self,
        policy: &Policy,
        request: Request<Body>,
        wait: Duration,
        receive: impl AsyncFnOnce(Response<Body>) -> Result<Response<B>, Broken>,
    ) -> Result<Response<B>, ApiError> {
        let Ok(_permit) = self.in_flight.try_acquire() else {
            return Err(ApiError::new(Code::Overloaded, format!("too many calls to the {} service are in flight", self.service)));
        };
        let breaking = self.chaos.breaking().await;
        if self.breaker.pass() == Pass::Refused && breaking != Breaking::Never {
            Span::current().record("error.type", "breaker_open");
            return Err(ApiError::service_unavailable(self.service));
        }
        let failures_to_open = if let Breaking::After(failures) = breaking { failures } else { FAILURES_TO_OPEN };
        let fault = self.fault(policy.name).await;
        if breaking != Breaking::AsUsual && self.breaker.failures() >= FAILURES_TO_OPEN {
            // Last, because a span keeps the last flag that touched it: as usual this call would not have been made.
            self.chaos.breaker_was_passed(policy.name);
        }
        let answering = async {
            match fault {
                // As if nobody listened, the breaker's count included.
                Some(ClientFault::Refuse) => Err(Broken::Off),
                Some(ClientFault::Hang) => std::future::pending().await,
                _ => receive(self.target.send(request).await?).await,
            }
        };
        match tokio::time::timeout(wait, answering).await {
            Ok(Ok(_)) if fault == Some(ClientFault::DropReply) => Err(ApiError::service_unavailable(self.service)),
            Ok(Ok(response)) => {
                self.breaker.succeeded();
                Ok(response)
            }
            Ok(Err(Broken::Off)) => {
                if self.breaker.failed(failures_to_open) {
                    tracing::warn!(peer.service = self.service, "Circuit breaker opened towards {}", self.service);
                }
                Err(ApiError::service_unavailable(self.service))
            }
            // It answered; it is we who cannot use the answer.
            Ok(Err(Broken::TooLarge)) => {
                self.breaker.succeeded();
                tracing::error!(peer.service = self.service, "The answer to {} is larger than anything we keep", policy.name);
                Err(ApiError::internal())
            }
            Err(_) => {
                // A caller who was in a hurry learns nothing of the callee, which had less time than its rule allows.
                if wait >= policy.timeout() && self.breaker.failed(failures_to_open) {
                    tracing::warn!(peer.service = self.service, "Circuit breaker opened towards {}", self.service);
                }
                Err(ApiError::timeout(self.service))
            }
        }
    }

    async fn fault(&self, call: &str) -> Option<ClientFault> {
        // A cluster takes whoever is not ready out of rotation, and connections to it are refused. Here they are, too, without a cluster.
        if call != IS_READY && !self.chaos.readiness(self.service).await {
            return Some(ClientFault::Refuse);
        }
        self.chaos.client_fault(call).await
    }

    /// The service on the other side.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Who calls.
    pub fn caller(&self) -> &'static str {
        self.caller
    }
}

#[async_trait]
impl Transport for ServiceClient {
    async fn call(&self, call: Call) -> Result<Reply, ApiError> {
        let policy = policy(call.name);
        let mut attempt = 1;
        loop {
            let outcome = self.fetch(policy, outgoing::request(&call)?).await;
            let retry = match &outcome {
                Ok(response) => response.status() == StatusCode::BAD_GATEWAY,
                Err(error) => error.code == Code::ServiceUnavailable,
            };
            if !(retry && policy.idempotent && attempt < policy.attempts) {
                return outcome.map(reply);
            }
            tokio::time::sleep(policy::BACK_OFF * attempt).await;
            attempt += 1;
        }
    }
}

fn reply(response: Response<Bytes>) -> Reply {
    let (parts, body) = response.into_parts();
    let header = |name: http::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after_s = header(http::header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
    let link = header(http::header::LINK).map(str::to_owned);
    Reply { status: parts.status.as_u16(), body, retry_after_s, link }
}
