//! Many hands in one cart: what was answered with success is in it, and nothing else.

use crate::harness::{LATTE, Platform, on_both_platforms};
use futures::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;

on_both_platforms! {
    fifty_additions_at_once_of_different_dishes_all_survive,
    of_fifty_additions_at_once_of_one_dish_ten_survive,
    additions_and_removals_at_once_leave_what_was_answered,
}

fn quantities(cart: &Value) -> BTreeMap<String, u64> {
    let lines = cart["items"].as_array().unwrap().iter();
    lines.map(|line| (line["itemId"].as_str().unwrap().to_owned(), line["quantity"].as_u64().unwrap())).collect()
}

async fn dishes(platform: &Platform) -> Vec<String> {
    let menu = platform.http.get("/api/menu").send().await.expect(200);
    menu.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn fifty_additions_at_once_of_different_dishes_all_survive(platform: &Platform) {
    let (cart, dishes) = (platform.new_cart().await, dishes(platform).await);
    let added: Vec<&String> = dishes.iter().cycle().take(50).collect();
    let answers = join_all(added.iter().map(|dish| platform.add(&cart, dish, 1).send())).await;
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    for (answer, dish) in answers.iter().zip(added) {
        answer.expect(200);
        *expected.entry(dish.clone()).or_default() += 1;
    }
    assert_eq!(quantities(&platform.cart(&cart).await), expected);
}

async fn of_fifty_additions_at_once_of_one_dish_ten_survive(platform: &Platform) {
    let cart = platform.new_cart().await;
    let answers = join_all((0..50).map(|_| platform.add(&cart, LATTE, 1).send())).await;
    let (added, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((added.len(), refused.len()), (10, 40));
    for answer in refused {
        answer.refused(409, "CART_LINE_LIMIT", "past ten");
    }
    assert_eq!(quantities(&platform.cart(&cart).await), BTreeMap::from([(LATTE.to_owned(), 10)]));
}

async fn additions_and_removals_at_once_leave_what_was_answered(platform: &Platform) {
    let dishes = dishes(platform).await;
    let cart = platform.cart_with(&dishes.iter().map(|dish| (dish.as_str(), 1)).collect::<Vec<_>>()).await;
    let (kept, removed) = dishes.split_at(dishes.len() / 2);
    let adding = join_all(kept.iter().cycle().take(20).map(|dish| platform.add(&cart, dish, 1).send()));
    let removing = join_all(removed.iter().map(|dish| platform.http.delete(&format!("/api/cart/{cart}/items/{dish}")).send()));
    let (added, gone) = futures::join!(adding, removing);
    for answer in added.iter().chain(&gone) {
        answer.expect(200);
    }
    let expected: BTreeMap<String, u64> = kept.iter().map(|dish| (dish.clone(), 1 + 20 / kept.len() as u64)).collect();
    assert_eq!(quantities(&platform.cart(&cart).await), expected);
}
