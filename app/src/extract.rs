//! What handlers take from a request. A request that cannot be read is answered by a designed page, never by a raw sentence.

use crate::problem::{self, Retry};
use crate::visit::{Visit, own_path};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::response::Response;
use contract::{ApiError, Code};
use http::header::ACCEPT;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

fn visit(extensions: &http::Extensions) -> Result<Arc<Visit>, Box<Response>> {
    extensions.get::<Arc<Visit>>().cloned().ok_or_else(|| {
        let mut response = Response::new("the server forgot to say who is visiting".into());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Box::new(response)
    })
}

/// The variable part of an address.
pub struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(match visit(&parts.extensions) {
                Ok(visit) => crate::not_found(&visit),
                Err(response) => *response,
            }),
        }
    }
}

/// The fields of a form or of a query, in their order.
#[derive(Clone, Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The value of a field, trimmed; empty when it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// Whether the field was sent at all, be it empty.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// The value of a field that was filled in.
    pub fn filled(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    }

    /// What was chosen of a dish's options, in their order: "Oat, Large". Its fields all begin with `choice`.
    pub fn choice(&self) -> Option<String> {
        let chosen: Vec<&str> = self
            .0
            .iter()
            .filter(|(name, value)| name.starts_with("choice") && !value.trim().is_empty())
            .map(|(_, value)| value.trim())
            .collect();
        (!chosen.is_empty()).then(|| chosen.join(", "))
    }

    /// # Errors
    /// `INVALID_QUANTITY` unless the field `quantity` is a whole number.
    pub fn quantity(&self) -> Result<i64, ApiError> {
        let error = || ApiError::new(Code::InvalidQuantity, "quantity must be a whole number from 1 to 10");
        self.get("quantity").parse().map_err(|_| error())
    }

    /// Where to go when the work is done: what the form says, or what the action says. Only addresses of our own.
    pub fn back(&self, otherwise: &str) -> String {
        own_path(self.get("return")).unwrap_or(otherwise).to_owned()
    }

    /// With this field, unless it is there already.
    pub fn and(&self, name: &str, value: &str) -> Self {
        let mut fields = self.0.clone();
        if self.get(name).is_empty() {
            fields.push((name.to_owned(), value.to_owned()));
        }
        Self(fields)
    }

    pub fn retry(&self, action: &str) -> Retry {
        Retry::Form { action: action.to_owned(), fields: self.0.clone() }
    }
}

/// Query of a page; one that cannot be read counts as absent.
pub struct Asked(pub Fields);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Query::try_from_uri(&parts.uri).map(|Query(fields)| Fields(fields)).unwrap_or_default()))
    }
}

/// A form that was sent, and how its sender wants the answer.
pub struct Sent {
    pub fields: Fields,
    pub wants: Wants,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// A redirect to the next page.
    Page,
    /// JSON when it went well. What went wrong is a page still when the sender takes HTML too, as islands do.
    Json { page_on_error: bool },
}

impl Wants {
    fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        let html = accept.contains("text/html");
        if accept.trim_start().starts_with("application/json") { Self::Json { page_on_error: html } } else { Self::Page }
    }
}

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let visit = visit(request.extensions()).map_err(|response| *response)?;
        let wants = Wants::of(request.headers());
        match Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(Form(fields)) => Ok(Self { fields: Fields(fields), wants }),
            Err(rejection) => Err(problem::answer(&visit, &unreadable(&rejection), Retry::No, wants)),
        }
    }
}

fn unreadable(rejection: &FormRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::new(Code::BodyTooLarge, "the form is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::new(Code::UnsupportedMediaType, "a form is expected"),
        _ => ApiError::new(Code::InvalidBody, "the form could not be read"),
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn a_form_leads_back_to_our_own_pages_only() {
        let back = |to: &str| Fields(vec![("return".into(), to.into())]).back("/cart");
        assert_eq!(back("/restaurants/cosmic-coffee?x=1#a"), "/restaurants/cosmic-coffee?x=1#a");
        for elsewhere in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a b", "javascript:1", "/a\r\nSet-Cookie:x"] {
            assert_eq!(back(elsewhere), "/cart", "{elsewhere:?}");
        }
    }

    #[test]
    fn choices_are_joined_in_the_order_of_their_fields() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let fields = Fields(vec![pair("quantity", "1"), pair("choice0", "Oat"), pair("choice1", " Large "), pair("choice2", "")]);
        assert_eq!(fields.choice().as_deref(), Some("Oat, Large"));
        assert_eq!(Fields(vec![pair("quantity", "1")]).choice(), None);
    }

    #[test]
    fn a_quantity_is_a_whole_number() {
        for bad in ["", "1.5", "two", "1e3", "99999999999999999999"] {
            assert!(Fields(vec![("quantity".into(), bad.into())]).quantity().is_err(), "{bad}");
        }
    }
}
