//! A service in this process, called as a tower service: same requests, same headers, same spans, no port and no socket.

use super::{NoResponse, Target};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use tower::ServiceExt;

pub struct Embedded {
    router: Router,
}

impl Embedded {
    pub fn new(router: Router) -> Self {
        Self { router }
    }
}

#[async_trait]
impl Target for Embedded {
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, NoResponse> {
        // As over a socket: what the caller's own router left on the request (matched path, its parameters) stays behind.
        request.extensions_mut().clear();
        self.router.clone().oneshot(request).await.map_err(|never| match never {})
    }
}
