//! Styles, scripts and pictures, from memory, compressed, immutable.

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use memory_serve::CacheControl;

/// Where they are: `/pkg/` and a hash of them all.
pub const BASE: &str = env!("FEAST_ASSETS");

pub fn router() -> Router {
    let files = memory_serve::load!().index_file(None).cache_control(CacheControl::Long).into_router();
    let icon = || async { Redirect::permanent(&format!("{BASE}/favicon.svg")) };
    Router::new().nest(BASE, files).route("/favicon.ico", get(icon)).route("/favicon.svg", get(icon))
}
