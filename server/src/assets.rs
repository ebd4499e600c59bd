//! Styles, scripts and pictures, from memory, compressed, immutable.

use crate::edge;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Redirect, Response};
use axum::routing::get;
use memory_serve::CacheControl;
use runtime::Platform;
use runtime::chaos::Chaos;
use runtime::context::{self, RequestContext};
use std::sync::Arc;
use tracing::{Instrument, field};

/// Where they are: `/pkg/` and a hash of them all.
pub const BASE: &str = env!("FEAST_ASSETS");

/// As they are called in spans, whatever the hash is.
const ROUTE: &str = "/pkg/{file}";

/// The flag that makes files come late.
const SLOW_FLAG: &str = "assets-slow";

pub fn router(platform: &Platform) -> Router {
    let files = memory_serve::load!().index_file(None).cache_control(CacheControl::Long).into_router();
    let files = files.layer(from_fn_with_state(platform.chaos(crate::NAME), file));
    let icon = || async { Redirect::permanent(&format!("{BASE}/favicon.svg")) };
    Router::new().nest(BASE, files).route("/favicon.ico", get(icon)).route("/favicon.svg", get(icon))
}

/// A span of its own and no more: what never changes needs no deadline and no cookie.
async fn file(State(chaos): State<Chaos>, request: Request, next: Next) -> Response {
    let (session, synthetic) = edge::whose(request.headers());
    let context = RequestContext { service: crate::NAME, session: session.map(Arc::from), synthetic, ..RequestContext::default() };
    let span = tracing::info_span!(
        "http.server",
        otel.name = "GET /pkg/{file}",
        otel.kind = "server",
        http.request.method = request.method().as_str(),
        http.route = ROUTE,
        http.response.status_code = field::Empty,
        synthetic,
        chaos.flag = field::Empty,
        chaos.injected = field::Empty,
    );
    let answer = async {
        chaos.delay(SLOW_FLAG, ROUTE).await;
        next.run(request).await
    };
    let response = context::scope(Arc::new(context), answer.instrument(span.clone())).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}
