//! Everything that is answered, and the layers in front of it.

use crate::config::Config;
use crate::console::{self, Operators, operators_only};
use crate::edge::{Edge, edge};
use crate::guard::guard;
use crate::events::Listeners;
use crate::ledger::Auditor;
use crate::limits::{RateLimit, rate_limit};
use crate::live::Live;
use crate::page_cache::{PageCache, page_cache};
use crate::pages::{self, Pages};
use crate::{NAME, assets, embed, gateway, headers, events, ledger, live, reset};
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::flags::{api, ofrep};
use runtime::health::{self, Health};
use runtime::http::{BODY_LIMIT_BYTES, Inbound, inbound};
use std::net::SocketAddr;

/// # Errors
/// One sentence about the setting at fault.
pub async fn build(platform: &Platform, config: &Config, address: SocketAddr, operator_token: &str) -> Result<Router, BootError> {
    let probes = embed::embed_all(platform).await?;
    let operators = Operators::new(operator_token);
    let loopback = address.ip().is_loopback();

    let flags = platform.flag_control().clone();
    let listeners = Listeners::new(platform)?;
    let begin_anew = reset::Reset::new(platform, listeners.clone())?;
    let for_operators = api::router(flags.clone())
        .merge(gateway::operator_router(platform)?)
        .merge(ledger::router(Auditor::new(platform)?))
        .merge(events::router(listeners))
        .merge(reset::router(begin_anew.clone()))
        .layer(middleware::from_fn(operators_only));
    let evaluation = match loopback {
        true => ofrep::router(flags),
        false => ofrep::router(flags).layer(middleware::from_fn(operators_only)),
    };
    let shop = app::router()
        .layer(middleware::from_fn_with_state(PageCache::new(platform), page_cache))
        .route("/console", get(console::sign_in).with_state(operators.clone()));

    // From the inside out: an answer passes these upwards. The edge stands in front of the inbound layer, because that one believes
    // the headers the edge writes; the limit stands behind the edge, because it counts by what the edge found out. The guard stands behind `equip`, because people get
    // a page of it.
    let judged = Router::new()
        .merge(shop)
        .merge(gateway::router(platform)?)
        .merge(live::router(Live::new(platform, platform.bus().await?)?))
        .merge(for_operators)
        .merge(evaluation)
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(begin_anew, reset::closed_meanwhile))
        .layer(middleware::from_fn_with_state(platform.chaos(NAME), runtime::chaos::inbound))
        .layer(middleware::from_fn_with_state(RateLimit::new(config.rate_limit, loopback), rate_limit))
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn_with_state(Pages::new(platform)?, pages::equip))
        .layer(middleware::from_fn_with_state(Inbound::new(NAME, platform.internal_token(), &platform.meter(NAME)), inbound))
        .layer(middleware::from_fn_with_state(Edge::new(operators, platform.internal_token().as_deref(), &config.trusted_proxies), edge));

    // Neither cookies nor spans for what machines ask every second and what never changes.
    let health = Health { service: NAME, probes: probes.into(), chaos: platform.chaos(NAME), metrics: platform.metrics.clone() };
    Ok(judged.merge(health::router(health)).merge(assets::router()).layer(middleware::from_fn(headers::security)))
}
