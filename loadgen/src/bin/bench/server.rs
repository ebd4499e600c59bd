//! The real server, started as anybody would: everything embedded, an empty data folder, its log in a file.

use crate::bench::Bench;
use crate::connection::Connection;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It listens on loopback only and lives for a minute.
pub const OPERATOR_TOKEN: &str = "operator-token-of-a-bench";

const START_DEADLINE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// Settings of the caller's shell that would change what is measured.
const NOT_INHERITED: [&str; 20] = [
    "CART_URL",
    "DATABASE_URL",
    "DELIVERY_URL",
    "FLAGS_SOURCE",
    "FLAGS_SYNC_ADDR",
    "INTERNAL_TOKEN",
    "LOG_FORMAT",
    "MENU_URL",
    "MIDDLEWARE_URL",
    "NOTIFICATION_URL",
    "ORDER_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_SDK_DISABLED",
    "PAYMENT_URL",
    "REDIS_URL",
    "ROLE",
    "RUST_LOG",
    "TOKIO_WORKER_THREADS",
    "TRUSTED_PROXIES",
    "USER_URL",
];

/// Where a server keeps what it knows.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    pub data: &'a Path,
    /// Files in `data` without it.
    pub database_url: Option<&'a str>,
    /// Without traces, logs and metrics.
    pub silent: bool,
    pub extra: Extra<'a>,
}

/// Further settings, by the names of their variables.
pub type Extra<'a> = &'a [(&'a str, &'a str)];

/// A program that was started here. It does not outlive this value.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    /// Removed at the end.
    data: Option<PathBuf>,
}

impl Running {
    /// Starts a server and does not wait for it.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn spawn_server(program: &Path, out: &Path, name: &str) -> Result<Self> {
        Self::spawn_anew(program, out, name, false, &[])
    }

    fn spawn_anew(program: &Path, out: &Path, name: &str, silent: bool, extra: Extra<'_>) -> Result<Self> {
        let data = out.join(format!("data-{name}"));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let mut server = Self::spawn_on(program, out, name, Settings { data: &data, database_url: None, silent, extra })?;
        server.removes(&data);
        Ok(server)
    }

    /// Removes this folder when it is dropped.
    pub fn removes(&mut self, data: &Path) {
        self.data = Some(data.to_owned());
    }

    fn spawn_on(program: &Path, out: &Path, name: &str, settings: Settings<'_>) -> Result<Self> {
        let address = free_address()?;
        let mut command = clean(program);
        command
            .env("SITE_ADDR", address.to_string())
            .env("DATA_DIR", settings.data)
            .env("OPERATOR_TOKEN", OPERATOR_TOKEN)
            .env("SEED", "1")
            .env("RATE_LIMIT", "0")
            .envs(settings.extra.iter().copied());
        if let Some(url) = settings.database_url {
            command.env("DATABASE_URL", url);
        }
        if settings.silent {
            command.env("OTEL_SDK_DISABLED", "true");
        }
        Self::spawn(command, program, address, None, &out.join(format!("{name}.log")))
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// It cannot be started or is not ready in time.
    pub async fn server(program: &Path, out: &Path, name: &str) -> Result<Self> {
        Self::spawn_server(program, out, name)?.ready().await
    }

    /// The same, without telemetry.
    ///
    /// # Errors
    /// As [`Running::server`].
    pub async fn silent_server(program: &Path, out: &Path, name: &str) -> Result<Self> {
        Self::spawn_anew(program, out, name, true, &[])?.ready().await
    }

    /// A server that is told more.
    ///
    /// # Errors
    /// As [`Running::server`].
    pub async fn server_with(bench: &Bench, name: &str, extra: Extra<'_>) -> Result<Self> {
        Self::spawn_anew(&bench.server, &bench.out, name, false, extra)?.ready().await
    }

    /// A service in a process of its own, from the program beside the server's.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn service(bench: &Bench, service: &str, name: &str, extra: Extra<'_>) -> Result<Self> {
        let (address, program) = (free_address()?, bench.server.with_file_name(service));
        let data = bench.out.join(format!("data-{name}-{service}"));
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let mut command = clean(&program);
        command.env("LISTEN_ADDR", address.to_string()).env("DATA_DIR", &data).env("SEED", "1").envs(extra.iter().copied());
        Self::spawn(command, &program, address, Some(data), &bench.out.join(format!("{name}-{service}.log")))
    }

    /// # Errors
    /// None is free.
    pub fn free_port() -> Result<u16> {
        Ok(free_address()?.port())
    }

    /// The same on what is there, which stays there.
    ///
    /// # Errors
    /// As [`Running::server`].
    pub async fn server_on(program: &Path, out: &Path, name: &str, settings: Settings<'_>) -> Result<Self> {
        Self::spawn_on(program, out, name, settings)?.ready().await
    }

    async fn ready(mut self) -> Result<Self> {
        let mut connection = self.connect().await?;
        connection.get("/ready").await?.expect(200, "/ready")?;
        Ok(self)
    }

    /// Starts this program again as a server of one fixed reply, and waits until it listens.
    ///
    /// # Errors
    /// It cannot be started or does not listen in time.
    pub async fn static_reply(reply: &Path, log: &Path) -> Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it is")?;
        let address = free_address()?;
        let mut command = Command::new(&program);
        command.env_remove("TOKIO_WORKER_THREADS").arg("--static-reply").arg(reply).args(["--listen", &address.to_string()]);
        let mut running = Self::spawn(command, &program, address, None, log)?;
        running.connect().await?;
        Ok(running)
    }

    fn spawn(mut command: Command, program: &Path, address: SocketAddr, data: Option<PathBuf>, log: &Path) -> Result<Self> {
        let log = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let errors = log.try_clone().context("a log cannot be shared")?;
        let child = command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn();
        let child = child.with_context(|| format!("{} cannot be started; build it first", program.display()))?;
        Ok(Self { child, address, data })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Connects as soon as it listens.
    ///
    /// # Errors
    /// It ends, or does not listen in time.
    pub async fn connect(&mut self) -> Result<Connection> {
        let started = Instant::now();
        loop {
            if let Ok(connection) = Connection::open(self.address).await {
                return Ok(connection);
            }
            if let Some(status) = self.child.try_wait().context("the server cannot be waited for")? {
                bail!("the server ended ({status}); its log says why");
            }
            if started.elapsed() > START_DEADLINE {
                bail!("the server did not listen within {} s", START_DEADLINE.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(data) = &self.data {
            let _ = fs::remove_dir_all(data);
        }
    }
}

/// The program without what the caller's shell says.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    command
}

/// A port that nobody listens on.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|probe| probe.local_addr()).context("no port is free")
}
