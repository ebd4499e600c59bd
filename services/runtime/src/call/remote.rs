//! A service somewhere else, over HTTP/1.1 with kept-alive connections, at one or several addresses in turn. An address that nobody
//! listens at is passed over.

use super::{NoResponse, Target};
use async_trait::async_trait;
use axum::body::Body;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A machine that does not answer a SYN in this time is down.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

pub struct Remote {
    client: Client<HttpConnector, Body>,
    addresses: Vec<Authority>,
    turn: AtomicUsize,
}

impl Remote {
    /// # Errors
    /// What is wrong with which address.
    pub fn new(variable: &str, urls: &[String]) -> Result<Self, String> {
        let addresses = urls.iter().map(|url| authority(variable, url)).collect::<Result<Vec<_>, _>>()?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(Duration::from_secs(20)).build(connector);
        Ok(Self { client, addresses, turn: AtomicUsize::new(0) })
    }

    async fn send_to(&self, address: &Authority, mut request: Request<Body>) -> Result<Response<Body>, NoResponse> {
        let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(address.clone()).path_and_query(path).build();
        *request.uri_mut() = uri.map_err(|_| NoResponse::NotSent)?;
        match self.client.request(request).await {
            Ok(response) => Ok(response.map(Body::new)),
            Err(error) if error.is_connect() => Err(NoResponse::NotSent),
            Err(_) => Err(NoResponse::Unreachable),
        }
    }
}

fn authority(variable: &str, url: &str) -> Result<Authority, String> {
    let wrong = || format!("{variable} must list addresses such as http://127.0.0.1:3003, not {url:?}");
    let uri: Uri = url.trim().trim_end_matches('/').parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some("http"), Some(authority)) => Ok(authority.clone()),
        _ => Err(wrong()),
    }
}

#[async_trait]
impl Target for Remote {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, NoResponse> {
        if let [only] = self.addresses.as_slice() {
            return self.send_to(only, request).await;
        }
        // Kept whole, because the next address needs it, too. What we send is small.
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| NoResponse::NotSent)?.to_bytes();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut outcome = Err(NoResponse::NotSent);
        for n in 0..self.addresses.len() {
            let address = &self.addresses[turn.wrapping_add(n) % self.addresses.len()];
            outcome = self.send_to(address, Request::from_parts(parts.clone(), Body::from(body.clone()))).await;
            if !matches!(outcome, Err(NoResponse::NotSent)) {
                break;
            }
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::{Remote, authority};
    use crate::call::{NoResponse, Target};
    use axum::Router;
    use axum::body::Body;
    use axum::routing::post;
    use http::Request;
    use http_body_util::BodyExt;
    use tokio::net::TcpListener;

    async fn url(listener: &TcpListener) -> String {
        format!("http://{}", listener.local_addr().unwrap())
    }

    #[tokio::test]
    async fn an_address_that_nobody_listens_at_is_passed_over_and_nothing_is_sent_twice() {
        let (dead, alive) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let remote = Remote::new("CART_URL", &[url(&dead).await, url(&alive).await]).unwrap();
        let nobody = Remote::new("CART_URL", &[url(&dead).await, url(&dead).await]).unwrap();
        drop(dead);
        let echo = Router::new().route("/cart", post(async |text: String| text));
        tokio::spawn(async move { axum::serve(alive, echo).await });
        for n in 0..4 {
            let request = || Request::post("/cart").body(Body::from(format!("order {n}"))).unwrap();
            let response = remote.send(request()).await.unwrap();
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), format!("order {n}"));
            assert!(matches!(nobody.send(request()).await, Err(NoResponse::NotSent)));
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_named_with_its_variable() {
        assert!(authority("CART_URL", "http://cart:3003/").is_ok());
        for bad in ["cart:3003", "https://cart", "", "ftp://x"] {
            let message = authority("CART_URL", bad).unwrap_err();
            assert!(message.contains("CART_URL"), "{message}");
        }
    }
}
