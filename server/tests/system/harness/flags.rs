//! Flipping flags the way an operator does.

use super::http::Answer;
use super::platform::Platform;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::eventually;

/// A change reaches every process in under a second.
const SPREADS_WITHIN: Duration = Duration::from_secs(1);

/// What a process logs when its source told it something new.
const TOLD: &str = "The flag source changed";

impl Platform {
    /// Flips a flag for everybody; returns when every process has it.
    pub async fn flip(&self, key: &str, variant: &str) {
        self.flip_as(key, json!({"variant": variant})).await;
    }

    /// Flips a flag with time to live or audience.
    pub async fn flip_as(&self, key: &str, flip: Value) {
        self.change_flags(self.http.put(&format!("/api/flags/{key}"), flip).operator()).await.expect(200);
    }

    pub async fn clear(&self, key: &str) {
        self.change_flags(self.http.delete(&format!("/api/flags/{key}")).operator()).await.expect(200);
    }

    async fn change_flags(&self, ask: super::Ask) -> Answer {
        let before = self.definitions().await;
        let told = self.told();
        let answer = ask.send().await;
        if self.definitions().await != before {
            self.told_since(told).await;
        }
        answer
    }

    /// How often each process of a service has heard of a change.
    pub fn told(&self) -> Vec<(&'static str, usize)> {
        self.running_services().into_iter().map(|service| (service, self.times_told(service))).collect()
    }

    /// Waits until each has heard of one more.
    pub async fn told_since(&self, told: Vec<(&'static str, usize)>) {
        for (service, times) in told {
            let what = format!("{service} hears of a change of flags");
            eventually(&what, SPREADS_WITHIN, async || self.times_told(service) > times).await;
        }
    }

    async fn definitions(&self) -> String {
        self.http.get("/api/flags/definitions").operator().send().await.body
    }

    fn times_told(&self, service: &str) -> usize {
        self.log_of(service).matches(TOLD).count()
    }
}
