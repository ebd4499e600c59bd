//! One PostgreSQL for a run of the tests: each test makes a database on it, instead of a server.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::process::{command, line};

/// Far above what a start takes, so that a busy machine fails no run.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// A port that was free may be taken a moment later by somebody else.
const PORTS_TO_TRY: usize = 10;

/// Stops the server whose folder is `$1` and removes the folder, when its standard input ends: with the run, however that ends. 3 is
/// SIGQUIT, "immediate shutdown".
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

/// A server for tests; what it stores does not outlive it.
pub struct Server {
    process: Child,
    keeper: Child,
    port: u16,
}

impl Server {
    /// Starts one from the programs in `bin` and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be made or does not start; the message is its own last word.
    pub fn start(paths: &Paths, bin: &Path) -> Result<Self> {
        // Not in the repository: the server may run as a user who cannot look into it.
        let folder = env::temp_dir().join(format!("feast-flow-postgres-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let mut keeper = command(paths, "sh");
        keeper.args(["-c", KEEPER, "sh"]).arg(&folder).stdin(Stdio::piped());
        let keeper = own_group(&mut keeper).spawn().context("`sh` cannot be started")?;
        let user = instead_of_root(&folder)?;

        let mut initdb = Command::new(bin.join("initdb"));
        initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]);
        initdb.arg(folder.join("data"));
        // Sorted as people do: what depends on the order of bytes has to say so. Older or smaller servers cannot.
        let sorted = output(initdb_like(&initdb, &["--locale-provider=icu", "--icu-locale=en"]), &folder, user);
        if sorted.is_err() {
            output(initdb, &folder, user)?;
        }
        for _ in 0..PORTS_TO_TRY {
            let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("no port is free")?.port();
            let mut process = spawn(bin, &folder, user, port)?;
            if is_ready(&mut process, &folder)? {
                return Ok(Self { process, keeper, port });
            }
        }
        bail!("postgres ends at once on each of {PORTS_TO_TRY} ports: {}", last_words(&folder));
    }

    /// Where tests may make databases.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.process.wait();
        let _ = self.keeper.wait();
    }
}

/// User and group.
type User = (u32, u32);

/// PostgreSQL refuses to run as root: then it runs as the user that Debian makes for it, or as nobody, and the folder becomes theirs.
#[cfg(unix)]
fn instead_of_root(folder: &Path) -> Result<Option<User>> {
    use std::os::unix::fs::{MetadataExt, chown};
    if fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").context("/etc/passwd cannot be read")?;
    let user = named(&users, "postgres").or_else(|| named(&users, "nobody")).context("there is no user to run PostgreSQL as")?;
    chown(folder, Some(user.0), Some(user.1))?;
    Ok(Some(user))
}

#[cfg(not(unix))]
fn instead_of_root(_folder: &Path) -> Result<Option<User>> {
    Ok(None)
}

/// A user's numbers in the text of a passwd file.
fn named(users: &str, name: &str) -> Option<User> {
    let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name)?;
    Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
}

fn run_as(command: &mut Command, user: Option<User>) {
    #[cfg(unix)]
    if let Some((user, group)) = user {
        use std::os::unix::process::CommandExt;
        command.uid(user).gid(group);
    }
    #[cfg(not(unix))]
    let _ = (command, user);
}

/// Away from the terminal's Ctrl-C.
fn own_group(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

fn initdb_like(initdb: &Command, more: &[&str]) -> Command {
    let mut like = Command::new(initdb.get_program());
    like.args(initdb.get_args()).args(more);
    like
}

fn output(mut command: Command, folder: &Path, user: Option<User>) -> Result<()> {
    run_as(&mut command, user);
    let output =
        command.current_dir(folder).stdin(Stdio::null()).output().with_context(|| format!("`{}` cannot be started", line(&command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`initdb` failed: {}", said.lines().last().unwrap_or_default());
    }
    Ok(())
}

fn spawn(bin: &Path, folder: &Path, user: Option<User>, port: u16) -> Result<Child> {
    let log = fs::File::options().create(true).append(true).open(log_file(folder))?;
    let mut postgres = Command::new(bin.join("postgres"));
    postgres.arg("-D").arg(folder.join("data")).args(["-h", "127.0.0.1", "-k", "", "-p", &port.to_string()]);
    // Tests do not wait for the disk. Many test processes have pools.
    let settings =
        ["fsync=off", "full_page_writes=off", "max_connections=300", "dynamic_shared_memory_type=mmap", "deadlock_timeout=200ms"];
    for setting in settings {
        postgres.args(["-c", setting]);
    }
    run_as(&mut postgres, user);
    postgres.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    own_group(&mut postgres).spawn().with_context(|| format!("`{}` cannot be started", line(&postgres)))
}

/// Waits until it says that it is ready; false when it ended instead.
fn is_ready(process: &mut Child, folder: &Path) -> Result<bool> {
    let end = Instant::now() + START_DEADLINE;
    let pid = process.id().to_string();
    loop {
        if process.try_wait().context("postgres cannot be waited for")?.is_some() {
            return Ok(false);
        }
        let state = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap_or_default();
        let mut lines = state.lines();
        if lines.next() == Some(&pid) && lines.nth(6).is_some_and(|status| status.trim() == "ready") {
            return Ok(true);
        }
        if Instant::now() > end {
            bail!("postgres is not ready after {} s: {}", START_DEADLINE.as_secs(), last_words(folder));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn log_file(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn last_words(folder: &Path) -> String {
    fs::read_to_string(log_file(folder)).unwrap_or_default().lines().last().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(named(users, "postgres"), Some((101, 104)));
        assert_eq!(named(users, "nobody"), None);
    }

    #[test]
    fn a_server_is_ready_when_it_is_started_and_gone_when_it_is_dropped() {
        let Some(bin) = system::postgres_bin() else { return };
        let server = Server::start(&Paths::find().unwrap(), &bin).unwrap();
        assert!(server.url().starts_with("postgres://postgres@127.0.0.1:"));
        let port = server.port;
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        drop(server);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
        assert!(!env::temp_dir().join(format!("feast-flow-postgres-{}", std::process::id())).exists());
    }
}
