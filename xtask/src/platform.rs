//! A platform of one's own: the release server on a free port with an empty data folder.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::process::command;
use crate::supervise::ask_to_stop;

const READY_DEADLINE: Duration = Duration::from_secs(30);
const STOP_DEADLINE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// For one question about readiness.
const ANSWER_DEADLINE: Duration = Duration::from_secs(2);

/// Known to whoever started the platform; it listens on loopback only.
pub const OPERATOR_TOKEN: &str = "operator-token-of-a-test-platform";

/// Settings of the caller's shell that would change what is run.
const NOT_INHERITED: [&str; 9] = [
    "DATABASE_URL",
    "FLAGS_SOURCE",
    "FLAGS_SYNC_ADDR",
    "INTERNAL_TOKEN",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "RATE_LIMIT",
    "REDIS_URL",
    "ROLE",
    "TRUSTED_PROXIES",
];

/// A running server. It does not outlive this value.
pub struct Platform {
    child: Child,
    address: SocketAddr,
    /// Where its data and its log are.
    dir: PathBuf,
}

impl Platform {
    /// Starts it, in an emptied folder of this name below the target folder, and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot be started, ends, or is not ready in time; the message names its log.
    pub fn start(paths: &Paths, name: &str) -> Result<Self> {
        let dir = paths.target.join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("data")).with_context(|| format!("{} cannot be made", dir.display()))?;
        let log = File::create(dir.join("server.log")).context("the server's log cannot be written")?;
        let errors = log.try_clone().context("the server's log cannot be shared")?;
        let address = free_address()?;
        let mut server = command(paths, paths.bin("server"));
        for name in NOT_INHERITED {
            server.env_remove(name);
        }
        for service in ["CART", "ORDER", "MIDDLEWARE", "MENU", "USER", "PAYMENT", "DELIVERY", "NOTIFICATION"] {
            server.env_remove(format!("{service}_URL"));
        }
        server
            .env("SITE_ADDR", address.to_string())
            .env("DATA_DIR", dir.join("data"))
            .env("OPERATOR_TOKEN", OPERATOR_TOKEN)
            .env("SEED", "1")
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        let child = server.spawn().with_context(|| format!("{} cannot be started", paths.short(&paths.bin("server"))))?;
        let mut platform = Self { child, address, dir };
        platform.wait_until_ready().with_context(|| format!("see {}", paths.short(&platform.dir.join("server.log"))))?;
        Ok(platform)
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let started = Instant::now();
        while !is_ready(self.address) {
            if let Some(status) = self.child.try_wait().context("the server cannot be waited for")? {
                bail!("the server ended before it was ready ({status})");
            }
            if started.elapsed() > READY_DEADLINE {
                bail!("the server was not ready within {} s", READY_DEADLINE.as_secs());
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Stops it as an operator would.
    ///
    /// # Errors
    /// When it does not stop in time, or not well.
    pub fn stop(mut self) -> Result<()> {
        ask_to_stop(&mut self.child);
        let asked = Instant::now();
        loop {
            match self.child.try_wait().context("the server cannot be waited for")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the server did not stop well ({status})"),
                None if asked.elapsed() > STOP_DEADLINE => {
                    bail!("the server did not stop within {} s", STOP_DEADLINE.as_secs())
                }
                None => thread::sleep(LOOK_EVERY),
            }
        }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on.
fn free_address() -> Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|probe| probe.local_addr()).context("no port is free")
}

/// Whether `/ready` answers 200.
fn is_ready(address: SocketAddr) -> bool {
    let answer = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_DEADLINE)?;
        stream.set_read_timeout(Some(ANSWER_DEADLINE))?;
        let question = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes())?;
        let mut start = [0; 12];
        stream.read_exact(&mut start)?;
        Ok(String::from_utf8_lossy(&start).into_owned())
    };
    answer().is_ok_and(|start| start == "HTTP/1.1 200")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    /// Answers one request with this text.
    fn one_answer(text: &'static str) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The whole question: closing before it is read would reset the connection.
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let _ = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).count();
            stream.write_all(text.as_bytes()).unwrap();
        });
        address
    }

    #[test]
    fn only_a_200_is_ready() {
        assert!(is_ready(one_answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")));
        assert!(!is_ready(one_answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")));
        assert!(!is_ready(one_answer("")));
        assert!(!is_ready(free_address().unwrap()));
    }
}
