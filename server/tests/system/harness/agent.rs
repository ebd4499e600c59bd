//! A load generator beside the platform, and the books after it.

use super::process::clean_command;
use super::{OPERATOR_TOKEN, Platform};
use serde_json::json;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at the books.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// A load generator that follows the platform; it ends with its value.
pub struct Agent(Child);

impl Agent {
    /// `users` as long as nobody asks for others.
    pub async fn start(platform: &Platform, users: u32) -> Self {
        let mut agent = clean_command("loadgen");
        agent.args(["--agent", "--host", platform.http.base(), "--operator-token", OPERATOR_TOKEN]);
        let agent = Self(agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        platform.http.put("/api/load", json!({"users": users})).operator().send().await.expect(200);
        agent
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the ledger balances.
///
/// # Errors
/// It does not within this time; says how it stands.
pub async fn balanced(platform: &Platform, within: Duration) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let answer = platform.http.get("/api/ledger").operator().try_send().await;
        let ledger = answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.json()).unwrap_or_default();
        if ledger["balanced"] == true {
            return Ok(());
        }
        if began.elapsed() > within {
            return Err(format!("the ledger is out of balance: {ledger}"));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
