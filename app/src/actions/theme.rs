//! `POST /theme`: `theme` (auto, light, dark), perhaps `return`; otherwise back to the page the form stands on.

use super::see;
use crate::cookies::Cookies;
use crate::extract::Sent;
use crate::visit::{Theme, Visit};
use axum::Extension;
use axum::response::Response;
use std::sync::Arc;

pub async fn choose(Extension(visit): Extension<Arc<Visit>>, Sent { fields, .. }: Sent) -> Response {
    let mut cookies = Cookies::default();
    cookies.theme(&visit, Theme::from_text(fields.get("theme")).unwrap_or_default());
    let here = if visit.path == "/theme" { "/" } else { &visit.path };
    see(&fields.back(here), &cookies)
}
