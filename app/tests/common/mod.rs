//! A shop whose services are a few lines each: enough for pages to be looked at.
#![allow(dead_code, reason = "each test binary uses its own part")]

use app::desk::{FlagDesk, SharedDesk};
use app::shop::Shop;
use app::visit::{Assets, Caller, Mode, Site, Visit, Who};
use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use contract::client::{Call, CartClient, MenuClient, MiddlewareClient, OrderClient, Reply, SharedTransport, Transport};
use contract::error::ErrorBody;
use contract::flags::{Audience, FlagState, Flip, SetFlag, Variant};
use contract::menu::RestaurantMenu;
use contract::{ApiError, Code, Role, SessionId, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// What the fake services know. `broken` names calls that fail: `("cart.add_item", Code::FeatureFlagChaos)`.
#[derive(Default)]
pub struct World {
    pub menus: Vec<RestaurantMenu>,
    pub carts: BTreeMap<String, Value>,
    pub orders: Vec<Value>,
    pub stock: BTreeMap<String, i64>,
    pub broken: HashMap<&'static str, Code>,
    /// Keys that orders came with.
    pub keys: Vec<Option<String>>,
    flips: BTreeMap<String, (String, Flip)>,
}

#[derive(Clone)]
pub struct Fake(pub Arc<Mutex<World>>);

pub const NOW: &str = "2026-11-20T09:30:00.000Z";

pub fn menus() -> Vec<RestaurantMenu> {
    let dish = |restaurant: &str, id: &str, name: &str, price: f64| json!({"id": id, "name": name, "description": "Good.", "emoji": "🍲", "basePrice": price, "inStock": id != "gone-soup", "restaurantId": restaurant, "category": "All", "tags": ["vegan"]});
    let place = |id: &str, name: &str, city: &str, items: Vec<Value>| {
        let restaurant = json!({"id": id, "name": name, "tagline": "Hot", "description": "A place.", "emoji": "🪐", "cuisine": "Soup", "city": city, "timeZone": "UTC", "hues": [270, 320], "itemCount": items.len()});
        serde_json::from_value(json!({"restaurant": restaurant, "items": items})).unwrap()
    };
    vec![
        place(
            "soup-one",
            "Soup <One>",
            "Berlin",
            vec![dish("soup-one", "hot-soup", "Hot & Soup", 5.99), dish("soup-one", "gone-soup", "Gone Soup", 3.0)],
        ),
        place("soup-two", "Soup Two", "Naples", vec![dish("soup-two", "far-soup", "Far Soup", 4.5)]),
    ]
}

fn error(code: Code, message: &str) -> (u16, Value) {
    let body = ErrorBody { error: message.into(), code: code.as_str().into(), request_id: "r".into() };
    (code.status(), serde_json::to_value(body).unwrap())
}

impl World {
    fn item(&self, id: &str) -> Option<Value> {
        self.menus.iter().flat_map(|menu| &menu.items).find(|item| item.id.as_str() == id).map(|item| json!(item))
    }

    fn answer(&mut self, call: &Call) -> (u16, Value) {
        if let Some(code) = self.broken.get(call.name) {
            return error(*code, "broken for a test");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let path: Vec<&str> = call.path.split('?').next().unwrap_or_default().split('/').skip(1).collect();
        match (call.name, path.as_slice()) {
            ("menu.restaurants", _) => (200, json!(self.menus.iter().map(|menu| &menu.restaurant).collect::<Vec<_>>())),
            ("menu.restaurant_menu", [.., id]) => match self.menus.iter().find(|menu| menu.restaurant.id.as_str() == *id) {
                Some(menu) => (200, json!(menu)),
                None => error(Code::RestaurantNotFound, "no"),
            },
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
                let id = format!("cart-{}", self.carts.len() + 1);
                let cart = json!({"id": id, "items": [], "createdAt": NOW, "updatedAt": NOW});
                self.carts.insert(id, cart.clone());
                (201, cart)
            }
            ("cart.get", [.., id]) => self.carts.get(*id).map_or_else(|| error(Code::CartNotFound, "no"), |cart| (200, cart.clone())),
            ("cart.delete", [.., id]) => self.carts.remove(*id).map_or_else(|| error(Code::CartNotFound, "no"), |_| (204, Value::Null)),
            ("cart.add_item", [_, id, _]) => {
                self.add(id, body["itemId"].as_str().unwrap_or_default(), body["quantity"].as_u64().unwrap_or(0))
            }
            ("cart.set_quantity", [_, id, _, item]) => self.set(id, item, body["quantity"].as_i64().unwrap_or(0)),
            ("order.quote", _) => self.quote(body["cartId"].as_str().unwrap_or_default()),
            ("order.place", _) => self.place(call, &body),
            ("order.get", [.., id]) => self
                .orders
                .iter()
                .find(|order| order["id"] == *id)
                .map_or_else(|| error(Code::OrderNotFound, "no"), |order| (200, order.clone())),
            ("order.list", _) => (200, json!(self.orders.iter().rev().collect::<Vec<_>>())),
            other => panic!("the fake has no answer to {other:?}"),
        }
    }

    fn add(&mut self, id: &str, item: &str, quantity: u64) -> (u16, Value) {
        let Some(item) = self.item(item) else { return error(Code::ItemNotFound, "no") };
        let Some(cart) = self.carts.get_mut(id) else { return error(Code::CartNotFound, "no") };
        if cart["restaurantId"].as_str().is_some_and(|restaurant| restaurant != item["restaurantId"]) {
            return error(Code::CartOtherRestaurant, "no");
        }
        cart["restaurantId"] = item["restaurantId"].clone();
        let lines = cart["items"].as_array_mut().unwrap();
        match lines.iter_mut().find(|line| line["itemId"] == item["id"]) {
            Some(line) => line["quantity"] = json!(line["quantity"].as_u64().unwrap() + quantity),
            None => lines.push(json!({"itemId": item["id"], "itemName": item["name"], "itemEmoji": item["emoji"], "quantity": quantity, "basePrice": item["basePrice"], "addedAt": NOW})),
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

    fn priced(cart: &Value) -> (Vec<Value>, f64) {
        let mut total = 0.0;
        let lines = cart["items"].as_array().unwrap().iter().map(|line| {
            let cents = (line["basePrice"].as_f64().unwrap() * 100.0 * line["quantity"].as_f64().unwrap() * 1.1).round();
            total += cents;
            let mut line = line.clone();
            line["itemTotal"] = json!(cents / 100.0);
            line["rules"] = json!(["Rush hour +10 %"]);
            line
        });
        (lines.collect(), total / 100.0)
    }

    fn quote(&self, id: &str) -> (u16, Value) {
        let Some(cart) = self.carts.get(id) else { return error(Code::CartNotFound, "no") };
        let (lines, total) = Self::priced(cart);
        if lines.is_empty() {
            return error(Code::CartEmpty, "no");
        }
        (
            201,
            json!({"quoteId": "quote-1", "cartId": id, "restaurantId": cart["restaurantId"], "lines": lines, "fees": [{"name": "Delivery", "amount": 0}], "discounts": [], "subtotal": total, "total": total, "expiresAt": "2026-11-20T09:34:59.000Z"}),
        )
    }

    fn place(&mut self, call: &Call, body: &Value) -> (u16, Value) {
        self.keys.push(call.idempotency_key.clone());
        let Some(cart) = self.carts.get(body["cartId"].as_str().unwrap_or_default()).cloned() else {
            return error(Code::CartNotFound, "no");
        };
        let (lines, total) = Self::priced(&cart);
        let order = json!({"id": format!("0198f3a2-77b1-7c3e-9abc-{:012}", self.orders.len() + 1), "customerName": body["customerName"], "restaurantId": cart["restaurantId"], "restaurantName": "Soup", "items": lines, "totalPrice": total, "status": "pending", "timestamp": NOW, "updatedAt": NOW, "specialInstructions": body["specialInstructions"]});
        self.orders.push(order.clone());
        (201, order)
    }
}

#[async_trait]
impl Transport for Fake {
    async fn call(&self, call: Call) -> Result<Reply, ApiError> {
        let (status, body) = self.0.lock().unwrap().answer(&call);
        Ok(Reply { status, body: body.to_string().into(), retry_after_s: (status == 503).then_some(2), link: None })
    }
}

#[async_trait]
impl FlagDesk for Fake {
    async fn list(&self) -> Result<Vec<FlagState>, ApiError> {
        let world = self.0.lock().unwrap();
        let flags = ["cart-chaos-errors", "menu-item-failure", "middleware-unreachable"];
        let state = |key: &str| {
            let flip = world.flips.get(key);
            FlagState {
                key: key.into(),
                description: "Adding to the cart waits, then fails.".into(),
                service: "cart".into(),
                route: "POST /cart/{id}/items".into(),
                expected: "Some additions answer 503 after two seconds; everything else is as before.".into(),
                audience_sentence: "One feature fails, the shop does not.".into(),
                default_variant: "off".into(),
                variant: flip.map_or("off".into(), |(variant, _)| variant.clone()),
                variants: ["off", "low", "medium", "high"]
                    .map(|name| Variant { name: name.into(), value: json!({"errorRate": 5}) })
                    .to_vec(),
                flip: flip.map(|(_, flip)| flip.clone()),
            }
        };
        Ok(flags.iter().map(|key| state(key)).collect())
    }

    async fn set(&self, key: &str, flip: SetFlag) -> Result<FlagState, ApiError> {
        let (now, end) = (now(), now() + std::time::Duration::from_secs(flip.ttl_seconds.unwrap_or(600)));
        let state = Flip { audience: flip.audience.unwrap_or(Audience::Everyone), flipped_at: now, expires_at: end };
        self.0.lock().unwrap().flips.insert(key.into(), (flip.variant, state));
        self.list().await?.into_iter().find(|flag| flag.key == key).ok_or_else(|| ApiError::new(Code::FlagNotFound, "no"))
    }

    async fn clear(&self, key: &str) -> Result<(), ApiError> {
        self.0.lock().unwrap().flips.remove(key);
        Ok(())
    }

    async fn clear_all(&self) -> Result<(), ApiError> {
        self.0.lock().unwrap().flips.clear();
        Ok(())
    }
}

pub fn now() -> Timestamp {
    serde_json::from_value(json!(NOW)).unwrap()
}

impl Fake {
    pub fn new(menus: Vec<RestaurantMenu>) -> Self {
        Self(Arc::new(Mutex::new(World { menus, ..World::default() })))
    }

    pub fn shop(&self) -> Shop {
        let transport: SharedTransport = Arc::new(self.clone());
        Shop {
            menu: MenuClient::new(transport.clone()),
            cart: CartClient::new(transport.clone()),
            order: OrderClient::new(transport.clone()),
            middleware: MiddlewareClient::new(transport),
        }
    }

    /// The shop's routes with everything they need.
    pub fn router(&self, operator: bool) -> Router {
        let site = Arc::new(Site {
            version: "0.1.0".into(),
            mode: Mode::Embedded,
            stores: vec![("carts".into(), "memory".into())],
            assets: Assets { base: "/pkg/abc".into() },
            secure_cookies: false,
            started_at: Timestamp::from_millis(now().millis() - 90_000),
        });
        let fake = self.clone();
        app::router().layer(axum::middleware::from_fn(move |mut request: Request, next: axum::middleware::Next| {
            let caller = Caller {
                session: SessionId::new("s1"),
                who: Who { role: if operator { Role::Operator } else { Role::Customer }, ..Who::default() },
                request_id: "req-1".into(),
                trace_id: Some("4bf92f3577b34da6".into()),
                now: now(),
            };
            let visit = Visit::new(site.clone(), caller, request.uri(), request.headers());
            request.extensions_mut().insert(Arc::new(visit));
            request.extensions_mut().insert(fake.shop());
            request.extensions_mut().insert::<SharedDesk>(Arc::new(fake.clone()));
            next.run(request)
        }))
    }
}
