//! The table by itself, and the table against the routers.

use super::*;

const HERE: Access = Access { loopback: true, console_here: true };

fn staff_of(restaurant: &str) -> RequestContext {
    RequestContext { role: Role::Restaurant, user: Some("u".into()), staff_of: Some(restaurant.into()), ..RequestContext::default() }
}

#[test]
fn staff_of_a_restaurant_is_staff_of_no_other() {
    let (pattern, own) = ("/api/restaurants/{id}/orders", staff_of("dim-sun"));
    assert!(judge(Staff, HERE, &own, pattern, "/api/restaurants/dim-sun/orders").is_ok());
    for other in ["/api/restaurants/the-big-dipper/orders", "/api/restaurants//orders", "/api/restaurants/dim%2Dsun/orders"] {
        assert_eq!(judge(Staff, HERE, &own, pattern, other).err().map(|error| error.status), Some(403), "{other}");
    }
    assert!(judge(Staff, HERE, &own, "/restaurant/menu", "/restaurant/menu").is_ok());
}

#[test]
fn a_guest_logs_in_first_and_a_customer_is_refused() {
    let guest = RequestContext { session: Some("s".into()), ..RequestContext::default() };
    let customer = RequestContext { user: Some("u".into()), ..guest.clone() };
    let status = |rule, context: &RequestContext| judge(rule, HERE, context, "/x", "/x").err().map(|error| error.status);
    assert_eq!([Account, Staff, Courier, Operator].map(|rule| status(rule, &guest)), [Some(401); 4]);
    assert_eq!([Staff, Courier, Operator].map(|rule| status(rule, &customer)), [Some(403), Some(403), Some(401)]);
    assert_eq!([Public, Session, Account, Loopback].map(|rule| status(rule, &customer)), [None; 4]);
    assert!(judge(Loopback, Access { loopback: false, ..HERE }, &customer, "/x", "/x").is_err());
}

#[test]
fn a_method_that_is_not_in_the_table_is_not_allowed_and_an_unknown_address_has_no_rule() {
    assert_eq!(find(&Method::HEAD, "/api/menu"), Found::Rule(Public));
    assert_eq!(find(&Method::POST, "/api/menu"), Found::OtherMethods);
    assert_eq!(find(&Method::GET, "/api/secrets"), Found::Nothing);
    assert_eq!(find(&Method::POST, "/console/flags/{key}/clear"), Found::Rule(Operator));
    assert_eq!(find(&Method::GET, "/courier/"), Found::Nothing, "nothing is below, and it is not the page itself");
}

#[test]
fn a_path_is_known_by_its_address_in_the_table() {
    let patterns =
        ["/", "/restaurants/dim-sun", "/cart/items", "/cart/items/7?x=1", "/console/flags/a/clear", "/orders//", "/x"].map(pattern_of);
    let expected = ["/", "/restaurants/{id}", "/cart/items", "/cart/items/{id}", "/console/{*rest}", "other", "other"];
    assert_eq!(patterns, expected);
}

#[test]
fn every_address_is_written_once_for_each_method() {
    let mut seen = Vec::new();
    for (methods, path, _) in TABLE {
        for method in methods.split(' ') {
            assert!(!seen.contains(&(method, path)), "{method} {path}");
            seen.push((method, path));
        }
    }
}

/// `RouteId(7): what` as axum prints its maps.
fn entries(printed: &str) -> HashMap<u32, &str> {
    let entries = printed.split("RouteId(").skip(1).filter_map(|entry| entry.split_once("): "));
    entries.map(|(id, what)| (id.parse().unwrap(), what)).collect()
}

/// What a router answers, read from how axum prints it, for it says so in no other way: each address, and the methods that have a
/// handler; none for those that are passed on whatever the method.
fn answered(router: &axum::Router) -> Vec<(String, Vec<Method>)> {
    let printed = format!("{router:?}");
    let router = printed.split_once("fallback_router").unwrap().0;
    let (routes, paths) = router.rsplit_once("paths: {").unwrap();
    let (routes, paths) = (entries(routes), entries(paths));
    assert!(paths.len() > 40 && routes.len() == paths.len(), "axum prints routers in another way: {printed:.2000}");
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    let handled = |route: &str, method: &Method| {
        let name = format!("{}: ", method.as_str().to_lowercase());
        route.split_once(&name).is_some_and(|(_, handler)| !handler.starts_with("None"))
    };
    let path = |printed: &str| printed.split('"').nth(1).unwrap().to_owned();
    let of = |id: &u32| methods.iter().filter(|method| handled(routes[id], method)).cloned().collect();
    paths.iter().map(|(id, printed)| (path(printed), of(id))).collect()
}

/// Every address of the product with its methods, but for the files that never change.
pub fn all_routes(router: &axum::Router) -> Vec<(String, Vec<Method>)> {
    answered(router).into_iter().filter(|(path, _)| !path.starts_with(crate::assets::BASE)).collect()
}

async fn product() -> axum::Router {
    let (platform, _) = testkit::platform();
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], 3000));
    let telemetry = crate::telemetry::Observatory::start(platform.clock.clone()).unwrap();
    let keys = crate::owner::Keys { operator_token: "token", telemetry: &telemetry };
    crate::routes::build(&platform, &crate::Config::default(), here, Some(keys), telemetry.ear()).await.unwrap()
}

#[tokio::test]
async fn every_address_that_is_answered_has_a_rule_for_each_of_its_methods() {
    let mut missing = Vec::new();
    for (path, methods) in all_routes(&product().await) {
        if find(&Method::TRACE, &path) == Found::Nothing {
            missing.push(path.clone());
        }
        missing.extend(
            methods.iter().filter(|method| !matches!(find(method, &path), Found::Rule(_))).map(|method| format!("{method} {path}")),
        );
    }
    assert!(missing.is_empty(), "nobody wrote a rule for {missing:#?}");
}

#[tokio::test]
async fn a_route_that_nobody_wrote_a_rule_for_is_noticed() {
    let secret = axum::Router::new().route("/api/secrets", axum::routing::get(async || "secret").delete(async || "gone"));
    let filler = (0..50).fold(secret, |router, n| router.route(&format!("/filler/{n}"), axum::routing::any(async || "")));
    let answered = answered(&filler);
    let (path, methods) = answered.iter().find(|(path, _)| path == "/api/secrets").unwrap();
    assert_eq!((find(&Method::GET, path), methods.as_slice()), (Found::Nothing, [Method::GET, Method::DELETE].as_slice()));
}

/// Addresses of the table that the process with the console answers, and nobody else.
fn of_the_console() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().filter(|(_, address, _)| is_of_the_console(address)).map(|(methods, address, _)| (*methods, *address))
}

#[tokio::test]
async fn a_web_replica_answers_nothing_of_the_consoles() {
    let (platform, _) = testkit::platform();
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], 3010));
    let ear = crate::telemetry::Observatory::start(platform.clock.clone()).unwrap().ear();
    let replica = crate::routes::build(&platform, &crate::Config::default(), here, None, ear).await.unwrap();
    let mut asked = 0;
    for (methods, address) in of_the_console() {
        let path = address.replace("{*rest}", "flags").replace(['{', '}'], "");
        for method in methods.replace('*', "GET POST").split(' ') {
            let request = http::Request::builder().method(method).uri(&path).body(axum::body::Body::empty()).unwrap();
            let answer = tower::ServiceExt::oneshot(replica.clone(), request).await.unwrap();
            let status = answer.status();
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let says = String::from_utf8_lossy(&body);
            let designed = says.contains("NOT_THE_CONSOLE") || says.contains("The bridge is on another ship");
            assert!(status == 404 && designed, "{method} {path}: {status} {says:.300}");
            asked += 1;
        }
    }
    assert!(asked >= 40, "{asked}");
}

#[test]
fn the_documented_split_by_path_sends_to_the_console_what_is_the_consoles() {
    let document = include_str!("../../../docs/kubernetes.md");
    let paths = document.lines().filter_map(|line| line.trim().strip_prefix("- {path: ")?.split_once(", pathType: Prefix, backend: "));
    let consoles: Vec<&str> = paths.filter(|(_, backend)| backend.contains("console")).map(|(path, _)| path).collect();
    assert!(!consoles.is_empty(), "docs/kubernetes.md has no such split any more");
    let sent_to_console =
        |address: &str| consoles.iter().any(|path| address.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let wrong: Vec<&str> =
        TABLE.iter().map(|(_, address, _)| *address).filter(|address| sent_to_console(address) != is_of_the_console(address)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
