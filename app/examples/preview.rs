//! The pages on fake services, for looking at them while the design changes: `cargo run -p app --features ssr --example preview`.
//! Styles and scripts come from the folder named by the first argument.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a tool for development")]

#[path = "../tests/common/mod.rs"]
mod common;

use axum::Router;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::get;

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/site".to_owned());
    let menus = std::env::args().nth(2).map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    let fake = common::Fake::new(menus.unwrap_or_else(common::menus));
    let asset = move |Path(name): Path<String>| {
        let kind = match name.rsplit('.').next() {
            Some("css") => "text/css",
            Some("js") => "text/javascript",
            Some("svg") => "image/svg+xml",
            _ => "application/wasm",
        };
        let found = std::fs::read(format!("{folder}/{name}"));
        async move { found.map(|bytes| ([("content-type", kind)], bytes)).map_err(|_| http::StatusCode::NOT_FOUND).into_response() }
    };
    let router: Router = fake.router(std::env::var("OPERATOR").is_ok_and(|value| !value.is_empty())).route("/pkg/abc/{name}", get(asset));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3900").await.unwrap();
    println!("http://127.0.0.1:3900");
    axum::serve(listener, router).await.unwrap();
}
