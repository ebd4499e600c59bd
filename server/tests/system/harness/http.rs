//! Speaking to a process from outside, the way programs do ([`Http`]) and the way browsers do ([`Browser`]).

use super::OPERATOR_TOKEN;
use contract::id::path_segment;
use reqwest::header::HeaderMap;
use reqwest::{Body, Client, Method, RequestBuilder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Longer than any answer of ours may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program's client of one process: no cookies, no redirects.
#[derive(Clone)]
pub struct Http {
    client: Client,
    base: String,
}

impl Http {
    pub fn new(port: u16) -> Self {
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build().unwrap();
        Self { client, base: format!("http://127.0.0.1:{port}") }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// `host:port`, as a browser names it in `Host` and `Origin`.
    pub fn authority(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Ask(self.client.request(method, format!("{}{path}", self.base)))
    }

    pub fn get(&self, path: &str) -> Ask {
        self.ask("GET", path)
    }

    pub fn delete(&self, path: &str) -> Ask {
        self.ask("DELETE", path)
    }

    pub fn post(&self, path: &str, body: Value) -> Ask {
        self.ask("POST", path).json(&body)
    }

    pub fn put(&self, path: &str, body: Value) -> Ask {
        self.ask("PUT", path).json(&body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Ask {
        self.ask("PATCH", path).json(&body)
    }
}

/// A request about to be sent.
pub struct Ask(RequestBuilder);

impl Ask {
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub fn operator(self) -> Self {
        self.header("authorization", &format!("Bearer {OPERATOR_TOKEN}"))
    }

    /// As the load generator marks its traffic.
    pub fn synthetic(self) -> Self {
        self.header("x-feast-synthetic", "true")
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub fn body(self, body: impl Into<Body>) -> Self {
        Self(self.0.body(body))
    }

    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// An answer that goes on for longer than anybody waits for one: its head is there, its body comes.
    pub async fn open(self) -> reqwest::Response {
        self.0.timeout(PATIENCE * 3).send().await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let started = Instant::now();
        let response = self.0.send().await?;
        let (status, headers, path) = (response.status().as_u16(), response.headers().clone(), response.url().path().to_owned());
        let body = String::from_utf8_lossy(&response.bytes().await?).into_owned();
        Ok(Answer { status, headers, path, body, took: started.elapsed() })
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    path: String,
    pub body: String,
    pub took: Duration,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{}: {error}: {}", self.path, self.body))
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.path, self.body);
        self.json()
    }

    /// `code` of the one error shape; empty for everything else.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The one error shape, whole, with this status and code. `note` says which case it was.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, note: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{note}: {}: {}", self.path, self.body);
        let body = self.json();
        let mut fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "error", "requestId"], "{note}");
        assert!(body["error"].as_str().is_some_and(|text| text.len() > 5), "{note}: {body}");
        let request = body["requestId"].as_str().unwrap_or_default();
        assert!(!request.is_empty() && request == self.header("x-request-id"), "{note}: {body} {:?}", self.headers);
        assert_eq!(self.header("content-type"), "application/json", "{note}");
        if matches!(status, 429 | 503) {
            assert!(self.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{note}: {:?}", self.headers);
        }
    }

    /// A designed page with this status: ours from head to foot, and nothing raw in it.
    #[track_caller]
    pub fn page(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}: {}", self.path, self.body);
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8", "{}", self.path);
        assert!(self.body.starts_with("<!DOCTYPE html>") && self.body.contains("<main id=\"main\""), "{}: {}", self.path, self.body);
        for raw in ["panicked", "Connection refused", "os error", "127.0.0.1", "redis", "sqlite", "hyper"] {
            assert!(!self.body.contains(raw), "{} says {raw:?}", self.path);
        }
        &self.body
    }
}

/// Keeps cookies, and says of its forms where they come from.
pub struct Browser {
    http: Http,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub fn new(http: &Http) -> Self {
        Self { http: http.clone(), cookies: Mutex::default() }
    }

    /// The same browser, as the load balancer sends it to another process.
    pub fn moved(&self, http: &Http) -> Self {
        Self { http: http.clone(), cookies: Mutex::new(self.cookies.lock().unwrap().clone()) }
    }

    pub fn ask(&self, method: &str, path: &str) -> Ask {
        let cookies: Vec<String> = self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let ask = self.http.ask(method, path).header("accept", "text/html,application/xhtml+xml");
        let ask = if method == "GET" { ask } else { ask.header("sec-fetch-site", "same-origin") };
        if cookies.is_empty() { ask } else { ask.header("cookie", &cookies.join("; ")) }
    }

    pub async fn send(&self, ask: Ask) -> Answer {
        let answer = ask.send().await;
        self.keep_cookies(&answer);
        answer
    }

    /// `None` when nothing came back.
    pub async fn try_send(&self, ask: Ask) -> Option<Answer> {
        let answer = ask.try_send().await.ok()?;
        self.keep_cookies(&answer);
        Some(answer)
    }

    fn keep_cookies(&self, answer: &Answer) {
        let mut cookies = self.cookies.lock().unwrap();
        for set in answer.headers.get_all("set-cookie") {
            let (pair, attributes) = set.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.ask("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.ask("POST", path).json(&body)).await
    }

    /// Sends a form, and goes where its answer leads.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", path_segment(name), path_segment(value))).collect();
        let ask = self.ask("POST", path).header("content-type", "application/x-www-form-urlencoded").body(fields.join("&"));
        let answer = self.send(ask).await;
        match answer.status {
            303 => self.get(answer.header("location")).await,
            _ => answer,
        }
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}
