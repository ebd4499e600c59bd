//! What the fake services know, and what they answer.

use super::kitchen::Kitchen;
use super::people;
use super::room::Room;
use contract::account::Account;
use contract::client::Call;
use contract::error::ErrorBody;
use contract::flags::Flip;
use contract::menu::{Recommendations, RestaurantMenu};
use contract::notification::Preferences;
use contract::order::{Order, OrderStatus};
use contract::{Code, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// `broken` names calls that fail: `("cart.add_item", Code::FeatureFlagChaos)`.
pub struct World {
    pub menus: Vec<RestaurantMenu>,
    pub carts: BTreeMap<String, Value>,
    pub orders: Vec<Value>,
    pub payments: BTreeMap<String, Value>,
    pub deliveries: BTreeMap<String, Value>,
    pub accounts: Vec<Account>,
    pub preferences: Preferences,
    pub recommendations: Recommendations,
    pub stock: BTreeMap<String, i64>,
    pub kitchen: Kitchen,
    pub room: Room,
    /// The flags of the platform instead of three.
    pub all_flags: bool,
    pub broken: HashMap<&'static str, Code>,
    /// Keys that orders came with.
    pub keys: Vec<Option<String>>,
    /// Whoever asks for an order is a stranger to it.
    pub stranger: bool,
    pub clock: fn() -> Timestamp,
    /// Address and promotion of every price that was told: the first is `quote-1`.
    quotes: Vec<(Value, Value)>,
    carts_made: u32,
    pub(super) flips: BTreeMap<String, (String, Flip)>,
}

pub(super) fn error(code: Code, message: &str) -> (u16, Value) {
    let body = ErrorBody { error: message.into(), code: code.as_str().into(), request_id: "r".into() };
    (code.status(), serde_json::to_value(body).unwrap())
}

fn cents(value: &Value) -> f64 {
    (value.as_f64().unwrap() * 100.0).round()
}

impl World {
    pub fn new(menus: Vec<RestaurantMenu>) -> Self {
        Self {
            menus,
            carts: BTreeMap::new(),
            orders: Vec::new(),
            payments: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            accounts: people::demo(),
            preferences: Preferences::default(),
            recommendations: Recommendations::default(),
            stock: BTreeMap::new(),
            kitchen: Kitchen::default(),
            room: Room::default(),
            all_flags: false,
            broken: HashMap::new(),
            keys: Vec::new(),
            stranger: false,
            clock: super::now,
            quotes: Vec::new(),
            carts_made: 0,
            flips: BTreeMap::new(),
        }
    }

    fn now(&self) -> Value {
        json!((self.clock)())
    }

    pub fn item(&self, id: &str) -> Option<Value> {
        self.menus.iter().flat_map(|menu| &menu.items).find(|item| item.id.as_str() == id).map(|item| json!(item))
    }

    pub fn answer(&mut self, call: &Call) -> (u16, Value) {
        if let Some(code) = self.broken.get(call.name) {
            return error(*code, "broken for a test");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let path: Vec<&str> = call.path.split('?').next().unwrap_or_default().split('/').skip(1).collect();
        let found = |known: Option<&Value>, code| known.map_or_else(|| error(code, "no"), |value| (200, value.clone()));
        match (call.name, path.as_slice()) {
            ("menu.restaurants", _) => (200, json!(self.menus.iter().map(|menu| &menu.restaurant).collect::<Vec<_>>())),
            ("menu.restaurant_menu", [.., id]) => match self.menus.iter().find(|menu| menu.restaurant.id.as_str() == *id) {
                Some(menu) => (200, json!(menu)),
                None => error(Code::RestaurantNotFound, "no"),
            },
            ("menu.recommendations", _) => (200, json!(self.recommendations)),
            ("menu.item", [.., id]) => self.item(id).map_or_else(|| error(Code::ItemNotFound, "no"), |item| (200, item)),
            ("menu.items", _) => {
                let ids = call.path.split_once("ids=").map(|(_, ids)| ids).unwrap_or_default();
                let items: Vec<Value> = ids.split(',').filter_map(|id| self.item(id)).collect();
                (200, json!({"items": items, "restaurants": self.menus.iter().map(|menu| &menu.restaurant).collect::<Vec<_>>()}))
            }
            ("middleware.inventory", _) => {
                (200, json!(self.stock.iter().map(|(id, left)| json!({"itemId": id, "currentStock": left})).collect::<Vec<_>>()))
            }
            ("cart.create", _) => {
                self.carts_made += 1;
                let id = format!("cart-{}", self.carts_made);
                let cart = json!({"id": id, "items": [], "createdAt": self.now(), "updatedAt": self.now()});
                self.carts.insert(id, cart.clone());
                (201, cart)
            }
            ("cart.get", [.., id]) => found(self.carts.get(*id), Code::CartNotFound),
            ("cart.delete", [.., id]) => self.carts.remove(*id).map_or_else(|| error(Code::CartNotFound, "no"), |_| (204, Value::Null)),
            ("cart.add_item", [_, id, _]) => self.add(id, &body),
            ("cart.set_quantity", [_, id, _, item]) => self.set(id, item, body["quantity"].as_i64().unwrap_or(0)),
            ("order.quote", _) => self.quote(&body),
            ("order.place", _) => self.place(call, &body),
            ("order.get", [.., id]) => match self.order(id) {
                Some(order) if self.stranger => (200, json!(serde_json::from_value::<Order>(order.clone()).unwrap().public())),
                known => found(known, Code::OrderNotFound),
            },
            ("order.list", _) => (200, json!(self.orders.iter().rev().collect::<Vec<_>>())),
            ("order.cancel", [.., id, _]) => self.cancel(id),
            ("payment.get", [.., id]) => found(self.payments.get(*id), Code::PaymentNotFound),
            ("delivery.get", [.., id]) => found(self.deliveries.get(*id), Code::DeliveryNotFound),
            other => self.answer_staff(call, &path, &body).unwrap_or_else(|| panic!("the fake has no answer to {other:?}")),
        }
    }

    fn add(&mut self, id: &str, body: &Value) -> (u16, Value) {
        let Some(item) = self.item(body["itemId"].as_str().unwrap_or_default()) else { return error(Code::ItemNotFound, "no") };
        let closed = self.menus.iter().any(|menu| item["restaurantId"] == menu.restaurant.id.as_str() && !menu.restaurant.open);
        let (now, quantity, choice) = (self.now(), body["quantity"].as_u64().unwrap_or(0), &body["choice"]);
        let Some(cart) = self.carts.get_mut(id) else { return error(Code::CartNotFound, "no") };
        if closed {
            return error(Code::RestaurantClosed, "no");
        }
        let known = |word: &str| item["options"].to_string().contains(&format!("\"{word}\""));
        if choice.as_str().is_some_and(|choice| !choice.split(", ").all(known)) {
            return error(Code::InvalidBody, "the menu does not offer that");
        }
        if cart["restaurantId"].as_str().is_some_and(|restaurant| restaurant != item["restaurantId"]) {
            return error(Code::CartOtherRestaurant, "no");
        }
        cart["restaurantId"] = item["restaurantId"].clone();
        let lines = cart["items"].as_array_mut().unwrap();
        match lines.iter_mut().find(|line| line["itemId"] == item["id"]) {
            Some(line) => line["quantity"] = json!(line["quantity"].as_u64().unwrap() + quantity),
            None => lines.push(json!({"itemId": item["id"], "itemName": item["name"], "itemEmoji": item["emoji"], "quantity": quantity, "basePrice": item["basePrice"], "addedAt": now, "choice": choice})),
        }
        (200, cart.clone())
    }

    fn set(&mut self, id: &str, item: &str, quantity: i64) -> (u16, Value) {
        let Some(cart) = self.carts.get_mut(id) else { return error(Code::CartNotFound, "no") };
        let lines = cart["items"].as_array_mut().unwrap();
        match lines.iter_mut().find(|line| line["itemId"] == item) {
            Some(line) => line["quantity"] = json!(quantity),
            None => return error(Code::CartLineNotFound, "no"),
        }
        lines.retain(|line| line["quantity"].as_i64() > Some(0));
        (200, cart.clone())
    }

    /// Lines with a rush hour on each, two dollars for the way to an address, ten per cent off for `WELCOME10`.
    fn priced(cart: &Value, wishes: &Value) -> Result<Value, (u16, Value)> {
        let mut subtotal = 0.0;
        let lines = cart["items"].as_array().unwrap().iter().map(|line| {
            let cost = (cents(&line["basePrice"]) * line["quantity"].as_f64().unwrap() * 1.1).round();
            subtotal += cost;
            let mut line = line.clone();
            line["itemTotal"] = json!(cost / 100.0);
            line["rules"] = json!(["Rush hour +10 %"]);
            line
        });
        let lines: Vec<Value> = lines.collect();
        let fee = if wishes["address"].is_string() { 200.0 } else { 0.0 };
        let off = match wishes["promotion"].as_str() {
            None => 0.0,
            Some("WELCOME10") => (subtotal / 10.0).round(),
            Some("BIGDINNER") => return Err(error(Code::PromotionNotApplicable, "BIGDINNER is for orders of $50.00 and more")),
            Some(_) => return Err(error(Code::PromotionUnknown, "no")),
        };
        let charge = |name: &str, amount: f64| if amount > 0.0 { json!([{"name": name, "amount": amount / 100.0}]) } else { json!([]) };
        Ok(json!({"lines": lines, "fees": charge("Delivery, 2.1 km", fee), "discounts": charge("WELCOME10: 10 % off", off),
            "subtotal": subtotal / 100.0, "total": (subtotal + fee - off) / 100.0}))
    }

    fn quote(&mut self, body: &Value) -> (u16, Value) {
        let id = body["cartId"].as_str().unwrap_or_default();
        let Some(cart) = self.carts.get(id) else { return error(Code::CartNotFound, "no") };
        if cart["items"].as_array().unwrap().is_empty() {
            return error(Code::CartEmpty, "no");
        }
        let mut quote = match Self::priced(cart, body) {
            Ok(priced) => priced,
            Err(refused) => return refused,
        };
        let told = (body["address"].clone(), body["promotion"].clone());
        let n = self.quotes.iter().position(|known| *known == told).unwrap_or(self.quotes.len());
        quote["quoteId"] = json!(format!("quote-{}", n + 1));
        quote["cartId"] = json!(id);
        quote["restaurantId"] = cart["restaurantId"].clone();
        quote["expiresAt"] = json!((self.clock)() + std::time::Duration::from_secs(299));
        self.quotes.resize((n + 1).max(self.quotes.len()), told);
        (201, quote)
    }

    fn place(&mut self, call: &Call, body: &Value) -> (u16, Value) {
        self.keys.push(call.idempotency_key.clone());
        let Some(cart) = self.carts.get(body["cartId"].as_str().unwrap_or_default()).cloned() else {
            return error(Code::CartNotFound, "no");
        };
        let shown = body["quoteId"].as_str().and_then(|id| id.strip_prefix("quote-")?.parse::<usize>().ok());
        if shown.and_then(|n| self.quotes.get(n - 1)).is_some_and(|told| (&told.0, &told.1) != (&body["address"], &body["promotion"])) {
            return error(Code::QuoteMismatch, "no");
        }
        let priced = match Self::priced(&cart, body) {
            Ok(priced) => priced,
            Err(refused) => return refused,
        };
        let (id, now) = (format!("0198f3a2-77b1-7c3e-9abc-{:012}", self.orders.len() + 1), self.now());
        let there = body["address"].is_string().then(|| json!({"x": 6400, "y": 4100}));
        let order = json!({"id": id, "customerName": body["customerName"], "restaurantId": cart["restaurantId"], "restaurantName": "Soup", "items": priced["lines"],
            "totalPrice": priced["total"], "subtotal": priced["subtotal"], "fees": priced["fees"], "discounts": priced["discounts"],
            "status": "pending", "timestamp": now, "updatedAt": now, "city": "Berlin", "history": [{"status": "pending", "at": now}],
            "paymentMethod": body["paymentMethod"], "promotion": body["promotion"], "from": {"x": 5000, "y": 5000}, "to": there,
            "specialInstructions": body["specialInstructions"], "address": body["address"]});
        let method = body["paymentMethod"].as_str().unwrap_or("card");
        let payment = json!({"orderId": id, "restaurantId": cart["restaurantId"], "status": "charging", "amount": priced["total"], "method": method, "createdAt": now, "updatedAt": now});
        self.payments.insert(id, payment);
        self.orders.push(order.clone());
        (201, order)
    }

    fn order(&self, id: &str) -> Option<&Value> {
        self.orders.iter().find(|order| order["id"] == id)
    }

    fn cancel(&mut self, id: &str) -> (u16, Value) {
        match self.order(id).and_then(|order| OrderStatus::from_text(order["status"].as_str()?)) {
            Some(status) if status.may_become(OrderStatus::Cancelled) => {
                self.becomes(id, OrderStatus::Cancelled);
                (200, self.order(id).cloned().unwrap())
            }
            Some(_) => error(Code::IllegalTransition, "no"),
            None => error(Code::OrderNotFound, "no"),
        }
    }

    /// An order reached a status: its money and its courier follow.
    pub fn becomes(&mut self, id: &str, status: OrderStatus) {
        let (now, at) = (self.now(), (self.clock)());
        let order = self.orders.iter_mut().find(|order| order["id"] == id).unwrap();
        order["status"] = json!(status);
        order["updatedAt"] = now.clone();
        order["history"].as_array_mut().unwrap().push(json!({"status": status, "at": now}));
        let paid = match status {
            OrderStatus::Pending => "charging",
            OrderStatus::PaymentFailed => "failed",
            OrderStatus::Cancelled | OrderStatus::Rejected => "refunding",
            _ => "completed",
        };
        self.payments.get_mut(id).unwrap()["status"] = json!(paid);
        let (kitchen, start) = (json!({"x": 5000, "y": 5000}), json!({"x": 4200, "y": 6100}));
        let home = if order["to"].is_null() { kitchen.clone() } else { order["to"].clone() };
        let leg = |from: &Value, to: &Value| json!({"from": from, "to": to, "departedAt": now, "arrivesAt": at + std::time::Duration::from_secs(20)});
        let (word, leg) = match status {
            OrderStatus::Ready => ("queued", Value::Null),
            OrderStatus::Assigned => ("assigned", leg(&start, &kitchen)),
            OrderStatus::PickedUp => ("pickedUp", leg(&kitchen, &home)),
            OrderStatus::Delivered => ("completed", Value::Null),
            _ => return,
        };
        let courier = (status != OrderStatus::Ready).then(|| json!({"id": "zoe", "name": "Zoë", "emoji": "🛵"}));
        let delivery = json!({"orderId": id, "restaurantId": order["restaurantId"], "restaurantName": "Soup", "customerName": "Ada", "city": "Berlin", "status": word,
            "courier": courier, "from": kitchen, "to": home, "leg": leg, "expectedAt": at + std::time::Duration::from_secs(200), "createdAt": now, "updatedAt": now});
        self.deliveries.insert(id.to_owned(), delivery);
    }
}
