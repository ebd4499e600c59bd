//! From environment to drained shutdown, the same for every process.

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::flags::FlagSource;
use crate::health::{self, Health};
use crate::platform::Platform;
use crate::service::Service;
use crate::telemetry::{Sink, Telemetry, Wishes};
use axum::Router;
use axum::serve::ListenerExt;
use clap::builder::{OsStr, Resettable};
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser};
use std::ffi::OsString;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Exit code for bad configuration (sysexits.h, EX_CONFIG is 78; 64 is EX_USAGE and what the product documents).
const EXIT_CONFIG: u8 = 64;

/// How long requests in flight and background work may take to end.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the last telemetry may take to leave.
const FLUSH: Duration = Duration::from_secs(5);

/// Services that share nothing but what is in their database.
const WITHOUT_REDIS: [&str; 1] = ["user"];

/// Why a process cannot start. One sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("{0}")]
    Config(String),
}

#[derive(Parser)]
struct ServiceArgs {
    #[command(flatten)]
    settings: Settings,

    /// Address to listen on.
    #[arg(long, env = "LISTEN_ADDR", value_name = "ADDRESS")]
    listen_addr: Option<String>,
}

/// `main` of a service that runs alone.
pub fn run_service<B, F>(name: &'static str, port: u16, about: &'static str, build: B) -> ExitCode
where
    B: FnOnce(Arc<Platform>) -> F,
    F: Future<Output = Result<Service, BootError>>,
{
    let args: ServiceArgs = match parse(name, about) {
        Ok(args) => args,
        Err(code) => return code,
    };
    let mut settings = args.settings;
    settings.flags_source.get_or_insert_with(|| "flagd://127.0.0.1:8015".to_owned());
    run_process(name, settings.clone(), None, async move |platform| {
        let address = listen_address("LISTEN_ADDR", args.listen_addr.as_deref(), port)?;
        settings.require_token_off_loopback(address)?;
        if settings.redis_url.is_none() && !WITHOUT_REDIS.contains(&name) {
            let why = "REDIS_URL is not set: services that run alone share carts, stock and events through Redis";
            return Err(BootError::Config(why.to_owned()));
        }
        let service = build(platform.clone()).await?;
        platform.open_bus();
        let health =
            Health { service: name, probes: service.probes.into(), chaos: platform.chaos(name), metrics: platform.metrics.clone() };
        let app = service.router.merge(health::router(health));
        serve(bind(address, "LISTEN_ADDR").await?, app, platform.stop.clone()).await;
        Ok(())
    })
}

/// Reads arguments and environment. `--help` and `--version` end well, everything else that is wrong ends with 64. A variable that is set
/// to nothing is not set.
///
/// # Errors
/// The exit code to end with; what there is to say has been printed.
pub fn parse<T: Args + FromArgMatches + CommandFactory>(name: &'static str, about: &'static str) -> Result<T, ExitCode> {
    let command = T::command().name(name).bin_name(name).about(about).version(env!("CARGO_PKG_VERSION"));
    let command = without_empty(command, |name| std::env::var_os(name));
    let said = |error: clap::Error| {
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::SUCCESS }
    };
    let matches = command.try_get_matches().map_err(said)?;
    T::from_arg_matches(&matches).map_err(said)
}

/// Lets go of the variables of those settings that `environment` has nothing for but the name: a compose file or a manifest that leaves a
/// value open means the default.
fn without_empty(command: Command, environment: fn(&std::ffi::OsStr) -> Option<OsString>) -> Command {
    command.mut_args(|setting| {
        let empty = setting.get_env().and_then(environment).is_some_and(|value| value.is_empty());
        if empty { setting.env(Resettable::<OsStr>::Reset) } else { setting }
    })
}

/// Starts telemetry, the async runtime and the platform, runs `main` until it returns, then drains and flushes. `sink` keeps the process'
/// spans and logs; without one they go to the server on this machine, unless the environment says otherwise.
pub fn run_process<M>(name: &'static str, settings: Settings, sink: Option<Arc<dyn Sink>>, main: M) -> ExitCode
where
    M: AsyncFnOnce(Arc<Platform>) -> Result<(), BootError>,
{
    // One TLS provider for the whole process, before anything may open a connection.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let wishes = Wishes { sink, token: settings.internal_token.clone() };
    let telemetry = match Telemetry::start(name, settings.log_format(), wishes) {
        Ok(telemetry) => telemetry,
        Err(error) => return fail(name, &BootError::Config(error.to_string())),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(name, &BootError::Config(format!("the async runtime cannot start: {error}"))),
    };
    let metrics = telemetry.metrics.clone();
    let outcome = runtime.block_on(crate::context::scope(crate::context::background(name), async {
        let clock = Arc::new(SystemClock);
        let stop = CancellationToken::new();
        let flags = FlagSource::start(settings.flags_source.as_deref(), clock.clone(), stop.clone()).map_err(BootError::Config)?;
        let platform = Arc::new(Platform::new(settings, clock, metrics, flags, stop.clone()));
        stop_on_signal(stop);
        let outcome = main(platform.clone()).await;
        if !platform.finish(DRAIN).await {
            tracing::warn!("Background work did not end within {} s", DRAIN.as_secs());
        }
        outcome
    }));
    runtime.shutdown_timeout(Duration::from_secs(1));
    telemetry.shutdown(FLUSH);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(name, &error),
    }
}

/// Says why a process cannot start, and with what it ends.
#[expect(clippy::print_stderr, reason = "telemetry may not be running")]
pub fn fail(name: &str, error: &BootError) -> ExitCode {
    eprintln!("{name}: {error}");
    ExitCode::from(EXIT_CONFIG)
}

fn stop_on_signal(stop: CancellationToken) {
    tokio::spawn(async move {
        let interrupt = tokio::signal::ctrl_c();
        #[cfg(unix)]
        let terminate = async {
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(mut signal) => {
                    signal.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let terminate = std::future::pending::<()>();
        tokio::select! { _ = interrupt => {}, () = terminate => {} }
        tracing::info!("Stopping: no new requests, those in flight are finished");
        stop.cancel();
    });
}

/// Where to listen: what `variable` says, otherwise this port of loopback.
///
/// # Errors
/// The address does not parse; the sentence names `variable`.
pub fn listen_address(variable: &str, setting: Option<&str>, port: u16) -> Result<SocketAddr, BootError> {
    match setting {
        None => Ok(SocketAddr::from(([127, 0, 0, 1], port))),
        Some(text) => {
            text.parse().map_err(|_| BootError::Config(format!("{variable} must be an address such as 127.0.0.1:{port}, not {text:?}")))
        }
    }
}

/// # Errors
/// The address is taken or not ours; the sentence names `variable`.
pub async fn bind(address: SocketAddr, variable: &str) -> Result<TcpListener, BootError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| BootError::Config(format!("cannot listen on {address} ({error}); choose another address with {variable}")))
}

/// Serves until `stop`, then finishes what is in flight, but not for longer than the drain allows.
pub async fn serve(listener: TcpListener, app: Router, stop: CancellationToken) {
    let address = listener.local_addr().map_or_else(|_| "?".to_owned(), |address| address.to_string());
    tracing::info!(server.address = address, "Listening on {address}");
    let listener = listener.tap_io(|connection| {
        // A small reply must not wait for the next one. A connection that cannot be set is served all the same.
        let _ = connection.set_nodelay(true);
    });
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        outcome = serving => if let Err(error) = outcome { tracing::error!(%error, "The listener failed") },
        () = late => tracing::warn!("Requests were still in flight after {} s", DRAIN.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::{ServiceArgs, without_empty};
    use clap::CommandFactory;

    #[test]
    fn a_variable_that_is_set_to_nothing_is_not_looked_at() {
        let command = without_empty(ServiceArgs::command(), |name| match name.to_str() {
            Some("SEED" | "LISTEN_ADDR" | "MENU_URL") => Some("".into()),
            Some("REDIS_URL") => Some("redis://127.0.0.1".into()),
            _ => None,
        });
        let looks_at = |id: &str| command.get_arguments().find(|setting| setting.get_id() == id).unwrap().get_env().is_some();
        assert_eq!(["seed", "listen_addr", "menu_url"].map(looks_at), [false; 3]);
        assert_eq!(["redis_url", "cart_url", "data_dir"].map(looks_at), [true; 3]);
    }
}
