//! Where a flag acts, read from its metadata.

use serde_json::Value;
use std::collections::BTreeMap;

/// The kind of place a flag acts at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The inbound side of a service, before its handler.
    Server,
    /// The calling side of one service's call to another.
    Client,
    /// A data store of any kind.
    Store,
    /// The connections that a store's operations share.
    Pool,
    /// The answer of `/ready`.
    Ready,
    /// A process, whatever it is asked.
    Process,
    /// Code of a domain asks for it by name.
    Domain,
}

/// What happens to an outbound call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEffect {
    /// Fail before anything is sent.
    Refuse,
    /// Send, wait for the reply, and lose it.
    DropReply,
    /// Wait as if nobody answered.
    Hang,
}

impl CallEffect {
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "refuse" => Self::Refuse,
            "drop-reply" => Self::DropReply,
            "hang" => Self::Hang,
            _ => return None,
        })
    }
}

/// Where a flag acts. Absent and `*` mean "any".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub point: Point,
    pub service: String,
    pub method: Option<String>,
    /// As axum writes a matched path; the names of parameters do not matter for matching.
    pub route: Option<String>,
    /// Name of the calls in the call-policy table: `order.place` or `middleware.*`.
    pub calls: Option<String>,
    /// The service whose calls are meant.
    pub caller: Option<String>,
    pub call_effect: CallEffect,
    /// Path parameter of `route`, and the field of the variant it must equal.
    pub matches: Option<(String, String)>,
    /// Path parameter that stands in for the session of callers without one.
    pub keyed_by: Option<String>,
    /// Only requests of browsers for pages.
    pub pages_only: bool,
}

impl Site {
    pub fn of(metadata: &BTreeMap<String, Value>) -> Self {
        let text = |name: &str| metadata.get(name).and_then(Value::as_str);
        let some = |name: &str| text(name).filter(|text| *text != "*").map(str::to_owned);
        Self {
            point: match text("point") {
                Some("server") => Point::Server,
                Some("client") => Point::Client,
                Some("store") => Point::Store,
                Some("pool") => Point::Pool,
                Some("ready") => Point::Ready,
                Some("process") => Point::Process,
                _ => Point::Domain,
            },
            service: text("service").unwrap_or("*").to_owned(),
            method: some("method"),
            route: some("route"),
            calls: some("calls"),
            caller: some("caller"),
            call_effect: text("effect").and_then(CallEffect::from_text).unwrap_or(CallEffect::Refuse),
            matches: text("match").and_then(|both| both.split_once('=')).map(|(param, field)| (param.to_owned(), field.to_owned())),
            keyed_by: some("keyedBy"),
            pages_only: text("accepts") == Some("text/html"),
        }
    }

    pub fn is_in(&self, service: &str) -> bool {
        self.service == "*" || self.service == service
    }

    pub fn is_on_route(&self, service: &str, method: &str, route: &str) -> bool {
        self.is_in(service)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.route.as_deref().is_none_or(|wanted| same_route(wanted, route))
    }

    /// `call` is a name of the call-policy table, `caller` the service that makes it.
    pub fn is_on_call(&self, caller: &str, call: &str) -> bool {
        let named = match self.calls.as_deref() {
            None => true,
            Some(calls) => match calls.strip_suffix('*') {
                Some(prefix) => call.starts_with(prefix),
                None => calls == call,
            },
        };
        named && self.caller.as_deref().is_none_or(|wanted| wanted == caller)
    }
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

fn same_route(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || (is_parameter(a) && is_parameter(b)) => {}
            _ => return false,
        }
    }
}

/// The value of the parameter `{name}` of `route` in `path`, as it stands in the path.
pub fn path_parameter<'p>(route: &str, path: &'p str, name: &str) -> Option<&'p str> {
    let at = route.split('/').position(|segment| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name))?;
    path.split('/').nth(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(metadata: &str) -> Site {
        Site::of(&serde_json::from_str(metadata).unwrap())
    }

    #[test]
    fn a_route_is_matched_whole_by_shape_and_not_by_parameter_name() {
        let site = site(r#"{"point": "server", "service": "cart", "method": "POST", "route": "/cart/{id}/items"}"#);
        assert!(site.is_on_route("cart", "POST", "/cart/{cart}/items"));
        for (service, method, route) in [
            ("cart", "GET", "/cart/{id}/items"),
            ("order", "POST", "/cart/{id}/items"),
            ("cart", "POST", "/cart/{id}"),
            ("cart", "POST", "/cart/{id}/items/{item}"),
            ("cart", "POST", "/cart/id/items"),
        ] {
            assert!(!site.is_on_route(service, method, route), "{service} {method} {route}");
        }
    }

    #[test]
    fn a_star_means_every_route_of_the_service() {
        let site = site(r#"{"point": "server", "service": "cart", "method": "*", "route": "*"}"#);
        assert!(site.is_on_route("cart", "DELETE", "/cart/{id}"));
        assert!(!site.is_on_route("menu", "GET", "/api/menu"));
    }

    #[test]
    fn calls_are_matched_by_name_or_prefix_and_by_caller() {
        let to_middleware = site(r#"{"point": "client", "calls": "middleware.*", "caller": "order"}"#);
        assert!(to_middleware.is_on_call("order", "middleware.quote"));
        assert!(!to_middleware.is_on_call("server", "middleware.quote"));
        assert!(!to_middleware.is_on_call("order", "menu.items"));
        let place = site(r#"{"point": "client", "calls": "order.place"}"#);
        assert!(place.is_on_call("server", "order.place") && !place.is_on_call("server", "order.places"));
    }

    #[test]
    fn a_path_parameter_is_found_by_its_place() {
        assert_eq!(path_parameter("/api/menu/{id}", "/api/menu/nebula-latte", "id"), Some("nebula-latte"));
        assert_eq!(path_parameter("/api/menu/{id}", "/api/menu/nebula-latte", "item"), None);
        assert_eq!(path_parameter("/api/menu/{id}", "/api", "id"), None);
    }
}
