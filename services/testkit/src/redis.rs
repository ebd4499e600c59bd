//! A real redis-server on a free port, with the settings the product asks for, gone when dropped.

use crate::eventually;
use fred::prelude::*;
use runtime::store::redis::Redis;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Far above what a start takes, so that a busy machine fails no test.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// A port that was free may be taken a moment later by somebody else.
const PORTS_TO_TRY: usize = 10;

/// ARGV: milliseconds. Brings every key's end nearer; what would have ended by then is gone.
const PASS: &str = r"
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    left = left - tonumber(ARGV[1])
    if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
  end
end
return 1
";

pub struct RedisServer {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl RedisServer {
    /// Starts one and waits until it accepts connections.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..PORTS_TO_TRY {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut process = spawn(port, &folder);
            if accepts(&mut process, port) {
                return Self { process, port, folder };
            }
        }
        panic!("redis-server ends at once on each of {PORTS_TO_TRY} ports");
    }

    /// Starts one on a port that the caller has found free.
    pub fn start_on(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = spawn(port, &folder);
        assert!(accepts(&mut process, port), "redis-server ends at once on port {port}");
        Self { process, port, folder }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub async fn connect(&self) -> Redis {
        Redis::connect(&self.url()).await.unwrap()
    }

    /// Lets time pass for everything that has a time to live.
    pub async fn pass(&self, by: Duration) {
        let redis = self.connect().await;
        let _: i64 = redis.pool().next().eval(PASS, Vec::<String>::new(), vec![by.as_millis().to_string()]).await.unwrap();
        redis.pool().quit().await.unwrap();
    }

    /// Waits until everything that was answered is in the append-only file. Redis may hold a write back while the file is being
    /// synchronised.
    pub async fn written(&self) {
        let redis = self.connect().await;
        eventually("the append-only file is written", START_DEADLINE, || async {
            let info: String =
                redis.pool().next().eval("return redis.call('INFO', 'persistence')", Vec::<String>::new(), ()).await.unwrap();
            info.lines().any(|line| line.trim() == "aof_buffer_length:0")
        })
        .await;
        redis.pool().quit().await.unwrap();
    }

    /// `STOP` makes it hang until `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same port, with what its append-only file holds.
    pub fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder);
        assert!(accepts(&mut self.process, self.port), "redis-server does not start again on port {}", self.port);
    }
}

/// Writes one key, past everything that should guard it.
pub async fn redis_set(redis: &Redis, key: &str, value: &str) {
    redis.pool().next().set::<(), _, _>(key, value, None, None, false).await.unwrap();
}

fn spawn(port: u16, folder: &TempDir) -> Child {
    let program = std::env::var("FEAST_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    Command::new(&program)
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
            "--maxmemory-policy",
            "noeviction",
            "--dir",
        ])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{program} cannot be started ({error}); `cargo xtask setup` installs it"))
}

/// Waits until it accepts connections; false when it ended instead.
fn accepts(process: &mut Child, port: u16) -> bool {
    let end = Instant::now() + START_DEADLINE;
    loop {
        if process.try_wait().unwrap().is_some() {
            return false;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        assert!(Instant::now() < end, "redis-server does not accept connections");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
