//! One Redis connection pool per process.

use super::StoreError;
use crate::boot::BootError;
use async_trait::async_trait;
use fred::prelude::*;
use fred::types::config::UnresponsiveConfig;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

use crate::health::Probe;

/// fred pipelines, so that few connections carry much.
const CONNECTIONS: usize = 4;

/// A command that takes longer has failed. Shorter than any caller waits, so that he hears what is down and not that time is over.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);

/// Commands waiting in one connection; beyond, the caller is told at once.
const MAX_WAITING_COMMANDS: usize = 10_000;

/// How long a process that starts waits for Redis.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// And how long until it looks again.
const START_RETRY: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Redis(Pool);

impl Redis {
    /// # Errors
    /// One sentence that names `REDIS_URL` when the address is wrong or nobody answers.
    pub async fn connect(url: &str) -> Result<Self, BootError> {
        let config = Config::from_url(url)
            .map_err(|_| BootError::Config("REDIS_URL is not an address such as redis://127.0.0.1:6379".to_owned()))?;
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let pool = pool(config.clone())?;
            match timeout_at(deadline, pool.init()).await {
                Ok(Ok(_)) => return Ok(Self(pool)),
                // A Redis that is starting, or reading its append-only file, is waited for.
                Ok(Err(_)) if Instant::now() + START_RETRY < deadline => {
                    let _ = pool.quit().await;
                    sleep(START_RETRY).await;
                }
                _ => return Err(unreachable_redis()),
            }
        }
    }

    pub fn pool(&self) -> &Pool {
        &self.0
    }

    /// A client that is connected.
    ///
    /// # Errors
    /// None is. Said at once: a command would wait for the connection until its time is over, and so would whoever asked.
    pub fn client(&self) -> Result<&Client, StoreError> {
        let client = self.0.next_connected();
        if client.is_connected() { Ok(client) } else { Err(StoreError::Unavailable("Redis is not connected".to_owned())) }
    }

    /// A connection of its own for commands that wait up to `wait`: in the pool they would hold up everybody else's. Not connected yet.
    ///
    /// # Errors
    /// None is expected; the settings are those of the pool.
    pub fn alone(&self, wait: Duration) -> Result<Client, StoreError> {
        let mut builder = Builder::from_config(self.0.next().client_config());
        configure(&mut builder, wait);
        Ok(builder.build()?)
    }
}

/// `wait`: how long commands may wait on purpose.
fn configure(builder: &mut Builder, wait: Duration) {
    builder
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_secs(2);
            connection.internal_command_timeout = COMMAND_TIMEOUT;
            connection.max_command_buffer_len = MAX_WAITING_COMMANDS;
            connection.max_command_attempts = 1;
            connection.tcp.nodelay = Some(true);
            connection.unresponsive =
                UnresponsiveConfig { max_timeout: Some(Duration::from_secs(3) + wait), interval: Duration::from_secs(1) };
        })
        .with_performance_config(|performance| performance.default_command_timeout = COMMAND_TIMEOUT + wait)
        // For ever, 50 ms to 1 s apart: a Redis that comes back is used again within two seconds.
        .set_policy(ReconnectPolicy::new_exponential(0, 50, 1_000, 2));
}

fn pool(config: Config) -> Result<Pool, BootError> {
    let mut builder = Builder::from_config(config);
    configure(&mut builder, Duration::ZERO);
    builder.build_pool(CONNECTIONS).map_err(|_| unreachable_redis())
}

fn unreachable_redis() -> BootError {
    BootError::Config("REDIS_URL names a Redis that does not answer; start it or correct the address".to_owned())
}

#[async_trait]
impl Probe for Redis {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), String> {
        let silent = || "Redis does not answer".to_owned();
        self.client().map_err(|_| silent())?.ping::<()>(None).await.map_err(|_| silent())
    }
}
