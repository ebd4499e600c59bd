//! `bench`: measures the real server against its budgets. `docs/bench.md` explains every row.
#![allow(clippy::print_stdout, reason = "a command line program talks on standard output")]

mod bench;
mod connection;
mod drive;
mod orders;
mod pages;
mod process;
mod processes;
mod scale;
mod server;
mod soak;
mod split;
mod static_reply;
mod table;
mod telemetry;

use crate::bench::{Bench, Found};
use crate::table::Table;
use anyhow::{Context, Result, bail};
use clap::Parser;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// In the order of the table.
const NAMES: [&str; 13] = [
    "start",
    "memory-idle",
    "memory-load",
    "page-weight",
    "menu-page",
    "assets",
    "menu-json",
    "cart-add",
    "checkout-1",
    "checkout-16",
    "checkout-64",
    "telemetry",
    "flip",
];

/// Exit code for arguments that are not right (sysexits.h).
const BAD_ARGUMENTS: u8 = 64;

/// Measures the server against its budgets, each measurement with a server of its own on an empty data folder.
///
/// A missed budget is not a failure: exit code 1 means that replies were wrong or orders are missing.
#[derive(Parser)]
#[command(name = "bench", version, max_term_width = 100)]
struct Args {
    /// The release binary to measure [default: `server` beside this program]
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,

    /// Folder for bench.json, bench.md, logs and data
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,

    /// Shorter times: for a look, not for a record
    #[arg(long)]
    quick: bool,

    /// Only measurements whose name begins so; can be repeated: start, memory-idle, memory-load, page-weight, menu-page, assets,
    /// menu-json, cart-add, checkout-1, checkout-16, checkout-64, telemetry, flip
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,

    /// Connections keep their cookies as browsers do, instead of being somebody new with each request
    #[arg(long)]
    cookies: bool,

    /// Only this: whether calls cost at most half as much again with very many stored orders as with a thousand
    #[arg(long)]
    scale: bool,

    /// How many orders are very many
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000_000, requires = "scale")]
    scale_rows: u32,

    /// Only this: whether the telemetry store stays under its bound, and memory where it is, while load goes on
    #[arg(long, conflicts_with = "scale")]
    soak: bool,

    /// How long it goes on
    #[arg(long, value_name = "NUMBER", default_value_t = 10, requires = "soak", value_parser = clap::value_parser!(u32).range(1..=240))]
    soak_minutes: u32,

    /// Checkouts a second
    #[arg(long, value_name = "NUMBER", default_value_t = 400, requires = "soak", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    soak_rate: u32,

    /// A PostgreSQL where databases may be made: measures it too, beside SQLite
    #[arg(long, value_name = "URL", requires = "scale")]
    postgres_url: Option<String>,

    /// Serve the reply in this file instead: the child that the menu page is compared with
    #[arg(long, value_name = "FILE", requires = "listen", hide = true)]
    static_reply: Option<PathBuf>,

    #[arg(long, value_name = "ADDRESS", hide = true)]
    listen: Option<SocketAddr>,
}

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(BAD_ARGUMENTS) } else { ExitCode::SUCCESS };
        }
    };
    match run(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<ExitCode> {
    if let (Some(file), Some(address)) = (&args.static_reply, args.listen) {
        // As many threads as the server has.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(static_reply::serve(file, address)).map(|()| ExitCode::SUCCESS);
    }
    // One thread: the client must leave the cores to what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            table = measure(args) => table.map(|table| if table.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
            stopped = stopped() => stopped,
        }
    })
}

/// Ends the run early; what was started ends with it.
async fn stopped() -> Result<ExitCode> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    #[cfg(unix)]
    let terminated = terminate.recv();
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated => {}
    }
    bail!("stopped before the end")
}

async fn measure(args: Args) -> Result<Table> {
    if let Some(unknown) = args.only.iter().find(|only| !NAMES.iter().any(|name| name.starts_with(only.as_str()))) {
        bail!("there is no measurement {unknown:?}; there are {}", NAMES.join(", "));
    }
    let server = match args.server {
        Some(server) => server,
        None => std::env::current_exe().context("this program does not know where it is")?.with_file_name("server"),
    };
    fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
    let bench = Bench { server, out: args.out, quick: args.quick, cookies: args.cookies };
    let mut table = Table { quick: args.quick, cookies: args.cookies, ..Table::default() };
    if args.soak {
        return soaked(&bench, soak::Wanted { minutes: args.soak_minutes, rate: args.soak_rate }).await;
    }
    if args.scale {
        for postgres in std::iter::once(None).chain(args.postgres_url.as_deref().map(Some)) {
            eprintln!("==> scale, {}", if postgres.is_some() { "PostgreSQL" } else { "SQLite" });
            match scale::measure(&bench, postgres, args.scale_rows).await {
                Ok(found) => {
                    table.rows.extend(found.rows);
                    table.faults.extend(found.faults);
                }
                Err(error) => table.faults.push(format!("scale: {error:#}")),
            }
        }
        return finished(&bench, table, "scale");
    }
    for name in NAMES.into_iter().filter(|name| args.only.is_empty() || args.only.iter().any(|only| name.starts_with(only.as_str()))) {
        eprintln!("==> {name}");
        // What cannot be measured is a fault of its own; the rest may still be of use.
        match one(&bench, name).await {
            Ok(found) => {
                table.rows.extend(found.rows);
                table.faults.extend(found.faults);
            }
            Err(error) => table.faults.push(format!("{name}: {error:#}; see {}", bench.out.join(format!("{name}.log")).display())),
        }
    }
    finished(&bench, table, "bench")
}

/// Writes the report and shows it.
fn finished(bench: &Bench, table: Table, report: &str) -> Result<Table> {
    write(bench, report, serde_json::to_vec_pretty(&table)?, table.markdown())?;
    println!("\n{}", table.terminal());
    Ok(table)
}

fn write(bench: &Bench, report: &str, json: Vec<u8>, markdown: String) -> Result<()> {
    for (file, content) in [(format!("{report}.json"), json), (format!("{report}.md"), markdown.into_bytes())] {
        let file = bench.out.join(file);
        fs::write(&file, content).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

async fn soaked(bench: &Bench, wanted: soak::Wanted) -> Result<Table> {
    eprintln!("==> soak, {} checkouts a second for {} minutes", wanted.rate, wanted.minutes);
    let soak = soak::measure(bench, wanted).await.with_context(|| format!("soak; see {}", bench.out.join("soak.log").display()))?;
    write(bench, "soak", soak.json()?, soak.markdown())?;
    println!("\n{}", soak.terminal());
    Ok(soak.table)
}

async fn one(bench: &Bench, name: &str) -> Result<Found> {
    match name {
        "start" => process::start(bench).await,
        "memory-idle" => process::memory_idle(bench).await,
        "memory-load" => process::memory_under_load(bench).await,
        "page-weight" => pages::weight(bench).await,
        "menu-page" => pages::menu_page(bench).await,
        "assets" => pages::assets(bench).await,
        "menu-json" => pages::menu_json(bench).await,
        "cart-add" => orders::cart_and_add(bench).await,
        "checkout-1" => orders::checkout(bench, 1).await,
        "checkout-16" => orders::checkout(bench, 16).await,
        "checkout-64" => orders::checkout(bench, 64).await,
        "telemetry" => telemetry::cost(bench).await,
        "flip" => process::flip(bench).await,
        other => bail!("there is no measurement {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }
}
