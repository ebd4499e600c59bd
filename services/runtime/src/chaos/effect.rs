//! What a variant does, read from its value.

use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// A fault may make people wait, but not for ever.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// As long as the pools of the databases let anybody wait.
const CONNECTION_WAIT_MS: u64 = 2_000;

/// Fields of chaos variants. A variant names those it needs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Effect {
    /// Share of requests that fail, 0-100.
    pub error_rate: Option<f64>,
    /// Wait of those that fail, before they fail, in milliseconds.
    delay_ms: u64,
    /// Status of those that fail.
    pub status: Option<u16>,
    /// Wait of all, in milliseconds.
    latency_ms: u64,
    /// Share of requests that wait longer, 0-100, and their further wait in milliseconds.
    pub tail_percent: f64,
    tail_ms: u64,
    /// The service, or its store, that is meant; absent means all.
    pub service: Option<String>,
    pub store: Option<String>,
    /// What happens to calls, when it is not what the flag's metadata says.
    pub effect: Option<String>,
    /// Log lines beside those that a request writes by itself.
    pub log_lines: u32,
    /// Connections to a database that are left; absent leaves all.
    pub connections: Option<u32>,
    /// How long each stays taken after its work, and how long others wait for one, in milliseconds.
    hold_ms: u64,
    wait_ms: Option<u64>,
    /// Threads that burn, and how much of a core each.
    pub threads: u32,
    pub percent: Option<u32>,
}

impl Effect {
    /// `None` when a field is of the wrong type: a fault that cannot be read is no fault.
    pub fn of(flag: &str, value: &Value) -> Option<Self> {
        match Self::deserialize(value) {
            Ok(effect) => Some(effect),
            Err(error) => {
                tracing::warn!(flag, %error, "The variant of {flag} cannot be read; it does nothing");
                None
            }
        }
    }

    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms).min(LONGEST_DELAY)
    }

    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms).min(LONGEST_DELAY)
    }

    /// How long a connection stays taken after its work.
    pub fn hold(&self) -> Duration {
        Duration::from_millis(self.hold_ms).min(LONGEST_DELAY)
    }

    /// How long a connection is waited for.
    pub fn wait(&self) -> Duration {
        Duration::from_millis(self.wait_ms.unwrap_or(CONNECTION_WAIT_MS)).min(LONGEST_DELAY)
    }

    /// Whether this service is meant.
    pub fn is_for(&self, service: &str) -> bool {
        self.service.as_deref().is_none_or(|meant| meant == service)
    }

    pub fn tail(&self) -> Duration {
        Duration::from_millis(self.tail_ms).min(LONGEST_DELAY)
    }
}
