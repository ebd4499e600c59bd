//! A call as a line for a shell.

use super::example::{self, Fields, Json};
use crate::access::Rule;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::Components;
use utoipa::openapi::{RefOr, Required, Response};

/// `curl …`, with `$FEAST` for the server's address and, for those who have one, `$OPERATOR_TOKEN`.
pub fn line(method: &str, path: &str, rule: Rule, operation: &Operation, components: &Components) -> String {
    let mut words = vec!["curl".to_owned()];
    let live = operation.responses.responses.get("200").is_some_and(|answer| has(answer, "text/event-stream"));
    let file = operation.responses.responses.get("200").is_some_and(|answer| has(answer, "application/gzip"));
    if live {
        words.push("-N".to_owned());
    }
    if file {
        words.push("-o telemetry.json.gz".to_owned());
    }
    match method {
        "GET" => {}
        method => words.push(format!("-X {method}")),
    }
    words.push(format!("\"$FEAST{}\"", address(path, operation, components)));
    match rule {
        Rule::Public | Rule::Session | Rule::Loopback => {}
        Rule::Operator => words.push("-H \"authorization: Bearer $OPERATOR_TOKEN\"".to_owned()),
        Rule::Account | Rule::Staff | Rule::Courier => {
            words.push("-b cookies.txt".to_owned());
            if method != "GET" {
                words.push("-H 'sec-fetch-site: same-origin'".to_owned());
            }
        }
    }
    if path == "/api/session" && method == "POST" {
        words.push("-c cookies.txt".to_owned());
    }
    if path == "/api/orders" && method == "POST" {
        words.push("-H \"idempotency-key: $(uuidgen)\"".to_owned());
    }
    words.extend(sent(operation, components));
    words.join(" ")
}

fn has(answer: &RefOr<Response>, media: &str) -> bool {
    matches!(answer, RefOr::T(answer) if answer.content.contains_key(media))
}

/// The path with examples in the places of its parameters; braces mean something to curl.
fn address(path: &str, operation: &Operation, components: &Components) -> String {
    let mut address = path.to_owned();
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if !matches!(parameter.parameter_in, ParameterIn::Path) {
            continue;
        }
        let example = parameter.schema.as_ref().map(|schema| example::of(schema, components, Fields::All));
        let value = match example {
            Some(Json::Plain(text)) if text != "\"text\"" => text.trim_matches('"').to_owned(),
            _ => parameter.name.to_uppercase(),
        };
        address = address.replace(&format!("{{{}}}", parameter.name), &value);
    }
    address
}

/// The body, and what it is.
fn sent(operation: &Operation, components: &Components) -> Vec<String> {
    let Some(RefOr::T(body)) = &operation.request_body else { return Vec::new() };
    if let Some(RefOr::T(content)) = body.content.get("application/json")
        && let Some(schema) = &content.schema
    {
        let json = match example::of(schema, components, Fields::Required) {
            // Without one, what may be sent is more telling than nothing.
            Json::Fields(fields) if fields.is_empty() => "{}".to_owned(),
            json => json.line(),
        };
        return vec!["-H 'content-type: application/json'".to_owned(), format!("-d '{}'", json.replace('\'', "'\\''"))];
    }
    let media = body.content.keys().next().cloned().unwrap_or_default();
    let required = !matches!(body.required, Some(Required::False));
    if required { vec![format!("-H 'content-type: {media}'"), "--data-binary @telemetry.json.gz".to_owned()] } else { Vec::new() }
}
