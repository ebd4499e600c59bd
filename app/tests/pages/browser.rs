//! A browser without scripts.

use super::common::{self, Fake};
use app::features::SharedFeatures;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use contract::Code;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http_body_util::BodyExt;
use std::collections::BTreeMap;
use tower::ServiceExt;

/// Two soups for the cart.
pub const ADD: &str = "itemId=hot-soup&quantity=2&return=%2Frestaurants%2Fsoup-one";

/// It keeps cookies and follows nothing by itself.
pub struct Browser {
    pub fake: Fake,
    pub operator: bool,
    /// What the shop offers to this browser and not to all.
    pub features: Option<SharedFeatures>,
    pub cookies: BTreeMap<String, String>,
}

pub struct Seen {
    pub status: u16,
    pub to: String,
    pub html: String,
}

impl Seen {
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.html.contains(text), "{} does not say {text:?}:\n{}", self.status, self.html);
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }
}

impl Browser {
    pub fn new() -> Self {
        Self { fake: Fake::new(common::menus()), operator: false, features: None, cookies: BTreeMap::new() }
    }

    pub async fn send(&mut self, mut request: Request) -> Seen {
        let jar: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers_mut().insert(COOKIE, jar.join("; ").parse().unwrap());
        if let Some(features) = &self.features {
            request.extensions_mut().insert(features.clone());
        }
        let response: Response = self.fake.router(self.operator).oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.into(), value.into())
            };
        }
        let to = response.headers().get(LOCATION).map_or("", |to| to.to_str().unwrap()).to_owned();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Seen { status, to, html: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub async fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub async fn post_as(&mut self, path: &str, form: &str, accept: &str) -> Seen {
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").header(ACCEPT, accept);
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    pub async fn post(&mut self, path: &str, form: &str) -> Seen {
        self.post_as(path, form, "text/html").await
    }

    #[track_caller]
    pub fn world(&self) -> std::sync::MutexGuard<'_, common::World> {
        self.fake.0.lock().unwrap()
    }

    pub fn breaks(&self, call: &'static str, code: Code) {
        self.fake.0.lock().unwrap().broken.insert(call, code);
    }

    pub fn heals(&self) {
        self.fake.0.lock().unwrap().broken.clear();
    }
}
