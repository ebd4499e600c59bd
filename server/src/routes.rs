//! Everything that is answered, and the layers in front of it.

use crate::access::{Access, access};
use crate::accounts::AccountDesk;
use crate::closing::{self, Closing, closed_meanwhile};
use crate::config::Config;
use crate::console::{Operators, Witness, noted};
use crate::edge::{Edge, edge};
use crate::guard::guard;
use crate::identity::{Identity, identify};
use crate::limits::{RateLimit, rate_limit};
use crate::live::Live;
use crate::owner::{Keys, Owner};
use crate::page_cache::{PageCache, page_cache};
use crate::pages::{self, Pages};
use crate::role::ServerRole;
use crate::telemetry::{Ear, beacon, page_trace};
use crate::{NAME, accounts, assets, embed, gateway, headers, live, openapi};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::health::{self, Health};
use runtime::http::{BODY_LIMIT_BYTES, Inbound, inbound};
use std::net::SocketAddr;
use tower::ServiceBuilder;

/// `keys` are for the process that owns what has one owner; `ear` is who hears what browsers saw.
///
/// # Errors
/// One sentence about the setting at fault.
pub async fn build(
    platform: &Platform,
    config: &Config,
    address: SocketAddr,
    keys: Option<Keys<'_>>,
    ear: Ear,
) -> Result<Router, BootError> {
    let probes = embed::embed_all(platform).await?;
    let loopback = address.ip().is_loopback();

    runtime::service::attend(platform, NAME);
    let closing = Closing::start(platform, config.role).await?;
    let owner = keys.map(|keys| Owner::start(platform, keys, address, closing.clone())).transpose()?;
    let (own, doors) = owner.as_ref().map(|owner| (owner.judged.clone(), owner.doors.clone())).unwrap_or_default();
    let operators = owner.as_ref().map_or_else(Operators::nobody, |owner| owner.operators.clone());
    let witness = owner.as_ref().map_or(Witness::Log, |owner| Witness::Audit(owner.console.clone()));
    let identity = Identity::new(platform, loopback)?;
    let desk = AccountDesk::new(platform, identity.clone(), loopback, pages::SECURE_COOKIES)?;
    let shop = app::router().layer(from_fn_with_state(PageCache::new(platform), page_cache));
    // Of one client, web replicas admit together what one process would.
    let counted = if config.role == ServerRole::Web { closing::shared(platform, config.role, "limits").await? } else { None };
    let limit = RateLimit::new(config.rate_limit, loopback, platform.chaos(NAME), counted);

    // From the outside in. The edge stands in front of the inbound layer, because that one believes the headers the edge writes; the limit
    // stands behind the edge, because it counts by what the edge found out. Who is logged in is asked behind the inbound layer, because that is
    // a call to a service. Guard and access stand behind `equip`, because people get a page of them. Who may do what is the table in
    // `access.rs`, for all of these routes. One stack and not a layer at a time: a router boxes each of its layers for each of its routes,
    // and copies all of them for every request at each of them.
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(Edge::new(operators, platform.internal_token().as_deref(), &config.trusted_proxies), edge))
        .layer(from_fn_with_state(Inbound::new(NAME, platform.internal_token(), &platform.meter(NAME)), inbound))
        .layer(from_fn(page_trace))
        .layer(from_fn_with_state(identity, identify))
        .layer(from_fn_with_state(Pages::new(platform, desk.clone(), owner.as_ref().map(|owner| owner.rooms.clone()))?, pages::equip))
        .layer(from_fn(guard))
        .layer(from_fn_with_state(limit, rate_limit))
        .layer(from_fn_with_state(Access { loopback, console_here: owner.is_some() }, access))
        .layer(from_fn_with_state(witness, noted))
        .layer(from_fn_with_state(platform.chaos(NAME), runtime::chaos::inbound))
        .layer(from_fn_with_state(closing, closed_meanwhile))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES));
    let judged = Router::new()
        .merge(shop)
        .merge(gateway::router(platform)?)
        .merge(live::router(Live::new(platform, platform.bus().await?)?))
        .merge(accounts::router(desk))
        .merge(beacon::router(ear, platform.clock.clone()))
        .merge(openapi::router())
        .merge(own)
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(layers);

    // No cookies for what machines ask every second and what never changes, and for the former no spans.
    let health = Health { service: NAME, probes: probes.into(), chaos: platform.chaos(NAME), metrics: platform.metrics.clone() };
    Ok(judged.merge(health::router(health)).merge(doors).merge(assets::router(platform)).layer(from_fn(headers::security)))
}
