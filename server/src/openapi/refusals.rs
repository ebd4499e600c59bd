//! What a call may answer besides what its handler says: who is turned away by the table of `access.rs`, what is wrong with a body, and what
//! can go wrong with any call. Handlers name the codes of their refusals; here they get their meaning.

use crate::access::Rule;
use contract::Code;
use http::Method;
use std::collections::BTreeMap;
use utoipa::PartialSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response, ResponseBuilder, Schema, SecurityRequirement};

const JSON: &str = "application/json";

pub const OPERATOR: &str = "operatorToken";
const CONSOLE: &str = "consoleCookie";
const LOGIN: &str = "loginCookie";
const SESSION: &str = "sessionCookie";
const ACCOUNT: &str = "accountToken";

/// What can go wrong with any call, by the name it has in the document.
const COMMON: [(u16, &str, &[Code]); 4] = [
    (429, "RateLimited", &[Code::RateLimited]),
    (500, "Internal", &[Code::Internal]),
    (503, "Unavailable", &[Code::ServiceUnavailable, Code::StoreUnavailable, Code::Overloaded, Code::FeatureFlagChaos]),
    (504, "Timeout", &[Code::Timeout]),
];

/// Calls that stand outside of the layers in front of everything else: nobody counts them, and they need no service.
fn stands_apart(path: &str) -> bool {
    path.starts_with("/v1/") || matches!(path, "/health" | "/ready" | "/metrics" | "/api/load/report")
}

/// Adds to an operation what the layers in front of its handler do.
pub fn complete(operation: &mut Operation, method: &Method, path: &str, rule: Rule) {
    operation.security = security(rule);
    let mut refusals = named(operation);
    let mut add = |code: Code| {
        let codes = refusals.entry(code.status()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    };
    match rule {
        Rule::Public | Rule::Session => {}
        Rule::Operator | Rule::Loopback => add(Code::Unauthorized),
        Rule::Account | Rule::Staff | Rule::Courier => [Code::Unauthorized, Code::Forbidden].into_iter().for_each(&mut add),
    }
    if *method != Method::GET && !stands_apart(path) {
        // A cookie of ours on another site's form.
        add(Code::Forbidden);
    }
    // What the protocols of others answer in their own form they say themselves.
    let ours = !path.starts_with("/ofrep/") && !path.starts_with("/v1/");
    if ours && takes_json(operation) {
        [Code::InvalidBody, Code::BodyTooLarge, Code::UnsupportedMediaType].into_iter().for_each(&mut add);
    }
    let answers = &mut operation.responses.responses;
    if !stands_apart(path) {
        for (status, name, common) in COMMON {
            match refusals.get_mut(&status) {
                // The handler has a word of its own for it.
                Some(codes) => codes.extend(common.iter().copied().filter(|code| !codes.contains(code)).collect::<Vec<_>>()),
                None => drop(answers.insert(status.to_string(), RefOr::Ref(Ref::from_response_name(name)))),
            }
        }
    }
    for (status, codes) in refusals {
        answers.insert(status.to_string(), RefOr::T(refusal(&codes)));
    }
}

/// The refusals a handler names: its answers whose description is nothing but codes.
fn named(operation: &Operation) -> BTreeMap<u16, Vec<Code>> {
    let codes = |answer: &RefOr<Response>| match answer {
        RefOr::T(answer) => answer.description.split(", ").map(Code::from_text).collect::<Option<Vec<_>>>(),
        RefOr::Ref(_) => None,
    };
    let answers = operation.responses.responses.iter();
    answers.filter_map(|(status, answer)| Some((status.parse().ok()?, codes(answer)?))).collect()
}

fn takes_json(operation: &Operation) -> bool {
    matches!(&operation.request_body, Some(RefOr::T(RequestBody { content, .. })) if content.contains_key(JSON))
}

fn refusal(codes: &[Code]) -> Response {
    let lines: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
    let body = Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name("ErrorBody"))));
    ResponseBuilder::new().description(lines.join("\n")).content(JSON, body).build()
}

/// What passes, any one of it; an empty requirement is nothing at all.
fn security(rule: Rule) -> Option<Vec<SecurityRequirement>> {
    let names: &[&str] = match rule {
        Rule::Public => return Some(Vec::new()),
        Rule::Session => &["", SESSION, LOGIN, ACCOUNT, OPERATOR],
        Rule::Account => &[LOGIN, ACCOUNT],
        Rule::Staff | Rule::Courier => &[LOGIN, ACCOUNT, OPERATOR, CONSOLE],
        Rule::Operator => &[OPERATOR, CONSOLE],
        Rule::Loopback => &["", OPERATOR],
    };
    let requirement = |name: &&str| match *name {
        "" => SecurityRequirement::default(),
        name => SecurityRequirement::new::<_, [&str; 0], &str>(name, []),
    };
    Some(names.iter().map(requirement).collect())
}

/// What operations refer to.
pub fn describe(components: &mut Components) {
    let bearer = |says: &str| SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says)).build());
    let cookie = |name: &str, says: &str| SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, says)));
    let schemes = [
        (OPERATOR, bearer("`OPERATOR_TOKEN` of the server.")),
        (ACCOUNT, bearer("A JWT of the issuer `OIDC_ISSUER`, where one is configured.")),
        (CONSOLE, cookie("feast_operator", "What the console's link is exchanged for.")),
        (LOGIN, cookie(crate::identity::LOGIN_COOKIE, "What `POST /api/session` sets.")),
        (SESSION, cookie(crate::edge::SESSION_COOKIE, "A browser's session, which any page sets.")),
    ];
    components.add_security_schemes_from_iter(schemes);
    for (_, name, codes) in COMMON {
        components.responses.insert(name.to_owned(), RefOr::T(refusal(codes)));
    }
    // Named by every refusal, whether or not a handler names one of its own.
    for (name, schema) in [("ErrorBody", contract::error::ErrorBody::schema()), ("Code", Code::schema())] {
        components.schemas.entry(name.to_owned()).or_insert(schema);
    }
}
