//! Everything that is answered, and the layers in front of it.

use crate::access::{Access, access};
use crate::accounts::AccountDesk;
use crate::config::Config;
use crate::console::{self, Console, Marks, Operators, Room};
use crate::edge::{Edge, edge};
use crate::events::Listeners;
use crate::guard::guard;
use crate::identity::{Identity, identify};
use crate::incidents::Incidents;
use crate::ledger::Auditor;
use crate::limits::{RateLimit, rate_limit};
use crate::live::Live;
use crate::load::Load;
use crate::office::Office;
use crate::page_cache::{PageCache, page_cache};
use crate::pages::{self, Pages};
use crate::telemetry::{Door, Observatory, Questions, page_trace};
use crate::{NAME, accounts, assets, embed, events, gateway, headers, incidents, ledger, live, load, reset};
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
pub async fn build(
    platform: &Platform,
    config: &Config,
    address: SocketAddr,
    operator_token: &str,
    telemetry: &Observatory,
) -> Result<Router, BootError> {
    let probes = embed::embed_all(platform).await?;
    let operators = Operators::new(operator_token);
    let loopback = address.ip().is_loopback();

    runtime::service::attend(platform, NAME);
    let flags = platform.flag_control().clone();
    let listeners = Listeners::new(platform)?;
    let begin_anew = reset::Reset::new(platform, listeners.clone())?;
    let auditor = Auditor::new(platform)?;
    let office = Arc::new(Office { auditor: auditor.clone(), listeners: listeners.clone(), reset: begin_anew.clone() });
    let load = Load::new(platform);
    let incidents = Incidents::start(platform, load.clone(), incidents::books_of(auditor.clone()));
    let parts = console::Parts {
        store: telemetry.store.clone(),
        marks: Marks::new(platform.clock.clone()),
        auditor: auditor.clone(),
        load: load.clone(),
        incidents: incidents.clone(),
    };
    let console = Console::start(platform, parts);
    let room = Room::new(console.clone());
    let identity = Identity::new(platform, loopback)?;
    let desk = AccountDesk::new(platform, identity.clone(), loopback, pages::SECURE_COOKIES)?;
    let shop = app::router()
        .layer(middleware::from_fn_with_state(PageCache::new(platform), page_cache))
        .route("/console", get(console::sign_in).with_state(operators.clone()));

    // From the inside out: an answer passes these upwards. The edge stands in front of the inbound layer, because that one believes
    // the headers the edge writes; the limit stands behind the edge, because it counts by what the edge found out. Who is logged in is asked
    // behind the inbound layer, because that is a call to a service. Guard and access stand behind `equip`, because people get a page of them.
    // Who may do what is the table in `access.rs`, for all of these routes.
    let told = room.clone();
    let questions = Questions { marks: Arc::new(move |minutes| told.marks(minutes)), flags: flags.clone() };
    telemetry.watch_metrics(platform);
    let receiver = telemetry.receiver(loopback, platform.internal_token(), operators.clone());
    let reports = load::reports(load.clone(), Door { loopback, token: platform.internal_token(), operators: operators.clone() });
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
        .merge(load::router(load.clone()))
        .merge(incidents::router(incidents))
        .merge(console::router(room.clone()))
        .merge(telemetry.router(questions, platform.clock.clone()))
        .fallback(pages::nothing_here)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(middleware::from_fn_with_state(begin_anew, reset::closed_meanwhile))
        .layer(middleware::from_fn_with_state(platform.chaos(NAME), runtime::chaos::inbound))
        .layer(middleware::from_fn_with_state(console, console::noted))
        .layer(middleware::from_fn_with_state(Access { loopback }, access))
        .layer(middleware::from_fn_with_state(RateLimit::new(config.rate_limit, loopback, platform.chaos(NAME)), rate_limit))
        .layer(middleware::from_fn(guard))
        .layer(middleware::from_fn_with_state(Pages::new(platform, desk, office, Arc::new(room))?, pages::equip))
        .layer(middleware::from_fn_with_state(identity, identify))
        .layer(middleware::from_fn(page_trace))
        .layer(middleware::from_fn_with_state(Inbound::new(NAME, platform.internal_token(), &platform.meter(NAME)), inbound))
        .layer(middleware::from_fn_with_state(Edge::new(operators, platform.internal_token().as_deref(), &config.trusted_proxies), edge));

    // No cookies for what machines ask every second and what never changes, and for the former no spans.
    let health = Health { service: NAME, probes: probes.into(), chaos: platform.chaos(NAME), metrics: platform.metrics.clone() };
    Ok(judged
        .merge(health::router(health))
        .merge(receiver)
        .merge(reports)
        .merge(assets::router(platform))
        .layer(middleware::from_fn(headers::security)))
}
