//! The whole platform in this process, walked route by route: whoever may is let in, whoever may not is refused, sees nothing and
//! changes nothing. A new route is walked without anybody's doing; when its address has a part that is not known here, the walk says so.

use super::tests::all_routes;
use super::*;
use reqwest::header::HeaderMap;
use runtime::Platform;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

const OPERATOR_TOKEN: &str = "operator-token-of-the-walk";
const RESTAURANT: &str = "cosmic-coffee";
const DISH: &str = "nebula-latte";

/// What only Ada, the restaurant and operators may see.
const SECRETS: [&str; 2] = ["Ada Unmistakable", "Moon Street 4711"];

/// Who walks.
struct Person {
    name: &'static str,
    cookie: String,
    operator: bool,
}

impl Person {
    fn guest() -> Self {
        Self { name: "a stranger", cookie: String::new(), operator: false }
    }
}

struct Product {
    _platform: Platform,
    client: reqwest::Client,
    base: String,
    routes: Vec<(Method, String, Rule)>,
    cart: String,
    order: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}: {}", self.status, self.body))
    }

    /// Turned away at the door, or told that there is nothing.
    fn is_refusal(&self) -> bool {
        let to_the_door = self.headers.get("location").is_some_and(|to| to.to_str().unwrap().starts_with("/login?next="));
        to_the_door || matches!(self.status, 401 | 403)
    }
}

impl Product {
    async fn start() -> Self {
        let (platform, _) = testkit::platform();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let telemetry = crate::telemetry::Observatory::start(platform.clock.clone()).unwrap();
        let keys = crate::owner::Keys { operator_token: OPERATOR_TOKEN, telemetry: &telemetry };
        let router = crate::routes::build(&platform, &crate::Config::default(), address, Some(keys), telemetry.ear()).await.unwrap();
        let routes = walked(&router);
        tokio::spawn(async move { axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await });
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { _platform: platform, client, base: format!("http://{address}"), routes, cart: String::new(), order: String::new() }
    }

    async fn send(&self, person: &Person, method: &Method, path: &str, body: Option<Body>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_str().as_bytes()).unwrap();
        let mut ask = self.client.request(method, format!("{}{path}", self.base)).header("sec-fetch-site", "same-origin");
        ask = ask.header("accept", if path.starts_with("/api/") { "application/json" } else { "text/html" });
        if !person.cookie.is_empty() {
            ask = ask.header("cookie", &person.cookie);
        }
        if person.operator {
            ask = ask.header("authorization", format!("Bearer {OPERATOR_TOKEN}"));
        }
        ask = match body {
            Some(Body::Json(body)) => ask.header("content-type", "application/json").body(body.to_string()),
            Some(Body::Form(body)) => ask.header("content-type", "application/x-www-form-urlencoded").body(body),
            None => ask,
        };
        let mut response = ask.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let live = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = match live {
            // It does not end; what comes first is the state now.
            true => response.chunk().await.unwrap().unwrap_or_default(),
            false => response.bytes().await.unwrap(),
        };
        Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn api(&self, person: &Person, method: Method, path: &str, body: Value) -> Value {
        let answer = self.send(person, &method, path, (!body.is_null()).then_some(Body::Json(body))).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.body);
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }

    /// One of the demonstration's accounts.
    async fn logged_in(&self, name: &'static str, id: &str) -> Person {
        let form = Body::Form(format!("id=demo-{id}"));
        let answer = self.send(&Person::guest(), &Method::POST, "/login/demo", Some(form)).await;
        Person { name, cookie: cookies_of(&answer), operator: false }
    }

    /// Somebody with an account of his own.
    async fn signed_up(&self, name: &'static str) -> Person {
        let body = json!({"email": format!("{name}@example.com"), "name": name, "password": "correct horse"});
        let answer = self.send(&Person::guest(), &Method::POST, "/api/users", Some(Body::Json(body))).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        Person { name, cookie: cookies_of(&answer), operator: false }
    }

    async fn cart(&self, person: &Person) -> String {
        let cart = self.api(person, Method::POST, "/api/cart", Value::Null).await["id"].as_str().unwrap().to_owned();
        self.api(person, Method::POST, &format!("/api/cart/{cart}/items"), json!({"itemId": DISH, "quantity": 1})).await;
        cart
    }

    /// An order of Ada's that waits for the restaurant, which cooks by hand.
    async fn with_an_order_of(mut self, ada: &Person, staff: &Person) -> Self {
        self.api(staff, Method::PUT, &format!("/api/restaurants/{RESTAURANT}/autopilot"), json!({"on": false})).await;
        let cart = self.cart(ada).await;
        let order = json!({"customerName": SECRETS[0], "cartId": cart, "address": SECRETS[1]});
        let order = self.api(ada, Method::POST, "/api/orders", order).await;
        self.order = order["id"].as_str().unwrap().to_owned();
        self.cart = self.cart(ada).await;
        let path = format!("/api/orders/{}", self.order);
        testkit::eventually("the order is paid", Duration::from_secs(20), async || {
            self.api(ada, Method::GET, &path, Value::Null).await["status"] == "paid"
        })
        .await;
        self
    }

    /// What nobody without business there may have changed.
    async fn state(&self, operator: &Person) -> [Value; 4] {
        let get = async |path: String| self.api(operator, Method::GET, &path, Value::Null).await;
        [
            get(format!("/api/orders/{}", self.order)).await,
            get(format!("/api/restaurants/{RESTAURANT}")).await,
            get(format!("/api/restaurants/{RESTAURANT}/menu")).await,
            get("/api/flags".to_owned()).await,
        ]
    }

    /// A request to this route, about the restaurant, the dish, the cart and the order of the walk.
    async fn walk(&self, person: &Person, method: &Method, route: &str) -> Answer {
        self.send(person, method, &self.address(route), body(method, route, &self.cart)).await
    }

    fn address(&self, route: &str) -> String {
        let mut out = Vec::new();
        for (at, part) in route.split('/').enumerate() {
            let above = if at == 0 { "" } else { route.split('/').nth(at - 1).unwrap() };
            out.push(match (above, part) {
                ("restaurants", "{id}") => RESTAURANT,
                ("orders", "{id}") => &self.order,
                ("cart", "{id}") => &self.cart,
                ("items" | "menu" | "inventory", "{id}" | "{itemId}" | "{item}") => DISH,
                ("customers", "{name}") => "Ada%20Unmistakable",
                ("flags", "{key}") => "cart-slow",
                ("addresses", "{id}") => "1",
                ("events", "{service}") => "order",
                ("traces", "{id}") => "4bf92f3577b34da6a3ce929d0e0e4736",
                // One that plays would flip flags under the feet of whoever walks.
                ("incidents", "{id}") => "no-script-of-ours",
                (_, part) => {
                    assert!(!part.starts_with('{'), "say what the walk is to put into {route}");
                    part
                }
            });
        }
        out.join("/")
    }
}

enum Body {
    Json(Value),
    Form(String),
}

/// What makes a call succeed; a form that is sent empty is at least read.
fn body(method: &Method, route: &str, cart: &str) -> Option<Body> {
    if *method == Method::GET || *method == Method::DELETE {
        return None;
    }
    if !route.starts_with("/api/") && !route.starts_with("/ofrep/") {
        return Some(Body::Form(String::new()));
    }
    Some(Body::Json(match (method.as_str(), route) {
        ("POST", "/api/cart/{id}/items") => json!({"itemId": DISH, "quantity": 1}),
        ("PATCH", "/api/cart/{id}/items/{itemId}") => json!({"quantity": 2}),
        ("POST", "/api/quotes") => json!({"cartId": cart}),
        ("POST", "/api/orders") => json!({"customerName": "Walker", "cartId": cart}),
        ("PATCH", "/api/orders/{id}") => json!({"status": "accepted"}),
        ("POST", "/api/profile/password") => json!({"current": "not the password", "new": "correct horse"}),
        ("PUT", "/api/profile/preferences") => json!({"email": true, "sms": false, "push": true}),
        ("PUT", "/api/restaurants/{id}/autopilot") => json!({"on": false}),
        ("POST", "/api/restaurants/{id}/items") => json!({"name": "Walked Latte", "basePrice": 4.5}),
        ("PUT", "/api/restaurants/{id}/items/{itemId}") => json!({"name": "Nebula Latte", "basePrice": 4.5}),
        ("PATCH", "/api/restaurants/{id}/items/{itemId}") => json!({"inStock": true}),
        ("PUT", "/api/restaurants/{id}/items/{itemId}/stock" | "/api/inventory/{itemId}") => json!({"stock": 60}),
        ("PUT", "/api/flags/{key}") => json!({"variant": "300-ms", "ttlSeconds": 60}),
        ("POST", "/api/events/{service}/replay") => json!({"id": "none"}),
        ("PUT", "/api/detection/guardrail") => json!({"on": false}),
        ("PUT", "/api/load") => json!({"users": 0}),
        ("POST", "/api/load/report") => json!({"agent": "walker", "users": 0, "rate": 0.0, "errorPercent": 0.0, "p50Ms": 0.0,
            "p95Ms": 0.0, "p99Ms": 0.0, "requests": 0, "failed": 0, "orders": 0}),
        ("POST", "/api/incidents/control") => json!("stop"),
        ("POST", "/api/incidents/answer") => json!({"choice": "none"}),
        _ => json!({}),
    }))
}

fn cookies_of(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter().map(|set| set.to_str().unwrap().split(';').next().unwrap());
    let cookies: Vec<&str> = set.filter(|pair| pair.starts_with("feast_login=") || pair.starts_with("feast_sid=")).collect();
    assert_eq!(cookies.len(), 2, "{} {}", answer.status, answer.body);
    cookies.join("; ")
}

/// Every route with its rule, those that change much at the end. What is passed on whatever the method is walked by the table's methods.
fn walked(router: &axum::Router) -> Vec<(Method, String, Rule)> {
    let mut all = Vec::new();
    for (path, mut methods) in all_routes(router) {
        if methods.is_empty() {
            let lines = TABLE.iter().filter(|(_, address, _)| *address == path);
            methods = lines.flat_map(|(methods, ..)| methods.split(' ')).map(|method| method.parse().unwrap()).collect();
        }
        for method in methods {
            match find(&method, &path) {
                Found::Rule(rule) => all.push((method, path.clone(), rule)),
                _ => panic!("nobody wrote a rule for {method} {path}"),
            }
        }
    }
    let weight = |method: &Method, path: &str| match () {
        () if path.contains("reset") => 3,
        () if path.contains("logout") || path == "/api/session" => 2,
        () if *method == Method::DELETE || path.ends_with("/delete") => 1,
        () => 0,
    };
    all.sort_by_key(|(method, path, _)| (weight(method, path), path.clone(), method.to_string()));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_business_somewhere_is_refused_sees_nothing_and_changes_nothing() {
    let product = Product::start().await;
    let operator = Person { name: "an operator", cookie: String::new(), operator: true };
    let (ada, staff) = (product.logged_in("ada", "ada").await, product.logged_in("staff", RESTAURANT).await);
    let product = product.with_an_order_of(&ada, &staff).await;
    let others = [
        (Person::guest(), Role::Customer),
        (product.signed_up("bo").await, Role::Customer),
        (product.logged_in("staff of another restaurant", "dim-sun").await, Role::Restaurant),
        (product.logged_in("a courier", "kim").await, Role::Courier),
    ];
    let before = product.state(&operator).await;
    assert_eq!((before[0]["status"].as_str(), before[0]["customerName"].as_str()), (Some("paid"), Some(SECRETS[0])));
    let mut wrong = Vec::new();
    for (method, route, rule) in &product.routes {
        for (person, role) in &others {
            if person.cookie.contains("feast_login") && (route.contains("logout") || route == "/api/session") {
                continue;
            }
            let answer = product.walk(person, method, route).await;
            let mut note = |what: &str| wrong.push(format!("{what}: {}", said(person, method, route, *rule, &answer)));
            if answer.status >= 500 {
                note("broken");
            }
            if SECRETS.iter().any(|secret| answer.body.contains(secret)) {
                note("told");
            }
            let names_a_restaurant = restaurant(route, "/").is_some();
            let admitted = match rule {
                Public | Session | Loopback => continue,
                Account => !person.cookie.is_empty(),
                Staff => *role == Role::Restaurant && !names_a_restaurant,
                Courier => *role == Role::Courier,
                Operator => false,
            };
            // Inside, the services judge by what only they know: whose order it is, whose ride.
            let page = *method == Method::GET && !route.contains('{');
            match answer.is_refusal() {
                false if !admitted => note("let in"),
                true if admitted && page => note("turned away"),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(product.state(&operator).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_business_somewhere_is_let_in() {
    let product = Product::start().await;
    let operator = Person { name: "an operator", cookie: String::new(), operator: true };
    let (ada, staff) = (product.logged_in("ada", "ada").await, product.logged_in("staff", RESTAURANT).await);
    let kim = product.logged_in("kim", "kim").await;
    let product = product.with_an_order_of(&ada, &staff).await;
    for own in ["/api/orders", "/api/customers", "/api/customers/{name}/orders", "/api/orders/{id}", "/orders/{id}", "/events/orders/{id}"]
    {
        let seen = product.walk(&ada, &Method::GET, own).await;
        assert!(seen.body.contains(SECRETS[0]) || seen.body.contains(SECRETS[1]), "{own}: {} {}", seen.status, seen.body);
    }
    for board in ["/api/restaurants/{id}/orders", "/events/restaurants/{id}"] {
        let seen = product.walk(&staff, &Method::GET, board).await;
        assert!(seen.body.contains(SECRETS[0]), "{board}: {} {}", seen.status, seen.body);
    }
    let mut wrong = Vec::new();
    for (method, route, rule) in &product.routes {
        let persons: &[&Person] = match rule {
            Public | Session | Account => &[&ada],
            Loopback => &[&ada, &operator],
            Staff => &[&staff, &operator],
            Courier => &[&kim],
            Operator => &[&operator],
        };
        for (at, person) in persons.iter().enumerate() {
            let answer = product.walk(person, method, route).await;
            let wrong_password = answer.status == 401 && matches!(route.as_str(), "/login" | "/api/profile/password");
            let let_in = !answer.is_refusal() && answer.status < 500 && answer.status != 405;
            // The others get what they ask for but once: a dish is added or taken off the menu, an order accepted.
            let asks_nothing = matches!(route.as_str(), "/api/users" | "/api/session" | "/api/traces/{id}" | "/api/telemetry/snapshot")
                || route.contains("replay");
            let again = at > 0 || matches!(*method, Method::POST | Method::DELETE);
            let done = answer.status < 400 || (again && matches!(answer.status, 404 | 409));
            if !wrong_password && !(let_in && (done || asks_nothing || !route.starts_with("/api/"))) {
                wrong.push(said(person, method, route, *rule, &answer));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn said(person: &Person, method: &Method, route: &str, rule: Rule, answer: &Answer) -> String {
    format!("{}: {method} {route} ({rule:?}): {} {:.200}", person.name, answer.status, answer.body)
}

#[tokio::test]
async fn every_restaurant_of_the_menus_has_its_staff_in_the_demonstration() {
    let product = Product::start().await;
    let listed = product.api(&Person::guest(), Method::GET, "/api/restaurants", Value::Null).await;
    let mut listed: Vec<(String, String)> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one["name"].as_str().unwrap().to_owned()))
        .collect();
    let mut staffed = user::demo::RESTAURANTS.map(|(id, name)| (id.to_owned(), name.to_owned())).to_vec();
    listed.sort();
    staffed.sort();
    assert_eq!(listed, staffed);
}
