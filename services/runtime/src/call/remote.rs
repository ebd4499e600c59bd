//! A service somewhere else, over HTTP/1.1 with kept-alive connections, at one or several addresses in turn.

use super::{NoResponse, Target};
use async_trait::async_trait;
use axum::body::Body;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Request, Response};
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

    fn next_address(&self) -> Option<&Authority> {
        self.addresses.get(self.turn.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1))
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
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, NoResponse> {
        let address = self.next_address().ok_or(NoResponse::NotSent)?;
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

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn an_address_that_cannot_be_used_is_named_with_its_variable() {
        assert!(authority("CART_URL", "http://cart:3003/").is_ok());
        for bad in ["cart:3003", "https://cart", "", "ftp://x"] {
            let message = authority("CART_URL", bad).unwrap_err();
            assert!(message.contains("CART_URL"), "{message}");
        }
    }
}
