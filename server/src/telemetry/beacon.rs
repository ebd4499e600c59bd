//! `POST /api/beacon`: what browsers saw. Calls of islands and views of pages become spans, errors become log lines, all of the service
//! `browser`. Everybody may send, so nothing is believed: names come from our own table of addresses, texts are cut, times are moved to
//! our clock, and a client that says too much is not heard.

use super::page_trace;
use crate::access;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use contract::error::ErrorBody;
use contract::telemetry::Level;
use contract::{ApiError, Code};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, Method, StatusCode};
use observe::Intake;
use observe::model::{Kind, Log, Span, Value};
use observe::sdk::{span_data, write_log};
use runtime::boot::BootError;
use runtime::clock::SharedClock;
use runtime::http::{ApiResult, Json, headers};
use runtime::telemetry::Guest;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

const SERVICE: &str = "browser";

/// One call of a page with many pictures and a few errors is two kilobytes.
const BODY_LIMIT_BYTES: usize = 16 * 1024;

/// A page says something every second at most, and once more when it is left.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(4).unwrap();
const AT_ONCE: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// All browsers together: telemetry must not drown what it is about.
const ALL_PER_SECOND: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// Clients remembered before those that are quiet are forgotten.
const SWEEP_AT: usize = 10_000;

/// How long the last of it may take to leave.
const FLUSH: Duration = Duration::from_secs(2);

const MOST_CALLS: usize = 32;
const MOST_ERRORS: usize = 8;
const MOST_TEXT: usize = 500;

/// What lies further back is not told any more.
const LONGEST_AGO_MS: f64 = 60_000.0;

/// Times are milliseconds of the browser's clock. Its parts are written, too, where the description shows their defaults.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct Beacon {
    /// Path of the page.
    page: String,
    /// The trace the page came from, as we told it.
    trace: String,
    sent_at: f64,
    view: Option<View>,
    calls: Vec<Call>,
    errors: Vec<Fault>,
}

/// How a page was to look at; what was not measured is absent. See web.dev, "Web Vitals".
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = BeaconView)]
#[serde(rename_all = "camelCase", default)]
struct View {
    started_at: f64,
    /// Until everything was loaded.
    load_ms: f64,
    ttfb_ms: Option<f64>,
    fcp_ms: Option<f64>,
    lcp_ms: Option<f64>,
    inp_ms: Option<f64>,
    cls: Option<f64>,
}

/// A call that an island made.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = BeaconCall)]
#[serde(rename_all = "camelCase", default)]
struct Call {
    /// The context it sent along.
    trace: String,
    method: String,
    path: String,
    started_at: f64,
    took_ms: f64,
    /// 0 when there was no answer.
    status: u16,
}

#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = BeaconFault)]
#[serde(rename_all = "camelCase", default)]
struct Fault {
    at: f64,
    message: String,
    /// File and line.
    source: String,
}

/// Who hears what browsers saw.
#[derive(Clone)]
pub enum Ear {
    /// The store of this process.
    Kept(Intake),
    /// Whoever gets this process' own telemetry.
    PassedOn(Arc<Guest>),
}

impl Ear {
    /// Of a process without a store.
    ///
    /// # Errors
    /// A bad `OTEL_*` setting.
    pub fn elsewhere(token: Option<&str>) -> Result<Self, BootError> {
        let guest = Guest::start(SERVICE, token).map_err(|error| BootError::Config(error.to_string()))?;
        Ok(Self::PassedOn(Arc::new(guest)))
    }

    fn hear(&self, spans: Vec<Span>, logs: Vec<Log>) {
        match self {
            Self::Kept(intake) => {
                intake.spans(spans);
                intake.logs(logs);
            }
            Self::PassedOn(guest) => {
                spans.into_iter().for_each(|span| guest.span(span_data(span)));
                logs.into_iter().for_each(|log| guest.line(|record| write_log(log, record)));
            }
        }
    }

    /// Passes on what is left.
    pub async fn close(self) {
        if let Self::PassedOn(guest) = self {
            // It blocks; that it was not in time is no news to anybody.
            let _ = tokio::task::spawn_blocking(move || guest.shutdown(FLUSH)).await;
        }
    }
}

#[derive(Clone)]
struct Listener {
    ear: Ear,
    clock: SharedClock,
    clients: Arc<DefaultKeyedRateLimiter<String>>,
    all: Arc<governor::DefaultDirectRateLimiter>,
}

pub fn router(ear: Ear, clock: SharedClock) -> Router {
    let clients = Arc::new(RateLimiter::keyed(Quota::per_second(PER_SECOND).allow_burst(AT_ONCE)));
    let all = Arc::new(RateLimiter::direct(Quota::per_second(ALL_PER_SECOND)));
    let listener = Listener { ear, clock, clients, all };
    routes().layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES)).with_state(listener).into()
}

/// The same call, described.
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

fn routes() -> OpenApiRouter<Listener> {
    OpenApiRouter::default().routes(routes!(hear))
}

/// A browser tells what it saw
///
/// Calls of a page, its web vitals, and errors of its scripts. Nothing of it is believed: names come from our own table of addresses, and a
/// client that says too much is not heard.
#[utoipa::path(post, path = "/api/beacon", tag = "Telemetry", operation_id = "sendBeacon",
    request_body = Beacon,
    responses(
        (status = 204, description = "It was heard."),
        (status = 429, description = "RATE_LIMITED", body = ErrorBody),
    ))]
async fn hear(State(listener): State<Listener>, headers: HeaderMap, Json(beacon): Json<Beacon>) -> ApiResult<StatusCode> {
    let client = headers.get(headers::CLIENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !listener.admits(client) {
        return Err(ApiError::new(Code::RateLimited, "too many beacons; say less").into());
    }
    let moment = Moment { now_ms: listener.clock.now().millis() as f64, sent_at: beacon.sent_at };
    listener.ear.hear(spans(&beacon, moment), logs(&beacon, moment));
    Ok(StatusCode::NO_CONTENT)
}

impl Listener {
    fn admits(&self, client: &str) -> bool {
        if self.clients.len() > SWEEP_AT {
            self.clients.retain_recent();
        }
        self.clients.check_key(&client.to_owned()).is_ok() && self.all.check().is_ok()
    }
}

/// The browser's clock beside ours.
#[derive(Clone, Copy)]
struct Moment {
    now_ms: f64,
    sent_at: f64,
}

impl Moment {
    /// By our clock, in nanoseconds. What was just sent is now, whatever the browser takes for the time.
    fn ours_ns(self, theirs_ms: f64) -> u64 {
        let ago = (self.sent_at - theirs_ms).clamp(0.0, LONGEST_AGO_MS);
        // A moment after 1970 in nanoseconds fits for centuries; a NaN becomes 0.
        ((self.now_ms - ago).max(0.0) * 1_000_000.0) as u64
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(MOST_TEXT).collect()
}

fn length_ns(ms: f64) -> u64 {
    (ms.clamp(0.0, LONGEST_AGO_MS) * 1_000_000.0) as u64
}

fn text(key: &str, value: impl Into<Arc<str>>) -> (Arc<str>, Value) {
    (key.into(), Value::Text(value.into()))
}

fn method_of(name: &str) -> Method {
    match name {
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        _ => Method::GET,
    }
}

fn spans(beacon: &Beacon, moment: Moment) -> Vec<Span> {
    let calls = beacon.calls.iter().take(MOST_CALLS).filter_map(|call| call_span(call, &beacon.page, moment));
    let view = beacon.view.as_ref().and_then(|view| view_span(view, beacon, moment));
    calls.chain(view).collect()
}

/// The first span of its trace: what the platform did for it is below.
fn call_span(call: &Call, page: &str, moment: Moment) -> Option<Span> {
    let (trace, id) = page_trace::read(&call.trace)?;
    let method = method_of(&call.method);
    let route = access::pattern_of(&call.path);
    let start_ns = moment.ours_ns(call.started_at);
    let mut attributes =
        vec![text("http.request.method", method.as_str()), text("http.route", route), text("feast.page", access::pattern_of(page))];
    if call.status > 0 {
        attributes.push(("http.response.status_code".into(), Value::Int(call.status.into())));
    }
    let failed = call.status == 0 || call.status >= 500;
    Some(Span {
        trace,
        id,
        parent: None,
        service: SERVICE.into(),
        name: format!("{method} {route}").into(),
        kind: Kind::Client,
        start_ns,
        end_ns: start_ns + length_ns(call.took_ms),
        failed,
        message: if call.status == 0 { "no answer".into() } else { Box::default() },
        attributes,
        events: Vec::new(),
        links: Vec::new(),
    })
}

/// Below the span that rendered the page: its trace is the page's.
fn view_span(view: &View, beacon: &Beacon, moment: Moment) -> Option<Span> {
    let (trace, parent) = page_trace::read(&beacon.trace)?;
    let page = access::pattern_of(&beacon.page);
    let start_ns = moment.ours_ns(view.started_at);
    let vitals = [
        ("web_vital.ttfb_ms", view.ttfb_ms),
        ("web_vital.fcp_ms", view.fcp_ms),
        ("web_vital.lcp_ms", view.lcp_ms),
        ("web_vital.inp_ms", view.inp_ms),
        ("web_vital.cls", view.cls),
    ];
    let vitals = vitals.into_iter().filter_map(|(key, value)| Some((key.into(), Value::Float(value.filter(|value| value.is_finite())?))));
    Some(Span {
        trace,
        // Only one view is below a page, so that its id may come from the page's.
        id: parent.wrapping_add(1),
        parent: Some(parent),
        service: SERVICE.into(),
        name: format!("view {page}").into(),
        kind: Kind::Internal,
        start_ns,
        end_ns: start_ns + length_ns(view.load_ms),
        failed: false,
        message: Box::default(),
        attributes: std::iter::once(text("feast.page", page)).chain(vitals).collect(),
        events: Vec::new(),
        links: Vec::new(),
    })
}

fn logs(beacon: &Beacon, moment: Moment) -> Vec<Log> {
    let page = page_trace::read(&beacon.trace);
    let line = |fault: &Fault| Log {
        at_ns: moment.ours_ns(fault.at),
        level: Level::Error,
        service: SERVICE.into(),
        message: cut(&fault.message).into(),
        trace: page.map(|(trace, _)| trace),
        span: page.map(|(_, span)| span),
        attributes: vec![text("feast.page", access::pattern_of(&beacon.page)), text("code.location", cut(&fault.source))],
    };
    beacon.errors.iter().take(MOST_ERRORS).map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests {
    use super::*;

    const MOMENT: Moment = Moment { now_ms: 1_000_000.0, sent_at: 5_000.0 };

    fn beacon() -> Beacon {
        serde_json::from_value(serde_json::json!({
            "page": "/restaurants/dim-sun", "trace": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "sentAt": 5000.0,
            "view": {"startedAt": 1000.0, "loadMs": 300.0, "lcpMs": 250.5},
            "calls": [{"trace": "00-5bf92f3577b34da6a3ce929d0e0e4736-10f067aa0ba902b7-01", "method": "POST", "path": "/cart/items",
                       "startedAt": 4000.0, "tookMs": 12.5, "status": 503}],
            "errors": [{"at": 4500.0, "message": "TypeError: no\n", "source": "boot.js:3"}]
        }))
        .unwrap()
    }

    #[test]
    fn a_call_is_the_first_span_of_its_trace_by_our_clock() {
        let spans = spans(&beacon(), MOMENT);
        let call = &spans[0];
        assert_eq!((call.trace, call.id, call.parent), (0x5bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, 0x10f0_67aa_0ba9_02b7, None));
        assert_eq!((&*call.service, &*call.name, call.kind, call.failed), ("browser", "POST /cart/items", Kind::Client, true));
        assert_eq!((call.start_ns, call.end_ns), (999_000_000_000, 999_012_500_000));
        assert!(call.attributes.contains(&text("feast.page", "/restaurants/{id}")));
    }

    #[test]
    fn a_view_is_below_the_page_it_shows() {
        let spans = spans(&beacon(), MOMENT);
        let view = &spans[1];
        assert_eq!((view.trace, view.parent), (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, Some(0x00f0_67aa_0ba9_02b7)));
        assert_eq!(&*view.name, "view /restaurants/{id}");
        assert!(view.attributes.contains(&("web_vital.lcp_ms".into(), Value::Float(250.5))));
        assert_eq!(view.attributes.len(), 2, "what was not measured is absent");
    }

    #[test]
    fn an_error_is_a_line_of_the_pages_trace_and_nothing_else_is_believed() {
        let line = &logs(&beacon(), MOMENT)[0];
        assert_eq!((line.level, &*line.message, line.at_ns), (Level::Error, "TypeError: no", 999_500_000_000));
        let nonsense: Beacon = serde_json::from_value(serde_json::json!({
            "page": "/../x", "trace": "00-zz", "sentAt": 5000.0, "view": {"startedAt": -1e300},
            "calls": [{"trace": "", "path": "/cart/items"}],
            "errors": [{"at": 1e300, "message": "x".repeat(9_000)}]
        }))
        .unwrap();
        assert_eq!(spans(&nonsense, MOMENT), []);
        let line = &logs(&nonsense, MOMENT)[0];
        assert_eq!((line.message.len(), line.trace, line.at_ns), (MOST_TEXT, None, 1_000_000_000_000));
        assert!(line.attributes.contains(&text("feast.page", "other")));
    }
}
