//! A real PostgreSQL on a free port, gone when dropped or when the test's process ends, however it ends.
//!
//! A test that needs a database asks for one: `let url = testkit::postgres_database().await;`. Making one takes some ten milliseconds.
//! `cargo xtask test` starts one server for the whole run and names it in `TEST_POSTGRES_URL`. Without that each test process starts its
//! own, which takes a second or two; for a run by hand set the variable to any server where databases may be made.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::str::FromStr;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Far above what a start takes, so that a busy machine fails no test.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// A port that was free may be taken a moment later by somebody else.
const PORTS_TO_TRY: usize = 10;

/// Stops the server whose folder is `$1` and removes the folder, when its standard input ends: with the server's value, or with the
/// process. 3 is SIGQUIT, "immediate shutdown".
const KEEPER: &str = r#"
trap '' INT TERM HUP
cat > /dev/null
pid=$(head -n 1 "$1/data/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ] && kill -3 "$pid" 2> /dev/null; then
  left=100
  while [ $left -gt 0 ] && kill -0 "$pid" 2> /dev/null; do sleep 0.1; left=$((left - 1)); done
fi
rm -rf "$1"
"#;

/// Drops databases, named one a line, when its standard input ends. `$1` is `dropdb`, `$2` the server's address.
const DROPPER: &str = r#"
trap '' INT TERM HUP
names=
while read -r name; do names="$names $name"; done
for name in $names; do "$1" --force --if-exists --maintenance-db="$2" "$name"; done
"#;

pub struct PostgresServer {
    process: Child,
    port: u16,
    folder: PathBuf,
    user: Option<User>,
    durable: bool,
    keeper: Child,
    down: bool,
}

impl PostgresServer {
    /// Starts one and waits until it is ready. What it has answered survives `kill -9`, but not a crash of the machine: tests do not
    /// wait for the disk.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// The same, waiting for the disk at every commit.
    pub fn start_durable() -> Self {
        Self::start_with(true)
    }

    #[expect(clippy::zombie_processes, reason = "a start that fails ends the test, and the keeper outlives it on purpose")]
    fn start_with(durable: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("feast-postgres-").tempdir().unwrap().keep();
        let keeper = shell(KEEPER).arg(&folder).stdin(Stdio::piped()).spawn().unwrap();
        let user = instead_of_root(&folder);
        initialise(&folder, user);
        for _ in 0..PORTS_TO_TRY {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut process = spawn(&folder, user, port, durable);
            if is_ready(&mut process, &folder) {
                return Self { process, port, folder, user, durable, keeper, down: false };
            }
        }
        panic!("postgres ends at once on each of {PORTS_TO_TRY} ports: {}", log(&folder));
    }

    /// The address of its first database. Tests make their own: [`PostgresServer::database`].
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// A new, empty database.
    pub async fn database(&self) -> String {
        create_database(&self.url()).await
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.down = true;
    }

    /// Starts it again on the same port, with what it has on disk.
    pub fn restart(&mut self) {
        let end = Instant::now() + START_DEADLINE;
        loop {
            self.process = spawn(&self.folder, self.user, self.port, self.durable);
            if is_ready(&mut self.process, &self.folder) {
                self.down = false;
                return;
            }
            // What is left of its last run has to notice first that it is over.
            assert!(Instant::now() < end, "postgres does not start again on port {}: {}", self.port, log(&self.folder));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if self.down {
            // It names a process that may be another one by now.
            let _ = fs::remove_file(self.folder.join("data/postmaster.pid"));
        }
        drop(self.keeper.stdin.take());
        if !self.down {
            let _ = self.process.wait();
        }
        let _ = self.keeper.wait();
    }
}

/// A new, empty database on the server of `TEST_POSTGRES_URL`, or else on one that this process starts. It is dropped when the process
/// ends.
#[expect(clippy::zombie_processes, reason = "the dropper outlives the test on purpose")]
pub async fn postgres_database() -> String {
    static OURS: OnceLock<PostgresServer> = OnceLock::new();
    static DROPPING: Mutex<Option<ChildStdin>> = Mutex::new(None);
    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else {
        let ours = tokio::task::spawn_blocking(|| OURS.get_or_init(PostgresServer::start)).await.unwrap();
        return ours.database().await;
    };
    let url = create_database(&server).await;
    let mut dropping = DROPPING.lock().unwrap();
    let to = dropping.get_or_insert_with(|| {
        let mut dropper = shell(DROPPER).arg(program("dropdb")).arg(&server).stdin(Stdio::piped()).spawn().unwrap();
        dropper.stdin.take().unwrap()
    });
    writeln!(to, "{}", url.rsplit('/').next().unwrap()).unwrap();
    url
}

async fn create_database(server: &str) -> String {
    let options = sqlx::postgres::PgConnectOptions::from_str(server).unwrap().disable_statement_logging();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (address, _) = server.rsplit_once('/').expect("TEST_POSTGRES_URL names a database: postgres://user@127.0.0.1:5432/postgres");
    format!("{address}/{name}")
}

/// A script that goes on when this process is stopped with its whole group.
fn shell(script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).stdout(Stdio::null()).stderr(Stdio::null());
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell
}

/// User and group.
type User = (u32, u32);

/// PostgreSQL refuses to run as root: then it runs as the user that Debian makes for it, or as nobody, and the folder becomes theirs.
fn instead_of_root(folder: &Path) -> Option<User> {
    use std::os::unix::fs::{MetadataExt, chown};
    if fs::metadata(folder).unwrap().uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let named = |name: &str| -> Option<User> {
        let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    let user = named("postgres").or_else(|| named("nobody")).expect("there is a user to run PostgreSQL as");
    chown(folder, Some(user.0), Some(user.1)).unwrap();
    Some(user)
}

fn run_as(command: &mut Command, user: Option<User>) {
    use std::os::unix::process::CommandExt;
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
}

/// A program of the PostgreSQL server. Debian keeps them out of PATH, one folder a version.
fn program(name: &str) -> PathBuf {
    let named = std::env::var_os("FEAST_POSTGRES_BIN").map(PathBuf::from);
    let on_path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    named
        .into_iter()
        .chain(on_path)
        .chain(versions)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} of PostgreSQL cannot be found; `cargo xtask setup` installs it"))
}

fn initialise(folder: &Path, user: Option<User>) {
    // Sorted as people do, and not by bytes: what depends on the order of bytes has to say so.
    let try_with = |locale: &[&str]| {
        let mut initdb = Command::new(program("initdb"));
        initdb.args(["--no-sync", "--no-instructions", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        initdb.args(locale).arg("-D").arg(folder.join("data")).current_dir(folder);
        run_as(&mut initdb, user);
        initdb.output().unwrap()
    };
    if try_with(&["--locale-provider=icu", "--icu-locale=en"]).status.success() {
        return;
    }
    // Before version 15, or built without ICU.
    let plain = try_with(&[]);
    assert!(plain.status.success(), "initdb: {}", String::from_utf8_lossy(&plain.stderr));
}

fn spawn(folder: &Path, user: Option<User>, port: u16, durable: bool) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let mut postgres = Command::new(program("postgres"));
    postgres.arg("-D").arg(folder.join("data")).args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
    let settings = ["max_connections=300", "shared_buffers=32MB", "dynamic_shared_memory_type=mmap", "deadlock_timeout=200ms"];
    let hasty = ["fsync=off", "full_page_writes=off"];
    for setting in settings.iter().chain(if durable { &[][..] } else { &hasty[..] }) {
        postgres.args(["-c", setting]);
    }
    run_as(&mut postgres, user);
    postgres.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// Waits until it says that it is ready; false when it ended instead.
fn is_ready(process: &mut Child, folder: &Path) -> bool {
    let end = Instant::now() + START_DEADLINE;
    let pid = process.id().to_string();
    loop {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        let state = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = state.lines();
        if lines.next() == Some(&pid) && lines.nth(6).is_some_and(|status| status.trim() == "ready") {
            return true;
        }
        assert!(Instant::now() < end, "postgres is not ready: {}", log(folder));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The last it said.
fn log(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("log")).unwrap_or_default();
    text.lines().rev().take(3).collect::<Vec<_>>().join("; ")
}
