//! Who may do what: every address with its methods and its rule. One layer enforces the table; an address that is not in it is refused,
//! and a test holds the table against the routers.
//!
//! The services enforce the same rules again, by the identity that we tell them. What only they can know (whose order it is, which restaurant
//! an order belongs to) they alone decide.

use crate::identity::Identified;
use crate::pages;
use app::visit::Visit;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use contract::id::path_segment;
use contract::{ApiError, Code};
use http::Method;
use runtime::context::{self, RequestContext, Role};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// Who may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everybody, known or not.
    Public,
    /// Everybody, for things of the own: whoever is logged in must be known, because the answer is another one for a guest.
    Session,
    /// Whoever is logged in.
    Account,
    /// Staff of the restaurant that the address names, or, where it names none, of any; which one is then in the request's context, or the
    /// order's service compares it with the order's. Operators are everybody's staff.
    Staff,
    /// Couriers and operators.
    Courier,
    Operator,
    /// Everybody on loopback, operators elsewhere.
    Loopback,
}

use Rule::{Account, Courier, Loopback, Operator, Public, Session, Staff};

/// Methods, address, rule. `*` is every method; `{*rest}` at the end covers what is below and has no line of its own.
pub const TABLE: &[(&str, &str, Rule)] = &[
    // The shop's pages and forms. The address of a form answers GET too, with the page it stands on.
    ("GET", "/", Public),
    ("GET", "/restaurants/{id}", Public),
    ("GET", "/items/{id}", Public),
    ("GET", "/about", Public),
    ("GET POST", "/theme", Public),
    // Whoever has a cart's id may change the cart; who that is does not matter.
    ("GET", "/cart", Public),
    ("GET POST", "/cart/items", Public),
    ("GET POST", "/cart/items/{id}", Public),
    ("GET POST", "/cart/new", Public),
    ("GET POST", "/cart/clear", Public),
    ("GET POST", "/checkout", Session),
    ("GET POST", "/orders", Session),
    // By its id, which cannot be guessed; the rest only its owner sees.
    ("GET", "/orders/{id}", Public),
    ("GET POST", "/orders/{id}/cancel", Session),
    ("GET POST", "/orders/{id}/reorder", Session),
    // Accounts.
    ("GET POST", "/login", Public),
    ("GET POST", "/login/demo", Loopback),
    ("GET POST", "/signup", Public),
    ("GET POST", "/logout", Public),
    ("*", "/account", Account),
    ("*", "/account/{*rest}", Account),
    // The other sides of the market.
    ("*", "/restaurant", Staff),
    ("*", "/restaurant/{*rest}", Staff),
    ("*", "/courier", Courier),
    ("*", "/courier/{*rest}", Courier),
    // The console. The first exchanges the token of its link for a cookie.
    ("GET", "/console", Public),
    ("*", "/console/{*rest}", Operator),
    // Live.
    ("GET", "/events/orders/{id}", Public),
    ("GET", "/events/restaurants/{id}", Staff),
    ("GET", "/events/console", Operator),
    // The shop's API.
    ("GET", "/api/menu", Public),
    ("GET", "/api/menu/{id}", Public),
    ("GET", "/api/restaurants", Public),
    ("GET", "/api/restaurants/{id}", Public),
    ("GET", "/api/restaurants/{id}/menu", Public),
    ("GET", "/api/restaurants/{id}/recommendations", Public),
    ("POST", "/api/cart", Public),
    ("GET DELETE", "/api/cart/{id}", Public),
    ("POST", "/api/cart/{id}/items", Public),
    ("PATCH DELETE", "/api/cart/{id}/items/{itemId}", Public),
    ("POST", "/api/quotes", Session),
    ("GET POST", "/api/orders", Session),
    ("GET", "/api/orders/{id}", Public),
    ("POST", "/api/orders/{id}/cancel", Session),
    ("GET", "/api/customers", Session),
    ("GET", "/api/customers/{name}/orders", Session),
    // Accounts.
    ("POST", "/api/users", Public),
    ("POST DELETE", "/api/session", Public),
    ("GET PATCH", "/api/profile", Account),
    ("POST", "/api/profile/password", Account),
    ("GET PUT", "/api/profile/preferences", Session),
    // Restaurants at work.
    ("PATCH", "/api/orders/{id}", Staff),
    ("PATCH", "/api/restaurants/{id}", Staff),
    ("GET", "/api/restaurants/{id}/orders", Staff),
    ("PUT", "/api/restaurants/{id}/autopilot", Staff),
    ("GET", "/api/restaurants/{id}/figures", Staff),
    ("POST", "/api/restaurants/{id}/items", Staff),
    ("PUT PATCH DELETE", "/api/restaurants/{id}/items/{itemId}", Staff),
    ("PUT", "/api/restaurants/{id}/items/{itemId}/stock", Staff),
    // Operators.
    ("GET DELETE", "/api/flags", Operator),
    ("GET", "/api/flags/definitions", Operator),
    ("PUT DELETE", "/api/flags/{key}", Operator),
    ("GET", "/api/inventory", Operator),
    ("PUT", "/api/inventory/{itemId}", Operator),
    ("GET", "/api/ledger", Operator),
    ("GET", "/api/events", Operator),
    ("POST", "/api/events/{service}/replay", Operator),
    ("POST", "/api/reset", Operator),
    ("GET PUT", "/api/load", Operator),
    ("GET", "/api/proofs", Operator),
    ("GET", "/api/detection", Operator),
    ("PUT", "/api/detection/guardrail", Operator),
    ("GET", "/api/audit", Operator),
    ("GET", "/api/policies", Operator),
    ("GET", "/api/incidents", Operator),
    ("POST", "/api/incidents/{id}/play", Operator),
    ("POST", "/api/incidents/control", Operator),
    ("POST", "/api/incidents/answer", Operator),
    // Load generators say how it goes and hear what to do. Outside of this layer, behind the same door as telemetry.
    ("POST", "/api/load/report", Loopback),
    ("GET", "/api/overview", Operator),
    ("GET", "/api/traces", Operator),
    ("GET", "/api/traces/{id}", Operator),
    ("GET", "/api/logs", Operator),
    ("GET", "/api/topology", Operator),
    ("GET POST DELETE", "/api/telemetry/snapshot", Operator),
    // What browsers saw; it is limited and not believed.
    ("POST", "/api/beacon", Public),
    // Telemetry of other processes. Outside of this layer, with a door of its own that admits the inside's token, too.
    ("POST", "/v1/traces", Loopback),
    ("POST", "/v1/metrics", Loopback),
    ("POST", "/v1/logs", Loopback),
    // The description of all this.
    ("GET", "/api/openapi.json", Public),
    ("GET", "/api/docs", Public),
    // Flags for programs that bring their own OpenFeature SDK.
    ("POST", "/ofrep/v1/evaluate/flags", Loopback),
    ("POST", "/ofrep/v1/evaluate/flags/{key}", Loopback),
    // Outside of this layer: machines ask them every second, or they never change.
    ("GET", "/health", Public),
    ("GET", "/ready", Public),
    ("GET", "/metrics", Public),
    ("GET", "/favicon.ico", Public),
    ("GET", "/favicon.svg", Public),
];

/// What only the process with the console answers, beside all that is for operators: flags, telemetry and load have one owner.
const OF_THE_CONSOLE: [&str; 7] =
    ["/console", "/api/load/report", "/v1/traces", "/v1/metrics", "/v1/logs", "/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/{key}"];

/// What the table says about a request to a router's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Rule(Rule),
    /// The address is in the table, but not with this method.
    OtherMethods,
    /// Nobody wrote a rule.
    Nothing,
}

/// Lines of the table by their address; those that cover everything below come after them, in the table's order.
static BY_ADDRESS: LazyLock<HashMap<&str, Vec<(&str, Rule)>>> = LazyLock::new(|| {
    let mut lines: HashMap<&str, Vec<(&str, Rule)>> = HashMap::new();
    for (methods, address, rule) in TABLE {
        lines.entry(*address).or_default().push((*methods, *rule));
    }
    lines
});

/// `path` as the router writes it, with its parameters' names.
pub fn find(method: &Method, path: &str) -> Found {
    // Whatever answers GET answers HEAD, too.
    let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let below = || TABLE.iter().filter(|(_, address, _)| is_below(address, path)).map(|(methods, _, rule)| (*methods, *rule)).collect();
    let lines: Cow<[(&str, Rule)]> = BY_ADDRESS.get(path).map_or_else(|| Cow::Owned(below()), |lines| Cow::Borrowed(lines.as_slice()));
    let fits = |methods: &str| methods == "*" || methods.split(' ').any(|one| one == method);
    match lines.iter().find(|(methods, _)| fits(methods)) {
        Some((_, rule)) => Found::Rule(*rule),
        None if lines.is_empty() => Found::Nothing,
        None => Found::OtherMethods,
    }
}

/// The address of the table that a path is at, for names that must be few: a path may be anything.
pub fn pattern_of(path: &str) -> &'static str {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |address: &str| {
        let mut pattern = address.split('/');
        parts.iter().all(|part| {
            pattern.next().is_some_and(|known| known == *part || (known.starts_with('{') && known != "{*rest}" && !part.is_empty()))
        }) && pattern.next().is_none()
    };
    let known = || TABLE.iter().map(|(_, address, _)| *address);
    // One that is written out wins over one with a parameter, as in the router.
    let exactly = known().find(|address| *address == path);
    exactly.or_else(|| known().find(|address| fits(address))).or_else(|| known().find(|address| is_below(address, path))).unwrap_or("other")
}

/// Whether a line of the table, by its address, is answered by the process with the console only.
pub fn is_of_the_console(address: &str) -> bool {
    let for_operators = || BY_ADDRESS.get(address).is_some_and(|lines| lines.iter().any(|(_, rule)| *rule == Operator));
    OF_THE_CONSOLE.contains(&address) || for_operators()
}

fn is_below(address: &str, path: &str) -> bool {
    address.strip_suffix("{*rest}").is_some_and(|above| path.len() > above.len() && path.starts_with(above))
}

#[derive(Clone, Copy, Debug)]
pub struct Access {
    pub loopback: bool,
    /// Whether this process has the console; a web replica has not.
    pub console_here: bool,
}

/// Refuses what the table does not allow. It stands behind the layers that find out who is asking and what a page of ours needs.
pub async fn access(State(access): State<Access>, request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    if !access.console_here {
        let asked = request.uri().path();
        let address = matched.as_ref().map(MatchedPath::as_str).filter(|address| BY_ADDRESS.contains_key(address));
        if is_of_the_console(address.unwrap_or_else(|| pattern_of(asked))) {
            return elsewhere(&request);
        }
    }
    // Without a route there is nothing to protect; the fallback answers.
    let Some(path) = matched else { return next.run(request).await };
    let rule = match find(request.method(), path.as_str()) {
        Found::Rule(rule) => rule,
        Found::OtherMethods => return pages::wrong_method(request).await,
        Found::Nothing => {
            tracing::error!(http.route = path.as_str(), "There is no rule who may ask {}; nobody may", path.as_str());
            return pages::answer(&request, ApiError::forbidden("nobody"));
        }
    };
    // Somebody claims to be logged in, and the user service cannot be asked. To treat him as a guest is right where guests see the same.
    if let Some(Identified::Unknown(error)) = request.extensions().get::<Identified>()
        && rule != Public
        && context::current().role != Role::Operator
    {
        let error = error.clone();
        return pages::answer(&request, error);
    }
    match judge(rule, access, &context::current(), path.as_str(), request.uri().path()) {
        Ok(()) => next.run(request).await,
        Err(error) => refuse(&request, rule, error),
    }
}

/// This is a web replica, and what was asked is the console's business: a page for people, one sentence for programs.
fn elsewhere(request: &Request) -> Response {
    let why = "this is a web replica of the shop; operators' addresses are answered by the process with ROLE=console";
    let error = ApiError::new(Code::NotTheConsole, why);
    match request.extensions().get::<Arc<Visit>>().filter(|_| request.uri().path().starts_with("/console")) {
        Some(visit) => app::error_page(&error, visit),
        None => runtime::http::HttpError(error).into_response(),
    }
}

fn judge(rule: Rule, access: Access, context: &RequestContext, pattern: &str, path: &str) -> Result<(), ApiError> {
    let operator = context.role == Role::Operator;
    let logged_in = context.user.is_some() || operator;
    let passes = match rule {
        Public | Session => true,
        Account => context.user.is_some(),
        Staff => match restaurant(pattern, path) {
            Some(id) => context.is_staff_of(id),
            None => operator || (context.role == Role::Restaurant && context.staff_of.is_some()),
        },
        Courier => operator || (context.role == Role::Courier && context.courier.is_some()),
        Operator => operator,
        Loopback => access.loopback || operator,
    };
    match rule {
        _ if passes => Ok(()),
        Operator | Loopback => Err(ApiError::operator_only()),
        _ if !logged_in => Err(ApiError::log_in_first()),
        Account => Err(ApiError::forbidden("whoever is logged in")),
        Courier => Err(ApiError::forbidden("couriers")),
        _ => Err(ApiError::forbidden("the restaurant's staff")),
    }
}

/// The restaurant that the address names. It is compared as it is written: an id of ours has nothing to be escaped, and an id that is
/// written in another way is nobody's.
fn restaurant<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let at = pattern.split('/').collect::<Vec<_>>().windows(2).position(|pair| pair == ["restaurants", "{id}"])?;
    Some(path.split('/').nth(at + 1).unwrap_or_default())
}

/// People who are not logged in are shown where to, and come back afterwards; programs get the one error shape.
fn refuse(request: &Request, rule: Rule, error: ApiError) -> Response {
    match request.extensions().get::<Arc<Visit>>().filter(|_| !request.uri().path().starts_with("/events/")) {
        Some(visit) if rule == Operator => app::accounts::operators_page(visit),
        Some(visit) if error.status == 401 => {
            let there = format!("/login?next={}", path_segment(&visit.path));
            Redirect::to(&there).into_response()
        }
        Some(visit) => app::error_page(&error, visit),
        None => runtime::http::HttpError(error).into_response(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
mod walk;
