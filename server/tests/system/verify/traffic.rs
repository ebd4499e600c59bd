//! Customers who go everywhere: every route that a flag acts on is travelled several times a second.

use super::plan::DISH;
use crate::harness::{Ask, Browser, Platform};
use contract::id::path_segment;
use futures::future::{join, join_all};
use runtime::chance::Chance;
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::Duration;

/// By programs, and with a browser.
const CUSTOMERS: u64 = 12;
const VISITORS: u64 = 6;

/// Between two requests of one of them.
const THINKS: Duration = Duration::from_millis(60);

/// Dishes of one restaurant, so that carts never mix.
const DISHES: [&str; 3] = [DISH, "galaxy-mocha", "rocket-fuel"];

/// Every so many orders somebody is hungry: over 20 dollars.
const FEAST: (u64, u32) = (3, 5);

/// Tokyo's dish, for every so many orders.
const ELSEWHERE: (&str, u64) = ("singularity-tonkotsu", 4);

/// Keeps going until `over`, whatever is answered.
pub async fn run(platform: &Platform, over: &Cell<bool>) {
    let customers = join_all((0..CUSTOMERS).map(|n| customer(platform, n, over)));
    let visitors = join_all((0..VISITORS).map(|n| visitor(platform, n, over)));
    join(customers, visitors).await;
}

struct Customer<'p> {
    platform: &'p Platform,
    session: String,
    chance: Chance,
}

impl Customer<'_> {
    /// Sends, thinks, and answers what came with a success.
    async fn ask(&self, ask: Ask) -> Option<Value> {
        let cookie = format!("feast_sid={}", self.session);
        let answer = ask.header("cookie", &cookie).header("sec-fetch-site", "same-origin").synthetic().try_send().await;
        tokio::time::sleep(THINKS).await;
        let answer = answer.ok().filter(|answer| answer.status < 300)?;
        serde_json::from_str(&answer.body).ok()
    }

    async fn get(&self, path: &str) -> Option<Value> {
        self.ask(self.platform.http.get(path)).await
    }

    async fn post(&self, path: &str, body: Value) -> Option<Value> {
        self.ask(self.platform.http.post(path, body)).await
    }

    async fn round(&self, n: u64) {
        self.get("/api/menu").await;
        for dish in DISHES {
            self.get(&format!("/api/menu/{dish}")).await;
        }
        self.get("/api/restaurants").await;
        self.ask(self.platform.http.get("/api/restaurants/cosmic-coffee/figures").operator()).await;
        let dish = if n.is_multiple_of(ELSEWHERE.1) { ELSEWHERE.0 } else { DISH };
        let second = if n.is_multiple_of(FEAST.0) { FEAST.1 } else { 1 };
        self.buy(dish, second).await;
        self.get("/api/orders").await;
    }

    /// One of `dish`, and so many of a second one.
    async fn buy(&self, dish: &str, second: u32) -> Option<()> {
        let cart = self.post("/api/cart", json!({})).await?["id"].as_str()?.to_owned();
        let items = format!("/api/cart/{cart}/items");
        let mut added = None;
        for _ in 0..3 {
            added = self.post(&items, json!({"itemId": dish, "quantity": 1})).await;
            if added.is_some() {
                break;
            }
        }
        added?;
        if dish == DISH {
            self.post(&items, json!({"itemId": DISHES[1], "quantity": second})).await;
        }
        self.get(&format!("/api/cart/{cart}")).await;
        let address = format!("Main Street {}", self.chance.bits() % 100);
        self.post("/api/quotes", json!({"cartId": cart, "address": address})).await;
        let order = json!({"customerName": "Ada", "cartId": cart, "address": address});
        let key = format!("{:016x}", self.chance.bits());
        for _ in 0..2 {
            if self.ask(self.platform.http.post("/api/orders", order.clone()).key(&key)).await.is_some() {
                break;
            }
        }
        Some(())
    }
}

async fn customer(platform: &Platform, n: u64, over: &Cell<bool>) {
    let mut round = n;
    while !over.get() {
        // Somebody new every now and then: lists of orders stay short.
        let chance = Chance::seeded(n * 1_000 + round / 10);
        let session = format!("{:016x}{:016x}", chance.bits(), chance.bits());
        let customer = Customer { platform, session, chance };
        for _ in 0..10 {
            if over.get() {
                return;
            }
            customer.round(round).await;
            round += 1;
        }
    }
}

/// Looks at pages as a browser does, with the files they need; and has ordered here before.
async fn visitor(platform: &Platform, n: u64, over: &Cell<bool>) {
    let browser = platform.browser();
    let mut round = n;
    while !over.get() {
        let _ = visit(&browser, round).await;
        round += 1;
    }
}

async fn visit(browser: &Browser, round: u64) -> Option<()> {
    let first = look(browser, "/").await?;
    for file in files_of(&first).into_iter().take(3) {
        look(browser, &file).await;
    }
    send(browser, "/cart/items", &[("itemId", DISH), ("quantity", "1")]).await?;
    look(browser, "/cart").await?;
    // Orders once, with an address, and is a regular from then on.
    if round % 10 < 3 {
        let page = look(browser, "/checkout").await?;
        // Without the quote, which was made for no address.
        let hidden = ["cartId", "idempotencyKey"].map(|name| (name, value_of(&page, name).unwrap_or_default()));
        let mut form: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).collect();
        form.extend([("customerName", "Grace"), ("address", "Main Street 1")]);
        send(browser, "/orders", &form).await?;
    }
    Some(())
}

async fn look(browser: &Browser, path: &str) -> Option<String> {
    let answer = browser.try_send(browser.ask("GET", path).synthetic()).await;
    tokio::time::sleep(THINKS).await;
    answer.filter(|answer| answer.status < 400).map(|answer| answer.body)
}

async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Option<()> {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", path_segment(name), path_segment(value))).collect();
    let ask = browser.ask("POST", path).header("content-type", "application/x-www-form-urlencoded").body(fields.join("&"));
    let answer = browser.try_send(ask.synthetic()).await;
    tokio::time::sleep(THINKS).await;
    answer.filter(|answer| answer.status < 400).map(drop)
}

/// Addresses below `/pkg/` that a page names.
fn files_of(page: &str) -> Vec<String> {
    let starts = page.match_indices("\"/pkg/").map(|(at, _)| &page[at + 1..]);
    starts.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// The value of a hidden field.
fn value_of(page: &str, name: &str) -> Option<String> {
    let field = page.split("<input").find(|field| field.contains(&format!("name=\"{name}\"")))?;
    Some(field.split_once("value=\"")?.1.split('"').next()?.to_owned())
}
