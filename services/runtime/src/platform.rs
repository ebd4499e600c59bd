//! What a process offers its services: time, chance, flags, stores, telemetry, and each other.

use crate::boot::BootError;
use crate::call::{ClientParts, Embedded, Remote, ServiceClient, Target};
use crate::chance::Chance;
use crate::chaos::Chaos;
use crate::clock::SharedClock;
use crate::config::Settings;
use crate::context;
use crate::events::Bus;
use crate::events::bus::{MemoryBus, RedisBus};
use crate::flags::{FlagControl, FlagSource, Flags};
use crate::health::{Probe, SharedProbe};
use crate::service::Service;
use crate::store::StoreGuard;
use crate::store::redis::Redis;
use crate::store::sql::{Database, Schema};
use crate::telemetry::metrics::MetricsHub;
use async_trait::async_trait;
use contract::client::SharedTransport;
use opentelemetry::metrics::Meter;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// One per process.
pub struct Platform {
    pub settings: Settings,
    pub clock: SharedClock,
    pub chance: Chance,
    pub metrics: Arc<MetricsHub>,
    /// Cancelled when the process is asked to stop.
    pub stop: CancellationToken,
    flags: FlagSource,
    tasks: TaskTracker,
    token: Option<Arc<str>>,
    redis: OnceCell<Redis>,
    bus: OnceCell<Arc<dyn Bus>>,
    embedded: Mutex<HashMap<&'static str, axum::Router>>,
}

impl Platform {
    pub fn new(settings: Settings, clock: SharedClock, metrics: Arc<MetricsHub>, flags: FlagSource, stop: CancellationToken) -> Self {
        let chance = settings.seed.map_or_else(Chance::from_entropy, Chance::seeded);
        let token = settings.internal_token.as_deref().map(Arc::from);
        Self {
            settings,
            clock,
            chance,
            metrics,
            stop,
            flags,
            tasks: TaskTracker::new(),
            token,
            redis: OnceCell::new(),
            bus: OnceCell::new(),
            embedded: Mutex::new(HashMap::new()),
        }
    }

    pub fn internal_token(&self) -> Option<Arc<str>> {
        self.token.clone()
    }

    pub fn meter(&self, service: &'static str) -> Meter {
        self.metrics.meter(service)
    }

    pub fn flags(&self, service: &'static str) -> Flags {
        self.flags.for_service(service, &self.meter(service))
    }

    /// What operators flip.
    pub fn flag_control(&self) -> &FlagControl {
        self.flags.control()
    }

    pub fn chaos(&self, service: &'static str) -> Chaos {
        Chaos::new(self.flags(service), self.chance.clone())
    }

    /// The guard of one store. `backend` is the semantic convention's name: "memory", "redis", "sqlite", "postgresql".
    pub fn guard(&self, service: &'static str, store: &'static str, backend: &'static str) -> StoreGuard {
        StoreGuard::new(service, store, backend, self.chaos(service), &self.meter(service))
    }

    /// The Redis of `REDIS_URL`, connected once; `None` when it is not set.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn redis(&self) -> Result<Option<Redis>, BootError> {
        match &self.settings.redis_url {
            None => Ok(None),
            Some(url) => self.redis.get_or_try_init(|| Redis::connect(url)).await.cloned().map(Some),
        }
    }

    /// What carries events between services: Redis when `REDIS_URL` is set, otherwise this process' memory.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn bus(&self) -> Result<Arc<dyn Bus>, BootError> {
        let made = async || match self.redis().await? {
            Some(redis) => Ok(Arc::new(RedisBus::new(redis)) as Arc<dyn Bus>),
            None => Ok(Arc::new(MemoryBus::default()) as Arc<dyn Bus>),
        };
        self.bus.get_or_try_init(made).await.cloned()
    }

    /// Every service of this process is built. Until then the bus in memory keeps all events, for a service that is built last.
    pub fn open_bus(&self) {
        if let Some(bus) = self.bus.get() {
            bus.open();
        }
    }

    /// The database of a service, with its schema in place: its part of `DATABASE_URL`, or else a SQLite file of its own in `DATA_DIR`.
    ///
    /// # Errors
    /// It cannot be opened, does not answer, or the address is for a database that is not supported.
    pub async fn database(&self, service: &'static str, schema: &Schema) -> Result<Database, BootError> {
        match self.settings.database_url.as_deref() {
            None => Database::open_file(&self.settings.data_dir.join(format!("{service}.db")), schema).await,
            Some(url) => Database::open(url, service, schema).await,
        }
    }

    /// Makes a service callable in this process.
    pub fn embed(&self, service: &Service) {
        self.lock().insert(service.name, service.router.clone());
    }

    /// A client of `service` for `caller`: over HTTP when its `*_URL` is set, in this process when it is embedded.
    ///
    /// # Errors
    /// It is neither, or an address is wrong.
    pub fn client(&self, caller: &'static str, service: &'static str) -> Result<Arc<ServiceClient>, BootError> {
        let variable = format!("{}_URL", service.to_uppercase());
        let addresses = self.settings.addresses(service);
        let target: Box<dyn Target> = if addresses.is_empty() {
            let router = self.lock().get(service).cloned();
            let router = router.ok_or_else(|| BootError::Config(format!("{variable} is not set: {caller} needs the {service} service")))?;
            Box::new(Embedded::new(router))
        } else {
            Box::new(Remote::new(&variable, addresses).map_err(BootError::Config)?)
        };
        let token = self.token.as_deref().and_then(|token| http::HeaderValue::try_from(token).ok());
        let parts = ClientParts { caller, service, token, clock: self.clock.clone(), chaos: self.chaos(caller), meter: self.meter(caller) };
        Ok(Arc::new(ServiceClient::new(target, parts)))
    }

    /// The same, for a typed client.
    ///
    /// # Errors
    /// As [`Platform::client`].
    pub fn transport(&self, caller: &'static str, service: &'static str) -> Result<SharedTransport, BootError> {
        Ok(self.client(caller, service)?)
    }

    /// Runs background work of a service; the process waits for it when it stops.
    pub fn spawn(&self, service: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(context::scope(context::background(service), work));
    }

    /// The same, for those who start work later.
    pub(crate) fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }

    /// Repeats `work` every `period` until the process stops. Its failures are its own to log.
    pub fn every<F, W>(&self, service: &'static str, period: Duration, mut work: F)
    where
        F: FnMut() -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let stop = self.stop.clone();
        self.spawn(service, async move {
            let mut ticks = tokio::time::interval(period);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = ticks.tick() => work().await,
                }
            }
        });
    }

    /// Ends background work; false when the deadline passed first.
    pub async fn finish(&self, deadline: Duration) -> bool {
        self.stop.cancel();
        self.tasks.close();
        tokio::time::timeout(deadline, self.tasks.wait()).await.is_ok()
    }

    /// Shows whether a remote service answers; being down makes nobody else unready.
    pub fn remote_probe(&self, caller: &'static str, service: &'static str) -> Option<SharedProbe> {
        if self.settings.addresses(service).is_empty() {
            return None;
        }
        let client = self.client(caller, service).ok()?;
        Some(Arc::new(RemoteProbe(client)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, axum::Router>> {
        self.embedded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct RemoteProbe(Arc<ServiceClient>);

#[async_trait]
impl Probe for RemoteProbe {
    fn name(&self) -> &'static str {
        self.0.service()
    }

    async fn check(&self) -> Result<(), String> {
        let request = http::Request::get("/ready").body(axum::body::Body::empty()).map_err(|error| error.to_string())?;
        match self.0.send(crate::call::policy("health.ready"), request).await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(_) => Err("says it is not ready".to_owned()),
            Err(error) => Err(error.message),
        }
    }

    fn required(&self) -> bool {
        false
    }
}
