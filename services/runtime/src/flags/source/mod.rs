//! Where flag definitions come from (`FLAGS_SOURCE`). A source that is down or broken leaves what it said last.

mod file;
mod flagd;

use super::client::Flags;
use super::control::FlagControl;
use crate::clock::SharedClock;
use opentelemetry::metrics::Meter;
use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The definitions compiled in, changed by operators only.
    Embedded,
    /// A file in flagd's format, watched.
    File(PathBuf),
    /// `host:port` of a flagd sync stream: the server's, or a real flagd's.
    Flagd(String),
}

impl FromStr for Source {
    type Err = String;

    /// `embedded` (or nothing), `file:PATH`, `flagd://HOST:PORT`. The error is one sentence that names the setting.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "embedded" {
            return Ok(Self::Embedded);
        }
        if let Some(path) = text.strip_prefix("file:").filter(|path| !path.is_empty()) {
            return Ok(Self::File(PathBuf::from(path)));
        }
        if let Some(authority) = text.strip_prefix("flagd://") {
            let has_port = authority.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            if has_port && !authority.contains('/') {
                return Ok(Self::Flagd(authority.to_owned()));
            }
        }
        Err(format!("FLAGS_SOURCE is {text:?}, but must be embedded, file:PATH or flagd://HOST:PORT"))
    }
}

impl Source {
    /// Starts to follow the source until `stop`; `None` when there is nothing to follow. `subscriber` is the name a flagd logs.
    pub fn follow(self, control: FlagControl, subscriber: &'static str, stop: CancellationToken) -> Option<JoinHandle<()>> {
        match self {
            Self::Embedded => None,
            Self::File(path) => Some(tokio::spawn(async move {
                stop.run_until_cancelled(file::follow(path, control)).await;
            })),
            Self::Flagd(authority) => Some(tokio::spawn(async move {
                stop.run_until_cancelled(flagd::follow(authority, control, subscriber)).await;
            })),
        }
    }
}

/// The flags of a process: a followed [`Source`], the control over it, and one client per service.
pub struct FlagSource {
    control: FlagControl,
    clients: Mutex<HashMap<&'static str, Flags>>,
}

impl FlagSource {
    /// Starts to follow what `FLAGS_SOURCE` says, `None` being embedded. Call it inside the async runtime.
    ///
    /// # Errors
    /// One sentence that names the setting.
    pub fn start(setting: Option<&str>, clock: SharedClock, stop: CancellationToken) -> Result<Self, String> {
        let source: Source = setting.unwrap_or_default().parse()?;
        let control = FlagControl::new(clock).map_err(|error| error.to_string())?;
        // Following ends with the token; nobody waits for it, because nothing it does needs finishing.
        drop(source.follow(control.clone(), crate::context::current().service, stop));
        Ok(Self { control, clients: Mutex::default() })
    }

    pub fn control(&self) -> &FlagControl {
        &self.control
    }

    /// The flags as `service` sees them: the same client every time. `meter` counts its evaluations and injections.
    pub fn for_service(&self, service: &'static str, meter: &Meter) -> Flags {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.entry(service).or_insert_with(|| Flags::for_service(&self.control, service, meter)).clone()
    }
}

/// Logs the beginning and the end of an outage, and nothing between.
struct Outage {
    source: String,
    down: bool,
}

impl Outage {
    fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), down: false }
    }

    fn failed(&mut self, error: &dyn std::fmt::Display) {
        if !self.down {
            tracing::warn!(flags.source = self.source, %error, "The flag source cannot be read; the last known values stay");
        }
        self.down = true;
    }

    fn worked(&mut self) {
        if self.down {
            tracing::info!(flags.source = self.source, "The flag source can be read again");
        }
        self.down = false;
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn a_source_is_read_from_its_setting() {
        for (text, source) in [
            ("", Source::Embedded),
            ("embedded", Source::Embedded),
            ("file:/etc/flags/feast.flagd.json", Source::File("/etc/flags/feast.flagd.json".into())),
            ("flagd://127.0.0.1:8015", Source::Flagd("127.0.0.1:8015".to_owned())),
            ("flagd://[::1]:8015", Source::Flagd("[::1]:8015".to_owned())),
        ] {
            assert_eq!(text.parse(), Ok(source), "{text}");
        }
        for text in ["file:", "flagd://", "flagd://host", "flagd://host:99999", "http://host:1", "flags.json"] {
            let error = text.parse::<Source>().unwrap_err();
            assert!(error.starts_with("FLAGS_SOURCE"), "{error}");
        }
    }
}
