//! What staff change is what everybody sees.

use crate::house::{COFFEE, House, STAFF, Who};
use contract::menu::{MenuItem, Restaurant, RestaurantMenu};
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const ITEMS: &str = "/api/restaurants/cosmic-coffee/items";
const LATTE: &str = "/api/restaurants/cosmic-coffee/items/nebula-latte";

fn dish(name: &str) -> Value {
    json!({
        "name": name, "description": "Hot.", "emoji": "🥐", "basePrice": 3.5, "category": "Milk & Foam", "tags": ["vegan"],
        "options": [{ "name": "Filling", "choices": ["None", "Jam"] }],
    })
}

async fn menus(house: &House) -> Vec<RestaurantMenu> {
    let restaurants: Vec<Restaurant> = serde_json::from_value(house.see("/api/restaurants").await).unwrap();
    let mut menus = Vec::new();
    for restaurant in restaurants {
        menus.push(serde_json::from_value(house.see(&format!("/internal/restaurants/{}", restaurant.id)).await).unwrap());
    }
    menus
}

/// The menus a new platform has; who is open depends on the hour.
async fn assert_as_it_came(house: &House) {
    let mut now = menus(house).await;
    now.iter_mut().for_each(|menu| menu.restaurant.open = true);
    assert_eq!(now, menu::seed().unwrap());
}

pub async fn an_empty_database_begins_with_the_menus_the_platform_comes_with(house: House) {
    assert_as_it_came(&house).await;
}

pub async fn a_restaurant_is_changed_field_by_field(house: House) {
    let before = house.see(COFFEE).await;
    let answer = house.write("PATCH", COFFEE, json!({ "name": " Cosmic Tea ", "tagline": "" })).await;
    let after = house.see(COFFEE).await;
    assert_eq!(answer, after);
    assert_eq!((&after["name"], &after["tagline"]), (&json!("Cosmic Tea"), &json!("")));
    assert_eq!((&after["description"], &after["itemCount"]), (&before["description"], &before["itemCount"]));
    assert_eq!(house.write("PATCH", COFFEE, json!({})).await, after, "nothing asked for, nothing changed");
    let found = house.see("/api/restaurants?q=tea").await;
    assert!(found.as_array().unwrap().iter().any(|one| one["id"] == "cosmic-coffee"), "and it is found by its new name");
}

pub async fn a_paused_restaurant_is_closed_at_once(house: House) {
    let answer = house.write("PATCH", COFFEE, json!({ "paused": true })).await;
    assert_eq!((&answer["paused"], &answer["open"]), (&json!(true), &json!(false)));
    assert_eq!(house.see(COFFEE).await["open"], false);
    assert_eq!(house.see("/internal/items?ids=nebula-latte").await["restaurants"][0]["open"], false);
    house.write("PATCH", COFFEE, json!({ "paused": false })).await;
    assert_eq!(house.see(COFFEE).await["open"], true);
}

pub async fn a_restaurant_closes_and_opens_by_its_new_hours(house: House) {
    // The clock stands at eleven in Berlin.
    house.write("PATCH", COFFEE, json!({ "hours": { "opens": 11 * 60, "closes": 11 * 60 + 2 } })).await;
    assert_eq!(house.see(COFFEE).await["open"], true);
    house.clock.advance(Duration::from_secs(119));
    assert_eq!(house.see(COFFEE).await["open"], true);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.see(COFFEE).await["open"], false);
    assert_eq!(house.see("/internal/restaurants/cosmic-coffee").await["restaurant"]["open"], false);
    house.clock.advance(Duration::from_secs(24 * 3600 - 120));
    assert_eq!(house.see(COFFEE).await["open"], true);
}

pub async fn a_new_dish_is_on_the_menu_under_an_id_made_of_its_name(house: House) {
    let (status, answer) = house.ask(STAFF, "POST", ITEMS, Some(dish("Crème Croissant"))).await;
    assert_eq!(status, 201, "{answer}");
    let item: MenuItem = serde_json::from_value(answer).unwrap();
    assert_eq!((item.id.as_str(), item.base_price.cents(), item.in_stock), ("creme-croissant", 350, true));
    assert_eq!(serde_json::from_value::<MenuItem>(house.see("/api/menu/creme-croissant").await).unwrap(), item);
    let menu: RestaurantMenu = serde_json::from_value(house.see("/internal/restaurants/cosmic-coffee").await).unwrap();
    assert_eq!((menu.restaurant.item_count as usize, menu.items.len()), (9, 9));
    let of_category: Vec<&str> = menu.items.iter().filter(|one| one.category == "Milk & Foam").map(|one| one.id.as_str()).collect();
    assert_eq!(of_category.last(), Some(&"creme-croissant"));
    assert_eq!(menu.items[of_category.len() - 1].id, item.id, "it stands with its category");
}

pub async fn a_dish_that_is_there_is_not_added_again(house: House) {
    for name in ["Nebula Latte", "nebula  latte!"] {
        assert_eq!(house.refusal(STAFF, "POST", ITEMS, Some(dish(name))).await, (409, "ITEM_EXISTS".to_owned()), "{name}");
    }
    assert_eq!(house.refusal(STAFF, "PUT", LATTE, Some(dish("Galaxy Mocha"))).await, (409, "ITEM_EXISTS".to_owned()));
    assert_as_it_came(&house).await;
}

pub async fn two_restaurants_may_have_a_dish_of_one_name(house: House) {
    let other = "/api/restaurants/dim-sun/items";
    let (status, answer) = house.ask(Who::StaffOf("dim-sun"), "POST", other, Some(dish("Nebula Latte"))).await;
    assert_eq!((status, &answer["id"]), (201, &json!("nebula-latte-dim-sun")), "{answer}");
    assert_eq!(house.see("/api/menu/nebula-latte").await["restaurantId"], "cosmic-coffee");
}

pub async fn a_dish_is_replaced(house: House) {
    let answer = house.write("PUT", LATTE, dish("Nebula Croissant")).await;
    assert_eq!((&answer["id"], &answer["name"], &answer["tags"]), (&json!("nebula-latte"), &json!("Nebula Croissant"), &json!(["vegan"])));
    assert_eq!(house.see("/api/menu/nebula-latte").await, answer);
    assert_eq!(house.write("PUT", LATTE, dish("Nebula Croissant")).await, answer, "twice is as once");
}

pub async fn price_and_availability_are_changed_alone(house: House) {
    let before = house.see("/api/menu/nebula-latte").await;
    let answer = house.write("PATCH", LATTE, json!({ "basePrice": 7.25 })).await;
    assert_eq!((&answer["basePrice"], &answer["inStock"], &answer["options"]), (&json!(7.25), &json!(true), &before["options"]));
    let answer = house.write("PATCH", LATTE, json!({ "inStock": false })).await;
    assert_eq!((&answer["basePrice"], &answer["inStock"]), (&json!(7.25), &json!(false)));
    assert_eq!(house.see("/internal/items?ids=nebula-latte").await["items"][0], answer);
}

pub async fn a_deleted_dish_is_gone_from_every_address(house: House) {
    assert_eq!(house.ask(STAFF, "DELETE", LATTE, None).await, (204, Value::Null));
    assert_eq!(house.refusal(Who::Nobody, "GET", "/api/menu/nebula-latte", None).await, (404, "ITEM_NOT_FOUND".to_owned()));
    assert!(house.see("/api/menu").await.as_array().unwrap().iter().all(|item| item["id"] != "nebula-latte"));
    assert_eq!(house.see("/internal/items?ids=nebula-latte").await["items"], json!([]));
    assert_eq!(house.see(COFFEE).await["itemCount"], 7);
    assert_eq!(house.refusal(STAFF, "DELETE", LATTE, None).await, (404, "ITEM_NOT_FOUND".to_owned()));
    house.write("POST", ITEMS, dish("Nebula Latte")).await;
    assert_eq!(house.see("/api/menu/nebula-latte").await["basePrice"], 3.5, "and may come back");
}

pub async fn what_cannot_be_on_a_menu_is_refused_and_changes_nothing(house: House) {
    let with = |field: &str, value: Value| {
        let mut dish = dish("Strange");
        dish[field] = value;
        dish
    };
    let long = |chars: usize| json!("x".repeat(chars));
    for body in [
        with("name", json!("")),
        with("name", long(81)),
        with("basePrice", json!(0)),
        with("basePrice", json!(1000.01)),
        with("description", long(501)),
        with("emoji", json!("<b>")),
        with("tags", json!(vec!["a"; 13])),
        with("tags", json!([""])),
        with("options", json!(vec![json!({ "name": "a", "choices": ["b"] }); 7])),
        with("options", json!([{ "name": "Milk", "choices": [] }])),
        with("options", json!([{ "name": "Milk", "choices": ["a, b"] }])),
    ] {
        for (method, path) in [("POST", ITEMS), ("PUT", LATTE)] {
            let refusal = house.refusal(STAFF, method, path, Some(body.clone())).await;
            assert_eq!(refusal, (400, "INVALID_MENU".to_owned()), "{method} {body}");
        }
    }
    for body in [json!({ "hours": { "opens": 0, "closes": 1440 } }), json!({ "name": "\u{0}" }), json!({ "tagline": "a\nb" })] {
        assert_eq!(house.refusal(STAFF, "PATCH", COFFEE, Some(body)).await, (400, "INVALID_MENU".to_owned()));
    }
    for (method, path, body) in [
        ("PATCH", LATTE, json!({ "basePrice": -1 })),
        ("PATCH", LATTE, json!({ "basePrice": 1.999 })),
        ("PATCH", COFFEE, json!({ "hours": { "opens": -1, "closes": 5 } })),
        ("PATCH", COFFEE, json!({ "paused": "yes" })),
        ("POST", ITEMS, json!({ "name": "No price" })),
    ] {
        assert_eq!(house.refusal(STAFF, method, path, Some(body.clone())).await, (400, "INVALID_BODY".to_owned()), "{method} {body}");
    }
    assert_eq!(house.refusal(STAFF, "PATCH", LATTE, Some(json!({ "basePrice": 0 }))).await, (400, "INVALID_MENU".to_owned()));
    assert_as_it_came(&house).await;
}

pub async fn what_is_not_there_is_not_found(house: House) {
    let nowhere = |rest: &str| format!("/api/restaurants/nowhere{rest}");
    let missing = (404, "RESTAURANT_NOT_FOUND".to_owned());
    assert_eq!(house.refusal(Who::Operator, "PATCH", &nowhere(""), Some(json!({ "paused": true }))).await, missing);
    assert_eq!(house.refusal(Who::Operator, "POST", &nowhere("/items"), Some(dish("Pie"))).await, missing);
    assert_eq!(house.refusal(Who::Operator, "GET", &nowhere("/figures"), None).await, missing);
    assert_eq!(house.refusal(Who::Operator, "DELETE", &nowhere("/items/nebula-latte"), None).await, missing);
    let missing = (404, "ITEM_NOT_FOUND".to_owned());
    assert_eq!(house.refusal(STAFF, "PUT", &format!("{ITEMS}/pie"), Some(dish("Pie"))).await, missing);
    assert_eq!(house.refusal(STAFF, "PATCH", &format!("{ITEMS}/pie"), Some(json!({ "inStock": false }))).await, missing);
    // Another restaurant's.
    assert_eq!(house.refusal(STAFF, "DELETE", &format!("{ITEMS}/quantum-miso"), None).await, missing);
    assert_as_it_came(&house).await;
}

pub async fn a_menu_has_an_end(house: House) {
    let first = house.see(COFFEE).await["itemCount"].as_u64().unwrap();
    let adding = (first..200).map(async |n| house.write("POST", ITEMS, dish(&format!("Dish {n}"))).await);
    join_all(adding).await;
    assert_eq!(house.refusal(STAFF, "POST", ITEMS, Some(dish("One more"))).await, (400, "INVALID_MENU".to_owned()));
    assert_eq!(house.see(COFFEE).await["itemCount"], 200);
}

pub async fn edits_of_different_fields_at_once_all_survive(house: House) {
    let edits = [
        (COFFEE, json!({ "name": "Renamed" })),
        (COFFEE, json!({ "tagline": "At once" })),
        (COFFEE, json!({ "paused": true })),
        (LATTE, json!({ "basePrice": 1.5 })),
        (LATTE, json!({ "inStock": false })),
    ];
    join_all(edits.into_iter().map(|(path, body)| house.write("PATCH", path, body))).await;
    let (bar, latte) = (house.see(COFFEE).await, house.see("/api/menu/nebula-latte").await);
    assert_eq!((&bar["name"], &bar["tagline"], &bar["paused"]), (&json!("Renamed"), &json!("At once"), &json!(true)));
    assert_eq!((&latte["basePrice"], &latte["inStock"]), (&json!(1.5), &json!(false)));
}

pub async fn of_many_who_add_the_same_dish_one_does(house: House) {
    let adding = (0..16).map(|_| house.ask(STAFF, "POST", ITEMS, Some(dish("Bagel"))));
    let mut outcomes: Vec<u16> = join_all(adding).await.into_iter().map(|(status, _)| status).collect();
    outcomes.sort_unstable();
    assert_eq!((outcomes[0], &outcomes[1..]), (201, &[409; 15][..]));
}

pub async fn a_reset_brings_back_the_menus_the_platform_comes_with(house: House) {
    house.write("PATCH", COFFEE, json!({ "name": "Renamed", "paused": true })).await;
    house.write("POST", ITEMS, dish("Bagel")).await;
    assert_eq!(house.ask(STAFF, "DELETE", LATTE, None).await.0, 204);
    for _ in 0..2 {
        assert_eq!(house.ask(Who::Operator, "POST", "/internal/reset", None).await, (204, Value::Null));
        assert_as_it_came(&house).await;
    }
}

pub async fn a_changed_body_has_another_tag(house: House) {
    // The tag is of the body, so one that is put back has its old one.
    let items = house.see("/api/menu").await;
    house.write("PATCH", LATTE, json!({ "basePrice": 6.5 })).await;
    assert_ne!(house.see("/api/menu").await, items);
    house.write("PATCH", LATTE, json!({ "basePrice": 5.99 })).await;
    assert_eq!(house.see("/api/menu").await, items);
}

pub async fn a_store_that_is_down_refuses_changes_and_leaves_the_menus(house: House) {
    testkit::flip(&house.platform, "store-down", "menu");
    let change = Some(json!({ "paused": true }));
    assert_eq!(house.refusal(STAFF, "PATCH", COFFEE, change).await, (503, "STORE_UNAVAILABLE".to_owned()));
    assert_eq!(house.refusal(STAFF, "GET", &format!("{COFFEE}/figures"), None).await, (503, "STORE_UNAVAILABLE".to_owned()));
    assert_as_it_came(&house).await;
}

pub async fn without_the_cache_menus_are_right_and_a_database_that_is_down_is_seen(house: House) {
    let (before, item) = (house.see("/api/menu").await, house.see("/api/menu/nebula-latte").await);
    testkit::flip(&house.platform, "menu-cache-off", "all");
    assert_eq!((house.see("/api/menu").await, house.see("/api/menu/nebula-latte").await), (before.clone(), item));
    house.write("PATCH", COFFEE, json!({ "name": "Renamed" })).await;
    assert_eq!(house.see(COFFEE).await["name"], "Renamed");
    testkit::flip(&house.platform, "store-down", "menu");
    assert_eq!(house.refusal(Who::Nobody, "GET", "/api/menu", None).await, (503, "STORE_UNAVAILABLE".to_owned()));
    testkit::flip(&house.platform, "menu-cache-off", "off");
    assert_eq!(house.see("/api/menu").await, before, "with the cache nobody notices");
}
