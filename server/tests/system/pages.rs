//! Pages and what they are made of, as a browser without scripts sees them.

use crate::harness::{LATTE, Platform, on_both_platforms};

on_both_platforms! {
    an_order_is_placed_with_forms_alone,
    a_price_that_does_not_hold_any_more_is_shown_anew_before_anything_is_ordered,
    a_cart_of_another_restaurant_is_kept_or_replaced,
    assets_are_compressed_for_ever_and_found_by_the_pages_that_need_them,
}

fn hidden(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {page}"));
    page[at..].split('"').nth(3).unwrap().to_owned()
}

async fn an_order_is_placed_with_forms_alone(platform: &Platform) {
    let browser = platform.browser();
    assert!(browser.get("/").await.page(200).contains("Cosmic Coffee"));
    assert!(browser.get("/cart").await.page(200).contains("empty"));
    assert_eq!(browser.get("/checkout").await.header("location"), "/cart");
    assert!(browser.get("/orders").await.page(200).contains("No orders yet"));
    assert!(browser.get("/restaurants/cosmic-coffee").await.page(200).contains("Nebula Latte"));
    assert!(browser.get("/items/nebula-latte").await.page(200).contains("5.99"));
    let menu = browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1"), ("return", "/restaurants/cosmic-coffee")]).await;
    assert!(menu.page(200).contains("Added to your cart"));
    browser.form(&format!("/cart/items/{LATTE}"), &[("quantity", "2")]).await.page(200);
    assert!(browser.get("/cart").await.page(200).contains("11.98"));
    let checkout = browser.get("/checkout").await;
    let page = checkout.page(200);
    let fields = ["cartId", "quoteId", "idempotencyKey"].map(|name| (name, hidden(page, name)));
    let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form.extend([("customerName", "Ada"), ("specialInstructions", "Extra foam")]);
    let order = browser.form("/orders", &form).await;
    let page = order.page(200);
    assert!(page.contains("Nebula Latte") && page.contains("Extra foam") && page.contains("live-headline"), "{page}");
    assert!(browser.cookie("feast_cart").is_none(), "the cart became the order");
    // Going back and pressing the button again leads to the same order.
    assert!(browser.form("/orders", &form).await.page(200).contains("Extra foam"));
    assert_eq!(platform.orders().await.len(), 1);
    assert!(browser.get("/orders").await.page(200).contains("2 × Nebula Latte"));
    browser.get("/about").await.page(200);
}

async fn a_price_that_does_not_hold_any_more_is_shown_anew_before_anything_is_ordered(platform: &Platform) {
    let browser = platform.browser();
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
    let checkout = browser.get("/checkout").await;
    let page = checkout.page(200);
    let form = ["cartId", "quoteId", "idempotencyKey"].map(|name| (name, hidden(page, name)));
    let mut form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    form.push(("customerName", "Ada"));
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
    let fresh = browser.form("/orders", &form).await;
    let page = fresh.page(409);
    assert!(page.contains("A fresh price") && platform.orders().await.is_empty());
    let again = ["cartId", "quoteId", "idempotencyKey", "customerName"].map(|name| (name, hidden(page, name)));
    let again: Vec<(&str, &str)> = again.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert!(browser.form("/orders", &again).await.page(200).contains("Nebula Latte"));
    assert_eq!(platform.orders().await[0]["items"][0]["quantity"], 2);
}

async fn a_cart_of_another_restaurant_is_kept_or_replaced(platform: &Platform) {
    let browser = platform.browser();
    browser.form("/cart/items", &[("itemId", LATTE), ("quantity", "1")]).await.page(200);
    let kept = browser.cookie("feast_cart").unwrap();
    let ramen = [("itemId", "singularity-tonkotsu"), ("quantity", "1")];
    let choice = browser.form("/cart/items", &ramen).await;
    assert!(choice.page(409).contains("Singularity Tonkotsu") && choice.body.contains("Keep my cart"));
    assert_eq!(platform.cart(&kept).await["items"][0]["itemId"], LATTE);
    browser.form("/cart/new", &ramen).await.page(200);
    let fresh = browser.cookie("feast_cart").unwrap();
    assert_eq!(platform.cart(&fresh).await["items"][0]["itemId"], "singularity-tonkotsu");
    platform.http.get(&format!("/api/cart/{kept}")).send().await.refused(404, "CART_NOT_FOUND", "the old cart is let go");
}

/// Addresses below `/pkg/` that a page names.
fn assets_of(page: &str) -> Vec<String> {
    let mut found: Vec<String> = page
        .split('"')
        .filter(|text| text.starts_with("/pkg/") && text.rsplit('/').next().is_some_and(|name| name.contains('.')))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

async fn assets_are_compressed_for_ever_and_found_by_the_pages_that_need_them(platform: &Platform) {
    let home = platform.http.get("/").send().await;
    let assets = assets_of(home.page(200));
    for kind in [".css", ".js", ".wasm", ".svg"] {
        assert!(assets.iter().any(|asset| asset.ends_with(kind)), "{kind}: {assets:?}");
    }
    for asset in &assets {
        let plain = platform.http.get(asset).send().await;
        assert_eq!(plain.status, 200, "{asset}");
        assert!(
            plain.header("cache-control").contains("immutable") && plain.header("cache-control").contains("max-age=31536000"),
            "{asset}: {plain:?}"
        );
        let kind = match asset.rsplit('.').next().unwrap() {
            "css" => "text/css",
            "js" => "text/javascript",
            "wasm" => "application/wasm",
            "svg" => "image/svg+xml",
            other => panic!("{other} is new"),
        };
        assert!(plain.header("content-type").starts_with(kind), "{asset}: {}", plain.header("content-type"));
        let etag = plain.header("etag");
        let again = platform.http.get(asset).header("if-none-match", etag).send().await;
        assert!(!etag.is_empty() && again.status == 304 && again.body.is_empty(), "{asset} {etag}");
        let small = platform.http.get(asset).header("accept-encoding", "gzip, br").send().await;
        assert_eq!(small.header("content-encoding"), "br", "{asset}");
        assert!(plain.header("set-cookie").is_empty(), "{asset}");
    }
    let folder = assets[0].rsplit_once('/').unwrap().0;
    for nothing in [format!("{folder}/none.js"), "/pkg/none.js".to_owned(), format!("{folder}/../main.rs"), format!("{folder}/%2e%2e/x")] {
        assert_eq!(platform.http.get(&nothing).send().await.status, 404, "{nothing}");
    }
    assert_eq!(platform.http.get("/favicon.ico").send().await.status, 308);
}
