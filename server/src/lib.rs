//! The web process: pages, gateway and console. With no configuration it is the whole platform.
//!
//! `embed.rs` decides which services live here; `routes.rs` is the table of everything that is answered.

mod access;
mod accounts;
mod assets;
mod closing;
mod config;
mod console;
mod desk;
mod edge;
mod embed;
mod events;
mod features;
mod gateway;
mod guard;
mod headers;
mod identity;
mod incidents;
mod lan;
mod ledger;
mod limits;
mod live;
mod load;
mod office;
mod openapi;
mod owner;
mod page_cache;
mod pages;
mod reset;
mod role;
mod routes;
mod telemetry;

use config::Config;
use owner::Keys;
use runtime::Platform;
use runtime::boot::{BootError, bind, fail, listen_address, parse, run_process, serve};
use runtime::clock::SystemClock;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use telemetry::{Ear, Observatory};

pub const NAME: &str = "server";

const ABOUT: &str = "Feast Flow: a food-ordering platform made to be broken on stage.\n\n\
    Without any setting this is the whole platform in one process, on http://127.0.0.1:3000. \
    A service whose *_URL is set is called there instead. With ROLE=web many of them serve the shop and listen to one with ROLE=console.";

/// `main` of the program. It is here and not in `main.rs` so that everything below it is compiled once.
pub fn main() -> ExitCode {
    let config: Config = match parse(NAME, ABOUT) {
        Ok(config) => config,
        Err(code) => return code,
    };
    let config = match config.settle() {
        Ok(config) => config,
        Err(error) => return fail(NAME, &error),
    };
    if !config.role.owns() {
        return run_process(NAME, config.settings.clone(), None, async move |platform| serve_shop(platform, config).await);
    }
    let telemetry = match Observatory::start(Arc::new(SystemClock)) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(NAME, &error),
    };
    let sink = telemetry.sink();
    run_process(NAME, config.settings.clone(), Some(sink), async move |platform| run(platform, config, telemetry).await)
}

/// A web replica: the same without what has one owner.
///
/// # Errors
/// One sentence about the setting at fault.
async fn serve_shop(platform: Arc<Platform>, config: Config) -> Result<(), BootError> {
    let address = site_address(&config)?;
    let ear = Ear::elsewhere(config.settings.internal_token.as_deref())?;
    let app = routes::build(&platform, &config, address, None, ear.clone()).await?;
    let listener = bind(address, "SITE_ADDR").await?;
    announce(listener.local_addr().unwrap_or(address), &config, None);
    serve(listener, app, platform.stop.clone()).await;
    ear.close().await;
    Ok(())
}

/// # Errors
/// The address does not parse, or others reach it and the inside has no token.
fn site_address(config: &Config) -> Result<SocketAddr, BootError> {
    let port = config.role.port();
    let wide = config.lan.then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).to_string());
    let address = listen_address("SITE_ADDR", config.site_addr.as_deref().or(wide.as_deref()), port)?;
    if config.settings.is_split() {
        config.settings.require_token_off_loopback(address)?;
    }
    Ok(address)
}

/// Builds everything, serves until stopped.
///
/// # Errors
/// One sentence about the setting at fault.
async fn run(platform: Arc<Platform>, config: Config, telemetry: Observatory) -> Result<(), BootError> {
    let address = site_address(&config)?;
    let operator_token = config.operator_token.clone().unwrap_or_else(config::make_token);
    let keys = Keys { operator_token: &operator_token, telemetry: &telemetry };
    let app = routes::build(&platform, &config, address, Some(keys), telemetry.ear()).await?;
    if let Some(sync) = sync_address(&config)? {
        serve_sync(&platform, sync).await?;
    }
    let listener = bind(address, "SITE_ADDR").await?;
    let address = listener.local_addr().unwrap_or(address);
    announce(address, &config, Some(&operator_token));
    serve(listener, app, platform.stop.clone()).await;
    Ok(())
}

/// The flag sync stream is served when asked for, and whenever a service runs elsewhere.
fn sync_address(config: &Config) -> Result<Option<SocketAddr>, BootError> {
    match (&config.flags_sync_addr, config.settings.is_split()) {
        (Some(text), _) => listen_address("FLAGS_SYNC_ADDR", Some(text), 8015).map(Some),
        (None, true) => listen_address("FLAGS_SYNC_ADDR", None, 8015).map(Some),
        (None, false) => Ok(None),
    }
}

async fn serve_sync(platform: &Arc<Platform>, address: SocketAddr) -> Result<(), BootError> {
    let listener = bind(address, "FLAGS_SYNC_ADDR").await?;
    let (control, stop) = (platform.flag_control().clone(), platform.stop.clone());
    platform.spawn(NAME, async move {
        if let Err(error) = runtime::flags::sync::serve(control, listener, stop).await {
            tracing::error!(%error, "The flag sync stream ended");
        }
    });
    Ok(())
}

/// What a person needs to go on, once, when everything is ready.
#[expect(clippy::print_stdout, reason = "this is for the person who started it, not for a log")]
fn announce(address: SocketAddr, config: &Config, operator_token: Option<&str>) {
    let host = if address.ip().is_unspecified() { format!("127.0.0.1:{}", address.port()) } else { address.to_string() };
    println!();
    println!("  Feast Flow is open");
    println!("    shop      http://{host}/");
    match operator_token {
        None => println!("    console   at the process with ROLE=console"),
        Some(token) if config.operator_token.is_none() => println!("    console   http://{host}/console?token={token}"),
        Some(_) => println!("    console   http://{host}/console?token=$OPERATOR_TOKEN"),
    }
    if address.ip().is_loopback() {
        println!("    log in    http://{host}/login   as customer, restaurant, courier or operator, with one click");
    }
    println!("    health    http://{host}/ready");
    println!();
    if config.lan {
        lan::invite(address);
    }
}
