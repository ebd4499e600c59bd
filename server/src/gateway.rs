//! `/api/…` passed on to the service that answers it. Bodies stream; the gateway's own client span is the parent of what follows.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::header::{AUTHORIZATION, CONNECTION, COOKIE, TRANSFER_ENCODING, UPGRADE};
use http::uri::PathAndQuery;
use http::{HeaderName, Method, Uri};
use runtime::Platform;
use runtime::boot::BootError;
use runtime::call::{ServiceClient, policy};
use runtime::http::{HttpError, headers};
use std::sync::Arc;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// Public address, service, and what is taken off the front before it is passed on.
const ROUTES: &[(&str, &str, &str)] = &[
    ("/api/menu", "menu", ""),
    ("/api/menu/{id}", "menu", ""),
    ("/api/restaurants", "menu", ""),
    ("/api/restaurants/{id}", "menu", ""),
    ("/api/restaurants/{id}/menu", "menu", ""),
    ("/api/cart", "cart", "/api"),
    ("/api/cart/{id}", "cart", "/api"),
    ("/api/cart/{id}/items", "cart", "/api"),
    ("/api/cart/{id}/items/{itemId}", "cart", "/api"),
    ("/api/quotes", "order", ""),
    ("/api/orders", "order", ""),
    ("/api/orders/{id}", "order", ""),
    ("/api/customers", "order", ""),
    ("/api/customers/{name}/orders", "order", ""),
];

/// What only operators may reach.
const OPERATOR_ROUTES: &[(&str, &str, &str)] =
    &[("/api/inventory", "middleware", "/api"), ("/api/inventory/{itemId}", "middleware", "/api")];

#[derive(Clone)]
struct Passage {
    client: Arc<ServiceClient>,
    prefix: &'static str,
}

pub fn router(platform: &Platform) -> Result<Router, BootError> {
    passages(platform, ROUTES)
}

pub fn operator_router(platform: &Platform) -> Result<Router, BootError> {
    passages(platform, OPERATOR_ROUTES)
}

fn passages(platform: &Platform, routes: &'static [(&str, &'static str, &'static str)]) -> Result<Router, BootError> {
    let mut router = Router::new();
    for (path, service, prefix) in routes {
        let passage = Passage { client: platform.client(crate::NAME, service)?, prefix };
        router = router.route(path, any(pass).with_state(passage));
    }
    Ok(router)
}

/// The rule of the call-policy table a public call travels under. Placing an order has a name of its own: faults aim at it.
fn call_name(method: &Method, path: &str) -> &'static str {
    match (method.as_str(), path) {
        ("POST", "/api/orders") => "order.place",
        _ => "gateway.proxy",
    }
}

async fn pass(State(passage): State<Passage>, mut request: Request) -> Response {
    let policy = policy(call_name(request.method(), request.uri().path()));
    if let Some(shorter) = request.uri().path_and_query().map(PathAndQuery::as_str).and_then(|path| path.strip_prefix(passage.prefix)) {
        match Uri::try_from(shorter) {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => {
                return HttpError(contract::ApiError::new(contract::Code::NotFound, "there is nothing at this address")).into_response();
            }
        }
    }
    // What is between the browser and us ends here.
    for name in [COOKIE, AUTHORIZATION, CONNECTION, KEEP_ALIVE, TRANSFER_ENCODING, UPGRADE] {
        request.headers_mut().remove(name);
    }
    match passage.client.send(policy, request).await {
        Ok(mut response) => {
            for name in [CONNECTION, KEEP_ALIVE, TRANSFER_ENCODING, headers::REQUEST_ID] {
                response.headers_mut().remove(name);
            }
            response
        }
        Err(error) => HttpError(error).into_response(),
    }
}
