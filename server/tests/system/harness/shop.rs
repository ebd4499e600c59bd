//! What customers and operators do, in a line each.

use super::http::{Answer, Ask};
use super::platform::Platform;
use serde_json::{Value, json};

/// The dish most tests order. The coffee bar's stock of it begins when it is first ordered or set.
pub const LATTE: &str = "nebula-latte";

/// The body of `POST /api/orders`.
pub fn purchase(cart: &str) -> Value {
    json!({"customerName": "Ada", "cartId": cart})
}

impl Platform {
    pub async fn new_cart(&self) -> String {
        let cart = self.http.ask("POST", "/api/cart").send().await.expect(201);
        cart["id"].as_str().unwrap().to_owned()
    }

    /// A cart that holds this.
    pub async fn cart_with(&self, lines: &[(&str, u32)]) -> String {
        let cart = self.new_cart().await;
        for (item, quantity) in lines {
            self.add(&cart, item, *quantity).send().await.expect(200);
        }
        cart
    }

    pub fn add(&self, cart: &str, item: &str, quantity: u32) -> Ask {
        self.http.post(&format!("/api/cart/{cart}/items"), json!({"itemId": item, "quantity": quantity}))
    }

    pub async fn cart(&self, cart: &str) -> Value {
        self.http.get(&format!("/api/cart/{cart}")).send().await.expect(200)
    }

    pub fn order(&self, cart: &str) -> Ask {
        self.http.post("/api/orders", purchase(cart))
    }

    pub fn quote(&self, cart: &str) -> Ask {
        self.http.post("/api/quotes", json!({"cartId": cart}))
    }

    /// Every order there is, as an operator sees them, newest first.
    pub async fn orders(&self) -> Vec<Value> {
        let mut orders = Vec::new();
        let mut path = "/api/orders?limit=200".to_owned();
        loop {
            let answer = self.http.get(&path).operator().send().await;
            orders.extend(answer.expect(200).as_array().unwrap().iter().cloned());
            match next(&answer) {
                Some(more) => path = more,
                None => return orders,
            }
        }
    }

    pub async fn set_stock(&self, item: &str, stock: i64) {
        let level = self.http.put(&format!("/api/inventory/{item}"), json!({"stock": stock})).operator().send().await.expect(200);
        assert_eq!(level, json!({"itemId": item, "currentStock": stock}));
    }

    /// Stock of every item that was ever asked for.
    pub async fn stocks(&self) -> Value {
        self.http.get("/api/inventory").operator().send().await.expect(200)
    }

    /// # Panics
    /// When nobody has asked for the item yet.
    pub async fn stock(&self, item: &str) -> i64 {
        let stocks = self.stocks().await;
        let level = stocks.as_array().unwrap().iter().find(|level| level["itemId"] == item);
        level.and_then(|level| level["currentStock"].as_i64()).unwrap_or_else(|| panic!("{item} has no stock: {stocks}"))
    }
}

/// The address of the next page, from `Link`.
pub fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    let (address, rest) = link.strip_prefix('<')?.split_once('>')?;
    assert_eq!(rest, "; rel=\"next\"");
    Some(address.to_owned())
}

/// What an order stays, however far it has come meanwhile: the kitchen cooks by itself.
pub fn placed(order: &Value) -> Value {
    let mut order = order.clone();
    for moving in ["status", "updatedAt", "history", "reason"] {
        order.as_object_mut().unwrap().remove(moving);
    }
    order
}
