//! What operators change, for the audit log: flips in words, and a layer that writes down everything else they do.

use super::Console;
use super::live::Topic;
use crate::access::{Found, Rule, find};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use contract::flags::Audience;
use contract::telemetry::MarkKind;
use http::Method;
use runtime::context::{self, Role};
use runtime::flags::{Change, ChangeKind, actor};

/// Addresses whose handlers tell more exactly what was done.
const TOLD_OTHERWISE: [&str; 12] = [
    "/api/flags",
    "/console/flags",
    "/console/all-clear",
    "/api/load",
    "/console/load",
    "/api/incidents",
    "/console/incidents",
    "/api/detection",
    "/console/guardrail",
    "/api/telemetry/snapshot",
    "/console/snapshot",
    "/v1/",
];

/// How actions are called; everything else is `changed`.
const NAMED: [(&str, &str); 3] = [("/reset", "reset"), ("/inventory/", "stock.set"), ("/replay", "event.replayed")];

/// "15-percent-after-2s for only synthetic users until 2025-11-20T10:10:00.000Z"
pub fn detail(change: &Change) -> String {
    match (&change.until, change.kind) {
        (Some((audience, until)), _) => format!("{} for {} until {until}", change.variant, whom(audience)),
        (None, ChangeKind::AllClear) => match change.ended.as_slice() {
            [] => "nothing was on".to_owned(),
            ended => ended.join(", "),
        },
        _ => String::new(),
    }
}

fn whom(audience: &Audience) -> String {
    match audience {
        Audience::Everyone => "everyone".to_owned(),
        Audience::Synthetic => "synthetic users".to_owned(),
        Audience::Session(key) => format!("browser {key}"),
        Audience::Restaurant(restaurant) => restaurant.clone(),
        Audience::City(city) => city.clone(),
        Audience::Percent(share) => format!("{share} % of sessions"),
    }
}

/// The action's name when it is one to be written down here.
fn action(method: &Method, path: &str) -> Option<&'static str> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || TOLD_OTHERWISE.iter().any(|told| path.starts_with(told)) {
        return None;
    }
    matches!(find(method, path), Found::Rule(Rule::Operator | Rule::Staff | Rule::Courier)).then(|| {
        let named = NAMED.iter().find(|(part, _)| path.contains(part));
        named.map_or("changed", |(_, name)| name)
    })
}

/// Where it is written down.
#[derive(Clone)]
pub enum Witness {
    Audit(Console),
    /// A web replica has no audit log. What an operator's account changes there (a menu, an order) is a line that the console shows.
    Log,
}

/// Writes down what an operator changed, once it is done. Stands behind the layer that knows who asks.
pub async fn noted(State(witness): State<Witness>, request: Request, next: Next) -> Response {
    let operator = context::current().role == Role::Operator;
    let matched = request.extensions().get::<MatchedPath>().filter(|_| operator);
    let Some(action) = matched.and_then(|path| action(request.method(), path.as_str())) else { return next.run(request).await };
    let subject = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    if response.status().as_u16() < 400 {
        match witness {
            Witness::Audit(Console(inner)) => {
                inner.audit.note(action, &subject, "");
                inner.nudges.about(Topic::Audit);
                if action == "reset" {
                    inner.marks.add(MarkKind::Operator, action, None);
                }
            }
            Witness::Log => {
                let operator = actor();
                tracing::info!(name: "operator.acted", action, operator, "Operator: {action} {subject}");
            }
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_operators_change_has_a_name_and_what_is_told_otherwise_has_none() {
        let named = |method: &str, path: &str| action(&method.parse().unwrap(), path);
        assert_eq!(named("POST", "/api/reset"), Some("reset"));
        assert_eq!(named("PUT", "/api/inventory/{itemId}"), Some("stock.set"));
        assert_eq!(named("POST", "/api/events/{service}/replay"), Some("event.replayed"));
        assert_eq!(named("PATCH", "/api/restaurants/{id}"), Some("changed"));
        for (method, path) in [("GET", "/api/ledger"), ("PUT", "/api/flags/{key}"), ("POST", "/console/all-clear"), ("POST", "/api/orders")]
        {
            assert_eq!(named(method, path), None, "{method} {path}");
        }
    }
}
