//! What supervisors and scrapers ask of every process.

use crate::harness::{LATTE, Mode, Platform, SERVICES, on_both_platforms};
use serde_json::Value;

on_both_platforms! {
    every_process_is_alive_ready_and_says_what_it_depends_on,
    every_process_counts_what_it_does,
}

async fn every_process_is_alive_ready_and_says_what_it_depends_on(platform: &Platform) {
    for (name, http) in platform.doors() {
        assert_eq!(http.get("/health").send().await.body, "ok", "{name}");
        let ready = http.get("/ready").send().await.expect(200);
        assert_eq!((&ready["ready"], &ready["service"]), (&true.into(), &name.into()));
        let dependencies = ready["dependencies"].as_array().unwrap();
        assert!(dependencies.iter().all(|dependency| dependency["ready"] == true), "{ready}");
        let names: Vec<&str> = dependencies.iter().map(|dependency| dependency["name"].as_str().unwrap()).collect();
        let expected: &[&str] = match (platform.mode, name) {
            (Mode::Embedded, _) => &["sqlite"],
            (_, "server") => &SERVICES,
            (_, "order") => &["sqlite", "cart", "menu", "middleware"],
            (_, "cart") => &["redis", "menu"],
            (_, "middleware") => &["sqlite", "redis"],
            _ => &["sqlite"],
        };
        assert!(expected.iter().all(|dependency| names.contains(dependency)), "{name}: {names:?}");
    }
}

async fn every_process_counts_what_it_does(platform: &Platform) {
    let cart = platform.cart_with(&[(LATTE, 2)]).await;
    platform.quote(&cart).send().await.expect(200);
    platform.order(&cart).send().await.expect(201);
    platform.http.get("/api/cart/none").send().await.refused(404, "CART_NOT_FOUND", "counted, too");
    platform.flip("menu-item-failure", LATTE).await;
    platform.http.get(&format!("/api/menu/{LATTE}")).send().await.refused(500, "FEATURE_FLAG_CHAOS", "counted, too");

    let mut all = String::new();
    for (name, http) in platform.doors() {
        let answer = http.get("/metrics").send().await;
        assert!(answer.status == 200 && answer.header("content-type").starts_with("text/plain"), "{name}");
        // Nobody has asked the others anything yet.
        if ["server", "menu", "middleware", "cart", "order"].contains(&name) {
            assert!(answer.body.contains(&format!("service_name=\"{name}\"")), "{name}");
            assert!(answer.body.contains("# TYPE http_server_request_duration_seconds histogram"), "{name}");
        }
        all.push_str(&answer.body);
    }
    for family in [
        "http_server_request_duration_seconds_count",
        "http_client_request_duration_seconds_count",
        "db_client_operation_duration_seconds_count",
        "feast_carts_created_total",
        "feast_cart_items_added_total",
        "feast_orders_total",
        "feast_revenue",
        "feast_cart_size",
        "feast_stock_takes_total",
        "feature_flag",
        "chaos_injections",
    ] {
        assert!(all.lines().any(|line| line.starts_with(family)), "{family}");
    }
    // A stranger's addresses are routes in our metrics, so that their number is bounded.
    assert!(all.contains("http_route=\"/cart/{id}\"") && !all.contains(&cart), "no ids in labels");
    let orders: Value = count(&all, "feast_orders_total", "feast_order_status=\"pending\"").into();
    assert_eq!(orders, 1.0);
}

/// The value of the one line that starts and holds this.
fn count(metrics: &str, name: &str, label: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(name) && line.contains(label)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}
