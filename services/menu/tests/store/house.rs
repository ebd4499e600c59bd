//! A menu service to be tried.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use contract::event::Event;
use http_body_util::BodyExt;
use menu::NAME;
use menu::store::SCHEMA;
use runtime::Platform;
use runtime::args;
use runtime::clock::ManualClock;
use runtime::config::Settings;
use runtime::events::{Events, append};
use runtime::http::headers;
use runtime::store::sql::{Apply, Connection, Database, GroupCommit, Row, Schema};
use serde_json::Value;
use std::time::Duration;
use tempfile::TempDir;
use tower::ServiceExt;

pub const COFFEE: &str = "/api/restaurants/cosmic-coffee";
pub const SOON: Duration = Duration::from_secs(20);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    Nobody,
    Customer,
    StaffOf(&'static str),
    Courier,
    Operator,
}

pub const STAFF: Who = Who::StaffOf("cosmic-coffee");

pub struct House {
    pub platform: Platform,
    pub clock: ManualClock,
    pub url: String,
    router: Router,
    _folder: Option<TempDir>,
}

impl House {
    pub async fn in_memory() -> Self {
        Self::on("sqlite::memory:", None, None).await
    }

    pub async fn in_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("menu.db").display());
        Self::on(&url, None, Some(folder)).await
    }

    pub async fn in_postgres() -> Self {
        Self::on(&testkit::postgres_database().await, None, None).await
    }

    /// One of perhaps several replicas.
    pub async fn on(url: &str, redis: Option<String>, folder: Option<TempDir>) -> Self {
        let settings = Settings { database_url: Some(url.to_owned()), redis_url: redis, seed: Some(1), ..Settings::default() };
        let (platform, clock) = testkit::platform_with(settings);
        let service = menu::build(&platform).await.unwrap();
        Self { router: service.router, platform, clock, url: url.to_owned(), _folder: folder }
    }

    /// What a new process finds.
    pub async fn restarted(self) -> Self {
        assert!(self.platform.finish(SOON).await);
        Self::on(&self.url, None, self._folder).await
    }

    /// Another connection to what the service writes.
    pub async fn rows(&self, sql: &'static str) -> Vec<Row> {
        Database::open(&self.url, NAME, &SCHEMA).await.unwrap().all(sql, args![]).await.unwrap()
    }

    /// Status and body; `Null` when there is none.
    pub async fn ask(&self, who: Who, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path);
        let mut named = |role: &str, user: &str| {
            let headers = request.headers_mut().unwrap();
            headers.insert(headers::ROLE, role.parse().unwrap());
            headers.insert(headers::USER, user.parse().unwrap());
        };
        match who {
            Who::Nobody => {}
            Who::Customer => named("customer", "u-customer"),
            Who::Courier => named("courier", "u-courier"),
            Who::Operator => named("operator", "u-operator"),
            Who::StaffOf(restaurant) => {
                named("restaurant", "u-staff");
                request = request.header(headers::STAFF_OF, restaurant);
            }
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() })
    }

    /// What everybody sees.
    pub async fn see(&self, path: &str) -> Value {
        let (status, body) = self.ask(Who::Nobody, "GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// What staff of the coffee bar write, and it works.
    pub async fn write(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(STAFF, method, path, Some(body)).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Status and code of a refusal.
    pub async fn refusal(&self, who: Who, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
        let (status, answer) = self.ask(who, method, path, body).await;
        (status, answer["code"].as_str().unwrap_or_default().to_owned())
    }

    /// Tells the service of these events as the order service would.
    pub async fn tell(&self, events: Vec<Event>) {
        const NOTHING: Schema = Schema { sqlite: &[], postgres: &[] };
        let orders = Database::in_memory("order", &NOTHING).await.unwrap();
        let told = Events::start(&self.platform, "order", &orders).await.unwrap();
        self.platform.open_bus();
        GroupCommit::start(&orders, Tell).submit(events).await.unwrap();
        told.wake();
    }
}

struct Tell;

#[async_trait::async_trait]
impl Apply for Tell {
    type Job = Vec<Event>;
    type Done = ();

    async fn apply(&self, transaction: &mut Connection<'_>, jobs: &[Vec<Event>]) -> Result<Vec<()>, sqlx::Error> {
        for events in jobs {
            append(transaction, events).await?;
        }
        Ok(vec![(); jobs.len()])
    }
}
