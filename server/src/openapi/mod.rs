//! The API's description: `/api/openapi.json` for programs, `/api/docs` for people. Handlers describe themselves; here their descriptions
//! become one document under the public addresses, with what the table of `access.rs` says of each, once, when somebody asks first.

mod example;
mod handbook;
mod refusals;
mod shell;

use crate::access::{self, Found};
use crate::{accounts, console, events, gateway, incidents, ledger, live, load, reset, telemetry};
use app::handbook::Handbook;
use app::visit::Visit;
use axum::Extension;
use axum::Router;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::sync::{Arc, LazyLock};
use utoipa::openapi::path::Operation;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// In the order of the page: whom they are for, and what they are about.
const TAGS: &[(&str, &str)] = &[
    ("Menu", "Restaurants and what they serve. Everybody may read."),
    ("Cart", "A cart is of one restaurant. Whoever has its id may change it; it is gone after an hour without use."),
    ("Orders", "Prices of a cart, and orders. What a session ordered is its own, and becomes the account's when it logs in."),
    ("Accounts", "Sign up, log in and out, profile. A log-in is a cookie."),
    ("Restaurants", "For a restaurant's staff: board, menu, hours, stock."),
    ("Live", "Server-sent events: what a page needs to follow without asking."),
    ("Flags", "For operators: faults and product flags, and how long they are on."),
    (
        "Evaluation",
        "OFREP, the OpenFeature Remote Evaluation Protocol: flags for any OpenFeature SDK. Errors have the protocol's own form.",
    ),
    ("Operators", "What the console shows and does: ledger, stock, events, load, incidents, traces, logs."),
    ("Telemetry", "What other processes and browsers send."),
    ("Health", "What machines ask every second, of every process of the platform."),
    ("Description", "This document."),
];

/// The whole of it.
pub static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

static HANDBOOK: LazyLock<Handbook> = LazyLock::new(|| handbook::of(&DOCUMENT));

pub fn router() -> Router {
    routes().into()
}

fn routes() -> OpenApiRouter {
    OpenApiRouter::default().routes(routes!(json)).routes(routes!(page))
}

/// This document
#[utoipa::path(get, path = "/api/openapi.json", tag = "Description", operation_id = "getOpenApi",
    responses(
        (status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json"),
        (status = 304, description = "Nothing has changed since the answer with this `ETag`."),
    ))]
async fn json(headers: HeaderMap) -> Response {
    SERVED.reply(&headers)
}

/// This document, for people
#[utoipa::path(get, path = "/api/docs", tag = "Description", operation_id = "getDocs",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html")))]
async fn page(Extension(visit): Extension<Arc<Visit>>) -> Response {
    app::handbook::page(&visit, &HANDBOOK)
}

/// What each part of the platform says of itself.
fn parts() -> [OpenApi; 14] {
    [
        gateway::openapi(),
        accounts::openapi(),
        live::openapi(),
        runtime::flags::api::openapi(),
        runtime::flags::ofrep::openapi(),
        console::openapi(),
        ledger::openapi(),
        events::openapi(),
        reset::openapi(),
        load::openapi(),
        incidents::openapi(),
        telemetry::openapi(),
        runtime::health::openapi(),
        routes().into_openapi(),
    ]
}

fn document() -> OpenApi {
    let about = "Feast Flow, a food-ordering platform made to be broken on stage. Bodies are JSON in camelCase. Every error has one shape, \
        `{\"error\", \"code\", \"requestId\"}`; 429 and 503 carry `Retry-After`. A change with a cookie needs `Origin` or `Sec-Fetch-Site` \
        of our own pages; programs without cookies need neither.";
    let info = InfoBuilder::new()
        .title("Feast Flow")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(about))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()));
    let tags = TAGS.iter().map(|(name, about)| TagBuilder::new().name(*name).description(Some(*about)).build());
    let mut document = OpenApiBuilder::new().info(info.build()).tags(Some(tags)).components(Some(ComponentsBuilder::new().build())).build();
    for part in parts() {
        document.merge(part);
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            if let Found::Rule(rule) = access::find(&method, path) {
                refusals::complete(operation, &method, path, rule);
            }
        }
    }
    if let Some(components) = &mut document.components {
        refusals::describe(components);
    }
    document
}

/// What an address answers, by method.
fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let all = [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

static SERVED: LazyLock<Served> = LazyLock::new(|| Served::new(DOCUMENT.to_json().unwrap_or_default().into_bytes()));

/// A body that never changes, also packed.
struct Served {
    plain: Bytes,
    packed: Bytes,
    etag: String,
}

impl Served {
    fn new(plain: Vec<u8>) -> Self {
        let mut packer = GzEncoder::new(Vec::new(), Compression::best());
        // Writing to memory cannot fail; should it, the body goes out as it is.
        let packed = packer.write_all(&plain).and_then(|()| packer.finish()).unwrap_or_default();
        let etag = Sha256::digest(&plain).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self { plain: plain.into(), packed: packed.into(), etag }
    }

    fn reply(&self, headers: &HeaderMap) -> Response {
        let says = |name: HeaderName, word: &str| {
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains(word))
        };
        // Weak: packed and plain are the same document.
        let etag = format!("W/\"{}\"", self.etag);
        let common = [(ETAG, etag.as_str()), (CACHE_CONTROL, "no-cache"), (VARY, "accept-encoding")];
        if says(IF_NONE_MATCH, &self.etag) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let json = [(CONTENT_TYPE, "application/json")];
        if says(ACCEPT_ENCODING, "gzip") && !self.packed.is_empty() {
            return (common, json, [(CONTENT_ENCODING, "gzip")], self.packed.clone()).into_response();
        }
        (common, json, self.plain.clone()).into_response()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
