//! One request of one user: marked, traced, timed, and judged by status and body.

use crate::run::{Run, Shopper};
use bytes::Bytes;
use contract::error::ErrorBody;
use goose::goose::{GooseMethod, GooseRequest, GooseResponse, GooseUser};
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

/// A server may ask for more patience than this; a load generator does not have it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(2);
/// Before asking again when the server did not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_millis(250);

/// A request, before it is sent.
pub struct Ask<'a> {
    pub method: GooseMethod,
    /// As it is reported: `GET /api/cart/{id}`.
    pub name: &'static str,
    pub path: String,
    pub body: Option<serde_json::Value>,
    pub idempotency_key: Option<&'a str>,
    /// Statuses that are a success.
    pub expect: &'static [u16],
    /// Codes of errors that are a fair answer and no fault of the platform.
    pub fair: &'static [&'static str],
}

impl Ask<'_> {
    pub fn new(method: GooseMethod, name: &'static str, path: impl Into<String>) -> Self {
        Self { method, name, path: path.into(), body: None, idempotency_key: None, expect: &[200], fair: &[] }
    }

    pub fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(GooseMethod::Get, name, path)
    }

    pub fn post(name: &'static str, path: impl Into<String>, body: serde_json::Value) -> Self {
        Self { body: Some(body), ..Self::new(GooseMethod::Post, name, path) }
    }
}

/// What a successful request brought, beside its body.
#[derive(Debug)]
pub struct Reply<T> {
    pub value: T,
    /// The `Link` header of a paged list.
    pub link: Option<String>,
}

/// Why a request did not bring what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Timed out, refused, or cut off.
    NoReply(&'static str),
    Status {
        status: u16,
        code: String,
        retry_after: Option<Duration>,
        fair: bool,
    },
    /// A success that is not true.
    Wrong(&'static str),
    /// Nothing was asked: the user has left.
    Left,
}

impl Failure {
    pub const fn is_fair(&self) -> bool {
        matches!(self, Self::Status { fair: true, .. })
    }

    /// How long to wait before the same request may succeed; `None` when it will not.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoReply(_) => Some(DEFAULT_RETRY_AFTER),
            Self::Status { status, code, retry_after, .. } => {
                let temporary = matches!(status, 429 | 502..=504) || matches!(code.as_str(), "IDEMPOTENCY_IN_FLIGHT" | "CART_BUSY");
                temporary.then(|| retry_after.unwrap_or(DEFAULT_RETRY_AFTER).min(MAX_RETRY_AFTER))
            }
            Self::Wrong(_) | Self::Left => None,
        }
    }

    /// As it is counted in the report.
    fn label(&self, status: u16) -> String {
        match self {
            Self::NoReply(why) => (*why).to_owned(),
            Self::Status { status, code, .. } => format!("{status} {code}").trim_end().to_owned(),
            Self::Wrong(why) => format!("{status} wrong: {why}"),
            Self::Left => "left".to_owned(),
        }
    }
}

/// What came back, whole; or why nothing did.
type Raw = Result<(u16, Bytes), &'static str>;

/// A user in the middle of a journey.
pub struct Visit<'a> {
    /// Sends the requests when there is one, and otherwise the shopper's own client does.
    pub user: Option<&'a mut GooseUser>,
    pub run: &'a Run,
    pub shopper: &'a mut Shopper,
}

impl Visit<'_> {
    /// Sends, reads and checks. `check` says what is wrong with a success, in words that do not hold ids: they are counted.
    ///
    /// # Errors
    /// Everything that is not a true success; all but fair answers are counted as errors.
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        ask: Ask<'_>,
        check: impl FnOnce(&T) -> Result<(), &'static str>,
    ) -> Result<Reply<T>, Failure> {
        self.run.turn(&self.shopper.leaving).await;
        if self.shopper.is_leaving() {
            return Err(Failure::Left);
        }
        let builder = self.build(&ask).map_err(Failure::NoReply)?;
        let started = Instant::now();
        let (response, mut metric) = match &mut self.user {
            Some(user) => {
                // Goose writes the method before the name by itself.
                let name = ask.name.split_once(' ').map_or(ask.name, |(_, name)| name);
                let request = GooseRequest::builder().method(ask.method).name(name).path("/").set_request_builder(builder).build();
                let Ok(GooseResponse { request, response }) = user.request(request).await else {
                    return Err(Failure::NoReply("not sent"));
                };
                (response, Some(request))
            }
            None => (builder.send().await, None),
        };
        let (mut retry_after, mut link) = (None, None);
        let raw: Raw = match response {
            Ok(response) => {
                let status = response.status().as_u16();
                let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
                retry_after = text("retry-after").and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
                link = text("link");
                response.bytes().await.map(|body| (status, body)).map_err(|error| no_reply(&error))
            }
            Err(error) => Err(no_reply(&error)),
        };
        let latency = started.elapsed();
        let status = raw.as_ref().map_or(0, |(status, _)| *status);
        let judged = judge(&ask, raw, retry_after, check);
        let label = judged.as_ref().err().filter(|failure| !failure.is_fair()).map(|failure| failure.label(status));
        self.run.measure.record(ask.name, latency, label.as_deref());
        if let (Some(user), Some(metric)) = (&mut self.user, &mut metric)
            && !user.config.no_metrics
        {
            // Goose keeps its own book for its graphs. Its answer says that what we mark as failed has failed: nothing new.
            let _ = match &label {
                Some(label) => user.set_failure(label, metric, None, None),
                None => user.set_success(metric),
            };
        }
        judged.map(|value| Reply { value, link })
    }

    fn build(&self, ask: &Ask<'_>) -> Result<RequestBuilder, &'static str> {
        let builder = match &self.user {
            Some(user) => user.get_request_builder(&ask.method, &ask.path).map_err(|_| "not sent")?,
            None => self.shopper.client.request(method(&ask.method), format!("{}{}", self.run.origin, ask.path)),
        };
        let mut builder = mark(builder);
        if !matches!(ask.method, GooseMethod::Get) {
            // Changes with a cookie are taken from the shop's own pages only; this client stands for one.
            builder = builder.header("origin", &self.run.origin);
        }
        if let Some(key) = ask.idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        if let Some(body) = &ask.body {
            builder = builder.header("content-type", "application/json").body(body.to_string());
        }
        Ok(builder)
    }

    /// Waits as long as the server asked for, up to a bound; also when the run is over, so that a last order gets its chance.
    pub async fn wait_after(&self, failure: &Failure) {
        if let Some(time) = failure.retry_after().filter(|_| !self.shopper.is_leaving()) {
            tokio::time::sleep(time).await;
            self.run.measure.paused(time);
        }
    }
}

fn method(method: &GooseMethod) -> reqwest::Method {
    match method {
        GooseMethod::Delete => reqwest::Method::DELETE,
        // Journeys have no methods of their own making.
        GooseMethod::Get | GooseMethod::Custom => reqwest::Method::GET,
        GooseMethod::Head => reqwest::Method::HEAD,
        GooseMethod::Patch => reqwest::Method::PATCH,
        GooseMethod::Post => reqwest::Method::POST,
        GooseMethod::Put => reqwest::Method::PUT,
    }
}

/// Marks a request as synthetic and starts a sampled trace for it.
pub fn mark(builder: RequestBuilder) -> RequestBuilder {
    builder.header("baggage", "synthetic=true").header("x-feast-synthetic", "true").header("traceparent", traceparent())
}

/// A new W3C trace: version, trace id, span id, sampled.
fn traceparent() -> String {
    let span = uuid::Uuid::new_v4().as_u64_pair().1;
    format!("00-{}-{span:016x}-01", uuid::Uuid::new_v4().simple())
}

fn no_reply(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connection refused"
    } else {
        "connection lost"
    }
}

fn judge<T: DeserializeOwned>(
    ask: &Ask<'_>,
    raw: Raw,
    retry_after: Option<Duration>,
    check: impl FnOnce(&T) -> Result<(), &'static str>,
) -> Result<T, Failure> {
    let (status, body) = raw.map_err(Failure::NoReply)?;
    if !ask.expect.contains(&status) {
        let code = serde_json::from_slice::<ErrorBody>(&body).map(|error| error.code).unwrap_or_default();
        let fair = ask.fair.contains(&code.as_str());
        return Err(Failure::Status { status, code, retry_after, fair });
    }
    let value = serde_json::from_slice(&body).map_err(|_| Failure::Wrong("the body has another form"))?;
    check(&value).map_err(Failure::Wrong)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::{Ask, Failure, judge, traceparent};
    use bytes::Bytes;
    use std::time::Duration;

    fn answer(status: u16, body: &'static str) -> Result<Vec<u8>, Failure> {
        let ask = Ask { fair: &["OUT_OF_STOCK"], ..Ask::get("GET /x", "/x") };
        let whole = |list: &Vec<u8>| if list.is_empty() { Err("the list is empty") } else { Ok(()) };
        judge(&ask, Ok((status, Bytes::from_static(body.as_bytes()))), Some(Duration::from_secs(9)), whole)
    }

    #[test]
    fn every_request_starts_a_new_sampled_trace() {
        let (one, two) = (traceparent(), traceparent());
        assert_eq!((one.len(), &one[..3], &one[52..]), (55, "00-", "-01"));
        assert_ne!(one[3..35], two[3..35]);
        assert_ne!(one[36..52], two[36..52]);
    }

    #[test]
    fn a_success_that_is_not_true_is_an_error() {
        assert_eq!(answer(200, "[1]"), Ok(vec![1]));
        assert_eq!(answer(200, "[]"), Err(Failure::Wrong("the list is empty")));
        assert_eq!(answer(200, "{}"), Err(Failure::Wrong("the body has another form")));
        assert_eq!(answer(200, "[]").unwrap_err().label(200), "200 wrong: the list is empty");
        assert!(matches!(answer(204, "[1]"), Err(Failure::Status { status: 204, .. })));
    }

    #[test]
    fn a_fair_refusal_is_told_from_a_fault() {
        let fair = answer(409, r#"{"error":"sold out","code":"OUT_OF_STOCK"}"#).unwrap_err();
        assert!(fair.is_fair() && fair.retry_after().is_none());
        let fault = answer(503, r#"{"error":"x","code":"FEATURE_FLAG_CHAOS","requestId":"r"}"#).unwrap_err();
        assert_eq!((fault.is_fair(), fault.label(503).as_str()), (false, "503 FEATURE_FLAG_CHAOS"));
        assert_eq!(answer(502, "<html>").unwrap_err().label(502), "502");
    }

    #[test]
    fn patience_is_bounded() {
        let fault = answer(503, "{}").unwrap_err();
        assert_eq!(fault.retry_after(), Some(Duration::from_secs(2)), "the server asked for nine seconds");
        assert!(Failure::NoReply("timeout").retry_after().is_some());
        assert!(answer(404, "{}").unwrap_err().retry_after().is_none());
        assert!(Failure::Wrong("x").retry_after().is_none());
    }
}
