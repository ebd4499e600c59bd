//! The project's commands: `cargo xtask <command>`.
//!
//! Every command is idempotent: what is already there is used, what is missing is made. Progress goes to
//! standard error, one `==>` line a stage; each command closes with a table of its stages and durations.
#![allow(clippy::print_stdout, reason = "a command line program talks on standard output")]

mod bench;
mod build;
mod cache;
mod chaos;
mod counts;
mod demo;
mod deps_cache;
mod frontend;
mod lint;
mod load;
mod node;
mod paths;
mod platform;
mod postgres;
mod process;
mod rehearse;
mod report;
mod rust_tools;
mod setup;
mod soak;
mod supervise;
mod system;
mod test;
mod text_rules;
mod trial;
mod verify_flags;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::paths::Paths;

#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", about = "The commands of Feast Flow", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what building and testing need: wasm target, pinned tools, npm packages, system packages
    ///
    /// Tools go to a cache that every clone of this user shares ($XDG_CACHE_HOME/feast-flow, usually
    /// ~/.cache/feast-flow). redis-server, Chromium and PostgreSQL, which only tests use, are installed by apt-get
    /// where that is possible without a password.
    Setup,
    /// Build everything and open the shop on http://127.0.0.1:3000
    Demo {
        /// Arguments for the server, after `--` (see `target/release/server --help`)
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Build the browser part and all binaries, in release
    Build,
    /// Run every test: format, Rust tests, browser tests, load smoke
    ///
    /// Later stages run even if an earlier one fails. The last line is `N passed, N failed`, over all of them.
    Test {
        /// Only tests whose name contains this text; stages that have no tests of that kind are left out
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
    },
    /// Run the browser tests in real Chromium against the release server
    E2e {
        /// Only tests whose name matches this text
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
    },
    /// Put load on a running platform with the load generator
    Load {
        /// Where the platform listens
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
        host: String,
        /// Arguments for the load generator, after `--` (see `target/release/loadgen --help`)
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Measure the release server against its budgets: rates, times, memory, bytes
    ///
    /// Builds, starts a server for each measurement, prints a table and writes it to target/bench. Run it on a machine that does
    /// nothing else. A missed budget is no failure; wrong replies and missing orders are.
    Bench {
        /// Shorter times: for a look, not for a record
        #[arg(long)]
        quick: bool,
        /// Only measurements whose name begins so; can be repeated (see `target/release/bench --help`)
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
        /// Connections keep their cookies as browsers do, instead of being somebody new with each request
        #[arg(long)]
        cookies: bool,
        /// Only this: whether calls cost as little with a million stored orders as with a thousand, on SQLite and on PostgreSQL
        #[arg(long)]
        scale: bool,
        /// Only this: whether the telemetry store stays under its bound, and memory where it is, during ten minutes of checkouts
        #[arg(long, conflicts_with = "scale")]
        soak: bool,
        /// How long that load goes on
        #[arg(long, value_name = "NUMBER", default_value_t = 10, requires = "soak")]
        minutes: u32,
    },
    /// Show the console in real Chromium while 1 000, then 10 000 spans a second come in, and see what the browser holds
    ///
    /// The heap after everything that can go is gone, nodes, listeners, long tasks, gaps between frames, the time a refresh takes;
    /// printed and written to target/bench/browser.md. What grows fails it. The tests run it short.
    Soak {
        /// How long 10 000 spans a second go on
        #[arg(long, default_value_t = 5)]
        minutes: u32,
    },
    /// Let customers order while processes are killed, Redis stands still and PostgreSQL begins anew
    ///
    /// Afterwards every accepted order must be there, once, and the ledger must balance: split on a real Redis and a real PostgreSQL,
    /// and embedded on its SQLite files. The tests run it short.
    Chaos {
        /// How long the storm lasts
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// Customers who order at once
        #[arg(long, default_value_t = 50)]
        users: u64,
        /// Seed of what is left to chance, to repeat a storm
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Flip every flag under load and see whether the platform proves it, and whether it is gone afterwards
    ///
    /// Every variant of every flag, in one process and on nine, one after the other: an hour. A flag that is not proven, an effect
    /// that stays, books that do not agree, and a proof of a flag that did nothing fail it. The tests run it short.
    VerifyFlags {
        /// One variant of each flag, in one process: three minutes
        #[arg(long)]
        quick: bool,
        /// Only flags of this name; can be repeated
        #[arg(long, value_name = "FLAG")]
        only: Vec<String>,
    },
    /// Play every incident script live, with load, and see whether it shows what it says
    ///
    /// One after the other: half an hour. A flip that is not proven while its script plays, a flag that stays on, and books that do not
    /// agree afterwards fail it.
    Rehearse {
        /// Only scripts of this name; can be repeated
        #[arg(long, value_name = "SCRIPT")]
        only: Vec<String>,
    },
    /// Check formatting, lints and text rules, without changing anything
    Lint,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let paths = Paths::find()?;
    match command {
        Command::Setup => setup::command(&paths),
        Command::Demo { args } => demo::command(&paths, &args),
        Command::Build => build::command(&paths),
        Command::Test { filter } => test::command(&paths, filter.as_deref()),
        Command::E2e { filter } => test::e2e_command(&paths, filter.as_deref()),
        Command::Load { host, args } => load::command(&paths, &host, &args),
        Command::Bench { quick, only, cookies, scale, soak, minutes } => {
            bench::command(&paths, &bench::Wanted { quick, only, cookies, scale, soak_minutes: soak.then_some(minutes) })
        }
        Command::Soak { minutes } => soak::command(&paths, minutes),
        Command::Chaos { seconds, users, seed } => chaos::command(&paths, &chaos::Wanted { seconds, users, seed }),
        Command::Rehearse { only } => rehearse::command(&paths, &only),
        Command::VerifyFlags { quick, only } => verify_flags::command(&paths, &verify_flags::Wanted { quick, only }),
        Command::Lint => lint::command(&paths),
    }
}
