//! A store with a clock of its own, and spans in a line.

use contract::Timestamp;
use contract::telemetry::Level;
use observe::model::{Kind, Log, Measure, Point, Span, Value};
use observe::{Intake, Limits, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// When tests begin: a whole minute.
pub const START_MS: i64 = 1_763_631_000_000;

pub struct World {
    pub store: Store,
    pub intake: Intake,
    now_ms: Arc<AtomicI64>,
}

impl World {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let clock = now_ms.clone();
        let (store, intake) = Store::start(limits, move || Timestamp::from_millis(clock.load(Ordering::SeqCst))).unwrap();
        Self { store, intake, now_ms }
    }

    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub fn advance(&self, by: Duration) {
        self.now_ms.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
    }

    pub fn settle(&self) {
        assert!(self.store.settle(Duration::from_secs(60)), "the store did not settle");
    }

    pub fn take(&self, spans: impl IntoIterator<Item = Span>) {
        self.intake.spans(spans.into_iter().collect());
        self.settle();
    }

    pub fn log(&self, logs: impl IntoIterator<Item = Log>) {
        self.intake.logs(logs.into_iter().collect());
        self.settle();
    }

    pub fn point(&self, points: impl IntoIterator<Item = Point>) {
        self.intake.points(points.into_iter().collect());
        self.settle();
    }
}

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// A root span of `server` that began at the start and took 10 ms.
pub fn span(trace: u128, id: u64) -> Span {
    Span {
        trace,
        id,
        parent: None,
        service: "server".into(),
        name: "GET /menu".into(),
        kind: Kind::Server,
        start_ns: START_MS as u64 * 1_000_000,
        end_ns: (START_MS as u64 + 10) * 1_000_000,
        failed: false,
        message: "".into(),
        attributes: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

pub fn text(key: &str, value: &str) -> (Arc<str>, Value) {
    (key.into(), Value::Text(value.into()))
}

pub trait Change: Sized {
    fn of(self, service: &str, name: &str, kind: Kind) -> Self;
    fn under(self, parent: u64) -> Self;
    /// When it began, since the start of the test, and how long it took.
    fn lasting(self, from: i64, took: u64) -> Self;
    fn with(self, key: &str, value: &str) -> Self;
    fn status(self, status: i64) -> Self;
    fn failed(self) -> Self;
}

impl Change for Span {
    fn of(mut self, service: &str, name: &str, kind: Kind) -> Self {
        (self.service, self.name, self.kind) = (service.into(), name.into(), kind);
        self
    }
    fn under(mut self, parent: u64) -> Self {
        self.parent = Some(parent);
        self
    }
    fn lasting(mut self, from: i64, took: u64) -> Self {
        self.start_ns = (START_MS + from) as u64 * 1_000_000;
        self.end_ns = self.start_ns + took * 1_000_000;
        self
    }
    fn with(mut self, key: &str, value: &str) -> Self {
        self.attributes.push(text(key, value));
        self
    }
    fn status(mut self, status: i64) -> Self {
        self.attributes.push(("http.response.status_code".into(), Value::Int(status)));
        self
    }
    fn failed(mut self) -> Self {
        self.failed = true;
        self
    }
}

pub fn log(level: Level, service: &str, message: &str) -> Log {
    Log {
        at_ns: START_MS as u64 * 1_000_000,
        level,
        service: service.into(),
        message: message.into(),
        trace: None,
        span: None,
        attributes: Vec::new(),
    }
}

pub fn point(name: &str, service: &str, second: i64, measure: Measure) -> Point {
    Point {
        service: service.into(),
        name: name.into(),
        unit: "1".into(),
        attributes: Vec::new(),
        at_ns: (START_MS + second * 1_000) as u64 * 1_000_000,
        measure,
    }
}
