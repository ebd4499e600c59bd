//! What a variant does, read from its value.

use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// A fault may make people wait, but not for ever.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

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

    pub fn tail(&self) -> Duration {
        Duration::from_millis(self.tail_ms).min(LONGEST_DELAY)
    }
}
