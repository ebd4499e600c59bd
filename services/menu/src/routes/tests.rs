use super::{MAX_FILTER_BYTES, MAX_IDS};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use contract::menu::{ItemsReply, MenuItem, Restaurant, RestaurantMenu};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Status and code of the one error shape.
    fn error(&self) -> (u16, String) {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert!(body["error"].is_string() && body["requestId"].is_string(), "{body}");
        (self.status.as_u16(), body["code"].as_str().unwrap().to_owned())
    }
}

async fn ask(method: Method, path: &str, etag: Option<&str>) -> Answer {
    let app = crate::build(&testkit::platform().0).await.unwrap().router;
    let mut request = Request::builder().method(method).uri(path);
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
}

async fn get(path: &str) -> Answer {
    ask(Method::GET, path, None).await
}

#[tokio::test]
async fn the_menu_is_the_coffee_bars_eight_drinks_as_a_bare_array() {
    let items: Vec<MenuItem> = get("/api/menu").await.json();
    assert_eq!(items.len(), 8);
    assert!(items.iter().all(|item| item.restaurant_id.as_str() == "cosmic-coffee" && item.in_stock));

    let raw: Value = get("/api/menu").await.json();
    let latte = &raw[0];
    assert_eq!(
        (latte["id"].as_str(), latte["basePrice"].as_f64(), latte["emoji"].as_str()),
        (Some("nebula-latte"), Some(5.99), Some("🌌"))
    );
    for field in ["id", "name", "description", "emoji", "basePrice", "inStock", "restaurantId", "category", "tags"] {
        assert!(latte.get(field).is_some(), "{field}");
    }
}

#[tokio::test]
async fn an_item_of_any_restaurant_is_found_by_its_id() {
    let item: MenuItem = get("/api/menu/supernova-espresso").await.json();
    assert_eq!(item.base_price.cents(), 399);
    let item: MenuItem = get("/api/menu/butter-chicken-one").await.json();
    assert_eq!(item.restaurant_id.as_str(), "masala-mission-control");
}

#[tokio::test]
async fn an_item_nobody_serves_is_not_found() {
    for id in ["no-such-thing", "%F0%9F%8C%8C", "..%2Fmenu", "%27%20OR%201%3D1", &"x".repeat(10_000)] {
        assert_eq!(get(&format!("/api/menu/{id}")).await.error(), (404, "ITEM_NOT_FOUND".to_owned()), "{id}");
    }
    assert_eq!(get("/api/menu/%FF").await.error(), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn restaurants_are_listed_alone_and_with_their_dishes() {
    let restaurants: Vec<Restaurant> = get("/api/restaurants").await.json();
    assert!(restaurants.len() >= 7);
    for restaurant in restaurants {
        let id = &restaurant.id;
        assert_eq!(get(&format!("/api/restaurants/{id}")).await.json::<Restaurant>(), restaurant);
        let items: Vec<MenuItem> = get(&format!("/api/restaurants/{id}/menu")).await.json();
        assert_eq!(items.len(), restaurant.item_count as usize);
        let menu: RestaurantMenu = get(&format!("/internal/restaurants/{id}")).await.json();
        assert_eq!(menu, RestaurantMenu { restaurant, items });
    }
}

#[tokio::test]
async fn a_restaurant_that_is_not_there_is_not_found_at_each_of_its_addresses() {
    for path in [
        "/api/restaurants/nowhere",
        "/api/restaurants/nowhere/menu",
        "/api/restaurants/nowhere/recommendations",
        "/internal/restaurants/nowhere",
    ] {
        assert_eq!(get(path).await.error(), (404, "RESTAURANT_NOT_FOUND".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn restaurants_are_filtered_by_city_cuisine_and_text() {
    let ids = async |query: &str| -> Vec<String> {
        let found: Vec<Restaurant> = get(&format!("/api/restaurants?{query}")).await.json();
        found.into_iter().map(|restaurant| restaurant.id.to_string()).collect()
    };
    assert_eq!(ids("city=TOKYO").await, ["event-horizon-ramen"]);
    assert_eq!(ids("city=mexico+city&q=guacamole").await, ["asteroid-belt-taqueria"]);
    assert_eq!(ids("cuisine=plant-based").await, ["greenhouse-module"]);
    assert_eq!(ids("q=TIRAMIS%C3%99").await, ["orbita-pizzeria"]);
    assert_eq!(ids("city=&cuisine=&q=").await.len(), ids("").await.len());
    assert!(ids("q=%3Cscript%3E").await.is_empty());
}

#[tokio::test]
async fn filters_that_cannot_be_read_or_are_endless_are_refused() {
    let endless = format!("q={}", "x".repeat(MAX_FILTER_BYTES + 1));
    for query in [endless.as_str(), "city=a&city=b"] {
        assert_eq!(get(&format!("/api/restaurants?{query}")).await.error(), (400, "INVALID_QUERY".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn many_items_come_in_one_round_trip_with_their_restaurants() {
    let reply: ItemsReply = get("/internal/items?ids=rocket-fuel,quantum-miso,unknown,rocket-fuel,nebula-latte").await.json();
    let mut items: Vec<_> = reply.items.iter().map(|item| item.id.as_str()).collect();
    items.sort_unstable();
    assert_eq!(items, ["nebula-latte", "quantum-miso", "rocket-fuel"]);
    let zones: Vec<_> = reply.restaurants.iter().map(|place| (place.id.as_str(), place.time_zone.as_str())).collect();
    assert_eq!(zones, [("cosmic-coffee", "Europe/Berlin"), ("event-horizon-ramen", "Asia/Tokyo")]);

    let nothing: ItemsReply = get("/internal/items?ids=").await.json();
    assert!(nothing.items.is_empty() && nothing.restaurants.is_empty());
}

#[tokio::test]
async fn more_than_a_hundred_ids_or_none_at_all_are_refused() {
    let ids = |count: usize| vec!["nebula-latte"; count].join(",");
    let full: ItemsReply = get(&format!("/internal/items?ids={}", ids(MAX_IDS))).await.json();
    assert_eq!(full.items.len(), 1);
    for path in [format!("/internal/items?ids={}", ids(MAX_IDS + 1)), "/internal/items".to_owned()] {
        assert_eq!(get(&path).await.error(), (400, "INVALID_QUERY".to_owned()));
    }
}

#[tokio::test]
async fn a_body_the_caller_has_already_is_not_sent_again() {
    for path in [
        "/api/menu",
        "/api/menu/nebula-latte",
        "/api/restaurants",
        "/api/restaurants/dim-sun",
        "/api/restaurants/dim-sun/menu",
        "/api/restaurants/dim-sun/recommendations",
        "/internal/restaurants/dim-sun",
    ] {
        let first = get(path).await;
        let etag = first.headers[header::ETAG].to_str().unwrap();
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() == 34, "{etag}");
        assert_eq!(first.headers[header::CACHE_CONTROL], "no-cache");

        let second = ask(Method::GET, path, Some(etag)).await;
        assert_eq!((second.status, second.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(second.headers[header::ETAG], etag);
        assert!(!second.headers.contains_key(header::CONTENT_TYPE));

        let stale = ask(Method::GET, path, Some("\"yesterday\"")).await;
        assert_eq!((stale.status, stale.body), (StatusCode::OK, first.body), "{path}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_the_one_error_shape() {
    assert_eq!(get("/nowhere").await.error(), (404, "NOT_FOUND".to_owned()));
    let posted = ask(Method::POST, "/api/menu", None).await;
    assert_eq!(posted.error(), (405, "METHOD_NOT_ALLOWED".to_owned()));
    assert_eq!(posted.headers[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn a_head_request_has_the_headers_without_the_body() {
    let head = ask(Method::HEAD, "/api/menu", None).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers[header::ETAG], get("/api/menu").await.headers[header::ETAG]);
}

#[tokio::test]
async fn restaurants_that_are_closed_can_be_left_out() {
    // Ten in the morning in London is four in Houston, where the kitchen is cold.
    let houston: Restaurant = get("/api/restaurants/houston-burgers").await.json();
    assert!(!houston.open && !houston.paused);
    let all: Vec<Restaurant> = get("/api/restaurants?open=").await.json();
    let open: Vec<Restaurant> = get("/api/restaurants?open=true").await.json();
    assert!(open.iter().all(|restaurant| restaurant.open) && open.len() < all.len());
    assert!(all.iter().any(|restaurant| restaurant.id == houston.id));
    assert_eq!(get("/api/restaurants?open=perhaps").await.error(), (400, "INVALID_QUERY".to_owned()));
}

#[tokio::test]
async fn a_restaurant_has_a_place_in_its_city_and_some_dishes_have_choices() {
    let coffee: Restaurant = get("/api/restaurants/cosmic-coffee").await.json();
    assert_eq!(coffee.location, contract::geo::locate("Berlin", "Cosmic Coffee"));
    assert!(coffee.open);
    let latte: MenuItem = get("/api/menu/nebula-latte").await.json();
    assert_eq!(latte.options[0].name, "Milk");
    assert!(latte.options[0].choices.len() > 1);
}
