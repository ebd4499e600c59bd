//! The counter of what is left: exact whatever happens at once, and untouched by what is refused.

use crate::harness::{LATTE, Platform, on_both_platforms};
use futures::future::join_all;
use serde_json::json;

on_both_platforms! {
    of_sixty_four_customers_at_once_ten_get_the_last_ten_lattes,
    a_refused_order_leaves_all_stock_as_it_was,
    an_item_that_is_sold_out_by_flag_is_refused_and_takes_nothing,
    stock_is_set_by_operators_in_whole_numbers,
}

async fn of_sixty_four_customers_at_once_ten_get_the_last_ten_lattes(platform: &Platform) {
    platform.flip("inventory-shortage", "no-replenishment").await;
    platform.set_stock(LATTE, 10).await;
    let carts = join_all((0..64).map(|_| platform.cart_with(&[(LATTE, 1)]))).await;
    let buying = async {
        let answers = join_all(carts.iter().map(|cart| platform.order(cart).send())).await;
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            refused.refused(409, "OUT_OF_STOCK", "too late");
        }
        answers.iter().filter(|answer| answer.status == 201).count()
    };
    let watching = async {
        let mut lowest = i64::MAX;
        for _ in 0..20 {
            lowest = lowest.min(platform.stock(LATTE).await);
        }
        lowest
    };
    let (sold, lowest) = futures::join!(buying, watching);
    assert_eq!((sold, platform.stock(LATTE).await, platform.orders().await.len()), (10, 0, 10));
    assert!(lowest >= 0, "{lowest}");
}

async fn a_refused_order_leaves_all_stock_as_it_was(platform: &Platform) {
    for (item, stock) in [("supernova-espresso", 100), ("galaxy-mocha", 100), (LATTE, 1)] {
        platform.set_stock(item, stock).await;
    }
    let before = platform.stocks().await;
    let cart = platform.cart_with(&[("supernova-espresso", 3), ("galaxy-mocha", 4), (LATTE, 2)]).await;
    for _ in 0..3 {
        platform.order(&cart).send().await.refused(409, "OUT_OF_STOCK", "one line of three");
        assert_eq!(platform.stocks().await, before);
    }
    assert!(platform.orders().await.is_empty());
    assert_eq!(platform.cart(&cart).await["items"].as_array().unwrap().len(), 3, "the cart can still be changed");
    platform.set_stock(LATTE, 52).await;
    platform.order(&cart).send().await.expect(201);
    let after = [platform.stock("supernova-espresso").await, platform.stock("galaxy-mocha").await, platform.stock(LATTE).await];
    assert_eq!(after, [97, 96, 50]);
}

async fn an_item_that_is_sold_out_by_flag_is_refused_and_takes_nothing(platform: &Platform) {
    platform.set_stock(LATTE, 100).await;
    platform.set_stock("galaxy-mocha", 100).await;
    let cart = platform.cart_with(&[("galaxy-mocha", 1), (LATTE, 1)]).await;
    platform.flip("inventory-shortage", "sold-out").await;
    let before = platform.stocks().await;
    platform.order(&cart).send().await.refused(409, "OUT_OF_STOCK", "by flag");
    assert_eq!(platform.stocks().await, before);
    platform.clear("inventory-shortage").await;
    platform.order(&cart).send().await.expect(201);
}

async fn stock_is_set_by_operators_in_whole_numbers(platform: &Platform) {
    platform.set_stock(LATTE, 60).await;
    let path = format!("/api/inventory/{LATTE}");
    platform.http.put(&path, json!({"stock": 1})).send().await.refused(401, "UNAUTHORIZED", "a customer");
    platform.http.get("/api/inventory").send().await.refused(401, "UNAUTHORIZED", "a customer");
    for (wrong, code) in [
        (json!({"stock": -1}), "INVALID_QUANTITY"),
        (json!({"stock": 1e12}), "INVALID_QUANTITY"),
        (json!({"stock": 1.5}), "INVALID_QUANTITY"),
        (json!({"stock": "7"}), "INVALID_QUANTITY"),
        (json!({}), "INVALID_BODY"),
        (json!([]), "INVALID_BODY"),
    ] {
        platform.http.put(&path, wrong.clone()).operator().send().await.refused(400, code, &wrong.to_string());
    }
    assert_eq!(platform.stock(LATTE).await, 60);
}
