//! A service in this process, called as a tower service: same requests, same headers, same spans, no port and no socket.

use super::{NoResponse, Target};
use crate::chaos::Chaos;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use tower::ServiceExt;

pub struct Embedded {
    service: &'static str,
    router: Router,
    chaos: Chaos,
}

impl Embedded {
    pub fn new(service: &'static str, router: Router, chaos: Chaos) -> Self {
        Self { service, router, chaos }
    }
}

#[async_trait]
impl Target for Embedded {
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Body>, NoResponse> {
        // Kubernetes takes a service that is not ready out of rotation; without sockets, this is the same seen from the caller.
        if !self.chaos.readiness(self.service).await {
            return Err(NoResponse::NotSent);
        }
        // As over a socket: what the caller's own router left on the request (matched path, its parameters) stays behind.
        request.extensions_mut().clear();
        self.router.clone().oneshot(request).await.map_err(|never| match never {})
    }
}
