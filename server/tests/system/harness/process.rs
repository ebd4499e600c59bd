//! One process of the product, real and on a real port.

use super::http::Http;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take until it is ready. It takes a tenth of a second on a machine that has nothing else to do.
const START_DEADLINE: Duration = Duration::from_secs(20);

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The end of a log that is shown when a test failed.
const TAIL_BYTES: usize = 6_000;

/// Where a binary of the product is.
pub fn binary(name: &str) -> PathBuf {
    let folder = match std::env::var_os("FEAST_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_BIN_EXE_server")).parent().unwrap().to_owned(),
    };
    let file = folder.join(name);
    assert!(file.is_file(), "{} is missing; `cargo xtask build` makes it", file.display());
    file
}

/// A command with nothing of the environment of whoever runs the tests.
pub fn clean_command(name: &str) -> Command {
    let mut command = Command::new(binary(name));
    command.env_clear().stdin(Stdio::null());
    command
}

pub struct Process {
    /// The service it is, or which of its replicas.
    pub name: &'static str,
    binary: &'static str,
    pub http: Http,
    settings: Vec<(&'static str, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    pub fn new(name: &'static str, http: Http, settings: Vec<(&'static str, String)>, log: PathBuf) -> Self {
        Self { name, binary: name, http, settings, log, child: None }
    }

    /// One of several of a program, under a name of its own.
    pub fn of(mut self, binary: &'static str) -> Self {
        self.binary = binary;
        self
    }

    pub fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let mut command = clean_command(self.binary);
        command.env("LOG_FORMAT", "json").envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until it answers that it is ready; `Err` with its log when it ended instead.
    pub async fn ready(&mut self) -> Result<(), String> {
        let started = Instant::now();
        loop {
            if let Ok(answer) = self.http.get("/ready").try_send().await
                && answer.status == 200
            {
                return Ok(());
            }
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                return Err(format!("{} ended before it was ready ({status}):\n{}", self.name, self.log()));
            }
            assert!(started.elapsed() < START_DEADLINE, "{} is not ready:\n{}", self.name, self.log());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub const fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// `kill -9`
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// `TERM` asks it to stop, as a supervisor does; `STOP` makes it hang until `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, deadline: Duration) -> ExitStatus {
        let asked = Instant::now();
        let mut child = self.child.take().unwrap();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if asked.elapsed() > deadline {
                let _ = child.kill();
                panic!("{} did not end within {deadline:?}:\n{}", self.name, self.log());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Everything it has written since it was first started.
    pub fn log(&self) -> String {
        let mut text = Vec::new();
        File::open(&self.log).unwrap().read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let mut from = log.len().saturating_sub(TAIL_BYTES);
            while !log.is_char_boundary(from) {
                from += 1;
            }
            eprintln!("--- the end of {}'s log\n{}", self.name, &log[from..]);
        }
    }
}
