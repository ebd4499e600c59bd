//! From a view to a response.

use crate::cookies::Cookies;
use crate::islands;
use crate::ui::layout;
use crate::visit::Visit;
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderValue, StatusCode};
use leptos::prelude::*;
use leptos::reactive::owner::Owner;
use leptos::tachys::view::Position;

/// Everything about a page except its body.
pub struct Meta {
    pub title: String,
    pub description: String,
    pub status: StatusCode,
    pub cookies: Cookies,
    /// Seconds, for 429 and 503.
    pub retry_after_s: Option<u32>,
    /// The page asks for itself again after so many seconds, where no script does something better.
    pub refresh_s: Option<u32>,
}

impl Meta {
    pub fn new(title: impl Into<String>, description: impl Into<String>) -> Self {
        let status = StatusCode::OK;
        Self {
            title: title.into(),
            description: description.into(),
            status,
            cookies: Cookies::default(),
            retry_after_s: None,
            refresh_s: None,
        }
    }
}

/// Larger than most pages, so that a page is written without growing its buffer.
const PAGE_BYTES: usize = 24_576;

/// Renders `body` inside the shop's frame, in one synchronous pass: whatever it shows must be loaded already.
pub fn page<V: IntoView>(visit: &Visit, mut meta: Meta, body: impl FnOnce() -> V) -> Response {
    let owner = Owner::new_root(None);
    let html = owner.with(|| {
        provide_context(islands::Badge(visit.cart_count));
        provide_context(islands::News(visit.notice.map_or("", |notice| notice.text())));
        // Body and frame are written one after the other and not as one view: a type-erased body (`into_any`) would copy every
        // attribute first, which took a third of the time.
        let main = write(body());
        write(layout::document(visit, &meta, main))
    });
    owner.unset_with_forced_cleanup();

    if visit.notice.is_some() {
        meta.cookies.forget_notice(visit);
    }
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = meta.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("cookie, accept"));
    if let Some(seconds) = meta.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    meta.cookies.write(headers);
    response
}

fn write(view: impl IntoView) -> String {
    let mut html = String::with_capacity(PAGE_BYTES);
    view.into_view().to_html_with_buf(&mut html, &mut Position::FirstChild, true, false, Vec::new());
    html
}
