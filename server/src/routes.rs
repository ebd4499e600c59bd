//! Everything that is answered, and the layers in front of it.

use crate::access::{Access, access};
use crate::accounts::AccountDesk;
use crate::config::Config;
use crate::console::{self, Operators};
use crate::edge::{Edge, edge};
use crate::events::Listeners;
use crate::guard::guard;
use crate::identity::{Identity, identify};
use crate::ledger::Auditor;
use crate::limits::{RateLimit, rate_limit};
use crate::live::Live;
use crate::office::Office;
use crate::page_cache::{PageCache, page_cache};
use crate::pages::{self, Pages};
use crate::{NAME, accounts, assets, embed, events, gateway, headers, ledger, live, reset};
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::{Router, middleware};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::flags::{api, ofrep};
use runtime::health::{self, Health};
use runtime::http::{BODY_LIMIT_BYTES, Inbound, inbound};
use std::net::SocketAddr;
use std::sync::Arc;

/// # Errors
/// One sentence about the setting at fault.
pub async fn build(platform: &Platform, config: &Config, address: SocketAddr, operator_token: &str) -> Result<Router, BootError> {
    let probes = embed::embed_all(platform).await?;
    let operators = Operators::new(operator_token);
    let loopback = address.ip().is_loopback();

    let flags = platform.flag_control().clone();
    let listeners = Listeners::new(platform)?;
    let begin_anew = reset::Reset::new(platform, listeners.clone())?;
    let auditor = Auditor::new(platform)?;
    let office = Arc::new(Office { auditor: auditor.clone(), listeners: listeners.clone(), reset: begin_anew.clone() });
    let identity = Identity::new(platform, loopback)?;
    let desk = AccountDesk::new(platform, identity.clone(), loopback, pages::SECURE_COOKIES)?;
    let shop = app::router()
        .layer(middleware::from_fn_with_state(PageCache::new(platform), page_cache))
        .route("/console", get(console::sign_in).with_state(operators.clone()));

    // From the inside out: an answer passes these upwards. The edge stands in front of the inbound layer, because that one believes
    // the headers the edge writes; the limit stands behind the edge, because it counts by what the edge found out. Who is logged in is asked
    // behind the inbound layer, because that is a call to a service. Guard and access stand behind `equip`, because people get a page of them.
    // Who may do what is the table in `access.rs`, for all of these routes.
    let judged = Router::new()
        .merge(shop)
        .merge(gateway::router(platform)?)
        .merge(live::router(Live::new(platform, platform.bus().await?)?))
        .merge(accounts::router(desk.clone()))
        .merge(api::router(flags.clone()))
        .merge(ofrep::router(flags))
        .merge(ledger::router(auditor))
        .merge(events::router(listeners))
        .merge(reset::router(begin_anew.clone()))
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(begin_anew, reset::closed_meanwhile))
        .layer(middleware::from_fn_with_state(platform.chaos(NAME), runtime::chaos::inbound))
        .layer(middleware::from_fn_with_state(Access { loopback }, access))
        .layer(middleware::from_fn_with_state(RateLimit::new(config.rate_limit, loopback), rate_limit))
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn_with_state(Pages::new(platform, desk, office)?, pages::equip))
        .layer(middleware::from_fn_with_state(identity, identify))
        .layer(middleware::from_fn_with_state(Inbound::new(NAME, platform.internal_token(), &platform.meter(NAME)), inbound))
        .layer(middleware::from_fn_with_state(Edge::new(operators, platform.internal_token().as_deref(), &config.trusted_proxies), edge));

    // Neither cookies nor spans for what machines ask every second and what never changes.
    let health = Health { service: NAME, probes: probes.into(), chaos: platform.chaos(NAME), metrics: platform.metrics.clone() };
    Ok(judged.merge(health::router(health)).merge(assets::router()).layer(middleware::from_fn(headers::security)))
}
