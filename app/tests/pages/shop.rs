//! Restaurants, menus, cart, themes, flags.

use super::browser::{ADD, Browser};
use contract::Code;

#[tokio::test]
async fn a_page_has_no_inline_script_and_no_inline_style() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    let order = browser.post("/orders", "customerName=Ada&cartId=cart-1&address=Orbit+Road+7").await.to;
    browser.post("/cart/items", ADD).await;
    let paths = [
        "/",
        "/restaurants/soup-one",
        "/items/oat-soup",
        "/cart",
        "/checkout",
        "/orders",
        &order,
        "/login",
        "/signup",
        "/about",
        "/nothing-here",
    ];
    for path in paths {
        let seen = browser.get(path).await;
        assert!(!seen.html.contains(" style="), "{path}");
        assert!(!seen.html.contains("<script>"), "{path}");
        assert_eq!(seen.html.matches("<script").count(), if path == "/nothing-here" { 0 } else { 2 }, "{path}");
    }
}

#[tokio::test]
async fn restaurants_are_found_by_word_city_and_kitchen() {
    let mut browser = Browser::new();
    browser.get("/").await.is(200).says("Soup &lt;One&gt;").says("Soup Two");
    let seen = browser.get("/?city=Naples&q=SOUP").await;
    assert!(seen.says("Soup Two").html.contains("1 restaurant<"));
    browser.get("/?q=%3Cb%3E").await.is(200).says("No kitchen in sight").says("value=\"&lt;b&gt;\"");
}

#[tokio::test]
async fn a_menu_says_what_is_sold_out_and_what_is_nearly_gone() {
    let mut browser = Browser::new();
    browser.fake.0.lock().unwrap().stock.insert("hot-soup".into(), 3);
    browser.get("/restaurants/soup-one").await.is(200).says("Only 3 left").says("Sold out today");
    browser.fake.0.lock().unwrap().stock.insert("hot-soup".into(), 0);
    assert_eq!(browser.get("/restaurants/soup-one").await.html.matches("Sold out today").count(), 2);
    browser.breaks("middleware.inventory", Code::ServiceUnavailable);
    browser.get("/restaurants/soup-one").await.is(200).says("Add Hot &amp; Soup to cart");
}

#[tokio::test]
async fn two_soups_are_ordered_without_scripts() {
    let mut browser = Browser::new();
    let added = browser.post("/cart/items", ADD).await;
    assert_eq!((added.status, added.to.as_str()), (303, "/restaurants/soup-one"));
    browser.get(&added.to).await.says("Added to your cart.").says(">2</span>");
    browser.get("/cart").await.is(200).says("$11.98");
    browser.get("/checkout").await.is(200).says("$13.18").says("Rush hour +10 %").says("value=\"checkout-quote-1\"");
    let placed = browser
        .post(
            "/orders",
            "customerName=Ada&specialInstructions=hot%0D%0Aplease&cartId=cart-1&quoteId=quote-1&idempotencyKey=checkout-quote-1",
        )
        .await;
    assert_eq!(placed.status, 303);
    browser.get(&placed.to).await.is(200).says("Order received").says("Ada").says("hot\nplease");
    assert_eq!(browser.fake.0.lock().unwrap().keys, [Some("checkout-quote-1".to_owned())]);
    browser.get("/cart").await.is(200).says("floating empty");
    browser.get("/orders").await.is(200).says("2 × Hot &amp; Soup");
}

#[tokio::test]
async fn a_dish_of_another_restaurant_offers_a_new_cart() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    let other = "itemId=far-soup&quantity=1&return=%2Frestaurants%2Fsoup-two";
    browser.post("/cart/items", other).await.is(409).says("One cart, one planet").says("Far Soup").says("action=\"/cart/new\"");
    browser.get("/cart").await.says("Hot &amp; Soup");
    browser.post("/cart/new", other).await.is(303);
    let cart = browser.get("/cart").await;
    assert!(!cart.says("Far Soup").html.contains("Hot &amp; Soup"));
}

#[tokio::test]
async fn cart_lines_change_and_go() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    browser.post("/cart/items/hot-soup", "quantity=5").await.is(303);
    browser.get("/cart").await.says("$29.95");
    browser.post("/cart/items/hot-soup", "quantity=11").await.is(400);
    browser.post("/cart/items/hot-soup", "quantity=0").await.is(303);
    browser.get("/cart").await.is(200).says("floating empty");
    browser.post("/cart/items", ADD).await;
    browser.post("/cart/clear", "").await.is(303);
    assert!(!browser.cookies.contains_key("feast_cart"));
}

#[tokio::test]
async fn the_theme_is_kept_in_a_cookie() {
    let mut browser = Browser::new();
    browser.get("/").await.says("data-theme=\"auto\"");
    browser.post("/theme", "theme=light&return=%2Fabout").await.is(303);
    browser.get("/about").await.says("data-theme=\"light\"").says("embedded").says("1 min 30 s");
}

#[tokio::test]
async fn only_operators_see_and_flip_flags() {
    let mut browser = Browser::new();
    browser.get("/console/flags").await.is(401).says("/console?token=");
    for path in ["/console/flags/cart-chaos-errors", "/console/flags/cart-chaos-errors/clear", "/console/all-clear"] {
        browser.post(path, "variant=high").await.is(401);
    }
    browser.operator = true;
    browser.get("/console/flags").await.is(200).says("Everything is at its default");
    browser.post("/console/flags/cart-chaos-errors", "variant=high&audience=session&ttlSeconds=60").await.is(303);
    browser.get("/console/flags").await.says("1 flag is not at its default").says("for one browser").says("1 min 1 s");
    browser.post("/console/flags/cart-chaos-errors", "variant=high&audience=percent&percent=0").await.is(400);
    browser.post("/console/all-clear", "").await.is(303);
    browser.get("/console/flags").await.says("Everything is at its default");
}

#[tokio::test]
async fn a_form_address_opened_as_a_page_leads_to_the_page_of_the_form() {
    let mut browser = Browser::new();
    for (path, to) in [("/cart/items", "/cart"), ("/cart/new", "/cart"), ("/theme", "/"), ("/console/all-clear", "/console/flags")] {
        let seen = browser.get(path).await;
        assert_eq!((seen.status, seen.to.as_str()), (303, to), "{path}");
    }
}

fn close(browser: &Browser, paused: bool) {
    let restaurant = &mut browser.world().menus[0].restaurant;
    (restaurant.open, restaurant.paused) = (false, paused);
}

#[tokio::test]
async fn a_closed_restaurant_takes_no_orders() {
    let mut browser = Browser::new();
    browser
        .get("/restaurants/soup-one")
        .await
        .is(200)
        .says("Open until 23:00")
        .says("11:00–23:00 · Berlin time")
        .says("Add Hot &amp; Soup to cart");
    for (paused, words) in [(false, "It opens at 11:00, Berlin time."), (true, "taking a break")] {
        close(&browser, paused);
        for path in ["/restaurants/soup-one", "/items/hot-soup"] {
            let seen = browser.get(path).await;
            seen.is(200).says(words);
            assert!(!seen.html.contains("action=\"/cart/items\""), "{path}");
        }
    }
    browser.post("/cart/items", ADD).await.is(409).says("The kitchen is closed");
}

#[tokio::test]
async fn restaurants_that_are_open_come_first_and_may_be_all_that_is_shown() {
    let mut browser = Browser::new();
    close(&browser, false);
    let all = browser.get("/").await;
    all.says("Opens at 11:00").says("2 restaurants");
    assert!(all.html.find("/restaurants/soup-two") < all.html.find("/restaurants/soup-one"));
    let open = browser.get("/?open=now").await;
    assert!(!open.says("1 restaurant<").says("value=\"now\" checked").html.contains("/restaurants/soup-one"));
    close(&browser, true);
    browser.get("/").await.says("Taking a break");
}

#[tokio::test]
async fn choices_of_a_dish_reach_the_cart_in_their_order() {
    let mut browser = Browser::new();
    browser.get("/restaurants/soup-one").await.says("<summary>Milk, Size</summary>").says("<select name=\"choice\">");
    browser.get("/items/oat-soup").await.says("name=\"choice0\" value=\"Whole\" checked").says("name=\"choice1\" value=\"Large\"");
    browser.post("/cart/items", "choice=Oat&choice=Large&quantity=1&itemId=oat-soup").await.is(303);
    browser.get("/cart").await.is(200).says("Oat, Large");
    let other = "choice=Oat&choice=Small&itemId=oat-soup&quantity=1";
    browser.post("/cart/items", "itemId=oat-soup&quantity=1&choice=Lava").await.is(400);
    browser.post("/cart/clear", "").await;
    browser.post("/cart/items", "itemId=far-soup&quantity=1").await;
    browser.post("/cart/items", other).await.is(409).says("name=\"choice\" value=\"Oat, Small\"");
    browser.post("/cart/new", "itemId=oat-soup&quantity=1&choice=Oat%2C+Small").await.is(303);
    browser.get("/cart").await.says("Oat, Small");
}

#[tokio::test]
async fn suggestions_are_an_extra_that_no_page_waits_or_fails_for() {
    let mut browser = Browser::new();
    browser.post("/cart/items", ADD).await;
    for path in ["/restaurants/soup-one", "/items/hot-soup", "/cart"] {
        assert!(!browser.get(path).await.html.contains("class=\"picks\""), "{path}");
    }
    let together = vec![contract::menu::Together { item: "hot-soup".into(), with: vec!["gone-soup".into(), "oat-soup".into()] }];
    browser.world().recommendations = contract::menu::Recommendations { popular: vec!["oat-soup".into()], together };
    for (path, heading) in
        [("/restaurants/soup-one", "Popular now"), ("/items/hot-soup", "Goes well with"), ("/cart", "Goes well with that")]
    {
        let seen = browser.get(path).await;
        assert!(!seen.is(200).says(heading).says("Add one Oat Soup").html.contains("Add one Gone Soup"), "{path}");
    }
    browser.breaks("menu.recommendations", Code::Timeout);
    for path in ["/restaurants/soup-one", "/items/hot-soup", "/cart"] {
        assert!(!browser.get(path).await.is(200).html.contains("class=\"picks\""), "{path}");
    }
}
