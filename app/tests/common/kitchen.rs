//! What the fake services answer to those who work here: boards, menus, stock, couriers, messages, money; and a back office.

use super::world::{World, error};
use super::{Fake, NOW, now};
use app::back_office::BackOffice;
use async_trait::async_trait;
use contract::client::Call;
use contract::ledger::{Check, Ledger, LedgerItem};
use contract::order::OrderStatus;
use contract::parked::{EventLag, ParkedEvent};
use contract::{ApiError, Code};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// What only staff see or change.
#[derive(Default)]
pub struct Kitchen {
    pub autopilot: bool,
    pub figures: Value,
    pub couriers: BTreeMap<String, Value>,
    pub messages: Vec<Value>,
    pub promotions: BTreeMap<String, Value>,
    pub settlement: Vec<Value>,
    pub variants: Vec<Value>,
    /// Names of checks that do not hold.
    pub broken_checks: Vec<&'static str>,
    pub parked: Vec<(String, ParkedEvent)>,
    pub resets: u32,
    /// A reset goes on after its answer; how it stands.
    pub slow_reset: Option<Option<Result<u64, ApiError>>>,
}

impl World {
    /// `None` for calls that staff does not make.
    pub fn answer_staff(&mut self, call: &Call, path: &[&str], body: &Value) -> Option<(u16, Value)> {
        let answer = match (call.name, path) {
            ("order.board", [.., id, _]) => (200, self.board(id)),
            ("order.set_status", [.., id]) => self.set_status(id, body),
            ("order.set_autopilot", _) => {
                self.kitchen.autopilot = body["on"] == true;
                (204, Value::Null)
            }
            ("menu.figures", _) => (200, self.kitchen.figures.clone()),
            ("menu.change_restaurant", [.., id]) => self.change_restaurant(id, body),
            ("menu.add_item", [.., id, _]) => self.write_item(id, None, body),
            ("menu.replace_item", [.., id, _, item]) => self.write_item(id, Some(item), body),
            ("menu.change_item", [.., item]) => match self.item_mut(item) {
                Some(known) => {
                    known.in_stock = body["inStock"].as_bool().unwrap_or(known.in_stock);
                    (200, json!(known))
                }
                None => error(Code::ItemNotFound, "no"),
            },
            ("menu.delete_item", [.., item]) => {
                self.menus.iter_mut().for_each(|menu| menu.items.retain(|known| known.id.as_str() != *item));
                (204, Value::Null)
            }
            ("middleware.set_stock", [.., item]) => {
                self.stock.insert((*item).to_owned(), body["stock"].as_i64().unwrap());
                (200, json!({"itemId": item, "currentStock": body["stock"]}))
            }
            ("middleware.promotions", _) => (200, json!(self.kitchen.promotions.values().collect::<Vec<_>>())),
            ("middleware.put_promotion", [.., code]) => {
                self.kitchen.promotions.insert((*code).to_owned(), body.clone());
                (200, body.clone())
            }
            ("middleware.pricing_variants", _) => (200, json!(self.kitchen.variants)),
            ("payment.settlement", _) => {
                let day = call.path.split_once("day=").map(|(_, day)| day).unwrap_or_default();
                (200, json!({"day": day, "lines": self.kitchen.settlement, "net": 12.5}))
            }
            ("notification.messages", _) => (200, json!(self.messages(&call.path))),
            ("delivery.couriers", _) => (200, json!(self.kitchen.couriers.values().collect::<Vec<_>>())),
            ("delivery.courier", [.., id]) => match self.kitchen.couriers.get(*id) {
                Some(courier) => (200, courier.clone()),
                None => error(Code::CourierNotFound, "no"),
            },
            ("delivery.set_courier", [.., id]) => {
                let courier = self.kitchen.couriers.get_mut(*id).unwrap();
                courier["autopilot"] = body["autopilot"].clone();
                (200, courier.clone())
            }
            ("delivery.advance", [_, _, courier, _, order, _]) => self.advance(courier, order),
            _ => return None,
        };
        Some(answer)
    }

    fn board(&self, restaurant: &str) -> Value {
        let column = |statuses: &[&str]| -> Vec<&Value> {
            let here = |order: &&Value| order["restaurantId"] == restaurant && statuses.contains(&order["status"].as_str().unwrap());
            self.orders.iter().filter(here).collect()
        };
        json!({"new": column(&["paid"]), "cooking": column(&["accepted", "preparing"]), "ready": column(&["ready", "assigned"]),
            "handedOver": column(&["pickedUp", "delivered"]), "autopilot": self.kitchen.autopilot})
    }

    fn set_status(&mut self, id: &str, body: &Value) -> (u16, Value) {
        let Some(order) = self.orders.iter_mut().find(|order| order["id"] == id) else { return error(Code::OrderNotFound, "no") };
        let now = OrderStatus::from_text(order["status"].as_str().unwrap()).unwrap();
        let next: OrderStatus = serde_json::from_value(body["status"].clone()).unwrap();
        if !now.may_become(next) {
            return error(Code::IllegalTransition, "no");
        }
        order["reason"] = body["reason"].clone();
        self.becomes(id, next);
        (200, self.orders.iter().find(|order| order["id"] == id).cloned().unwrap())
    }

    fn change_restaurant(&mut self, id: &str, body: &Value) -> (u16, Value) {
        let Some(menu) = self.menus.iter_mut().find(|menu| menu.restaurant.id.as_str() == id) else {
            return error(Code::RestaurantNotFound, "no");
        };
        if let Some(paused) = body["paused"].as_bool() {
            menu.restaurant.paused = paused;
        }
        if !body["hours"].is_null() {
            menu.restaurant.hours = serde_json::from_value(body["hours"].clone()).unwrap();
        }
        (200, json!(menu.restaurant))
    }

    fn item_mut(&mut self, id: &str) -> Option<&mut contract::menu::MenuItem> {
        self.menus.iter_mut().flat_map(|menu| &mut menu.items).find(|item| item.id.as_str() == id)
    }

    fn write_item(&mut self, restaurant: &str, id: Option<&str>, body: &Value) -> (u16, Value) {
        if body["name"] == "" {
            return error(Code::InvalidMenu, "the name must have 1 to 80 characters");
        }
        let mut item = body.clone();
        item["restaurantId"] = json!(restaurant);
        item["id"] = json!(id.map_or_else(|| body["name"].as_str().unwrap().to_lowercase().replace(' ', "-"), str::to_owned));
        let written: contract::menu::MenuItem = serde_json::from_value(item.clone()).unwrap();
        match self.item_mut(written.id.as_str()) {
            Some(_) if id.is_none() => return error(Code::ItemExists, "there is a dish of that name"),
            Some(known) => *known = written,
            None => self
                .menus
                .iter_mut()
                .filter(|menu| menu.restaurant.id.as_str() == restaurant)
                .for_each(|menu| menu.items.push(written.clone())),
        }
        (200, item)
    }

    fn advance(&mut self, courier: &str, order: &str) -> (u16, Value) {
        let picked_up = self.deliveries[order]["status"] == "pickedUp";
        self.becomes(order, if picked_up { OrderStatus::Delivered } else { OrderStatus::PickedUp });
        if picked_up {
            let courier = self.kitchen.couriers.get_mut(courier).unwrap();
            courier["orderId"] = Value::Null;
            courier["deliveredToday"] = json!(courier["deliveredToday"].as_u64().unwrap() + 1);
        }
        (200, self.deliveries[order].clone())
    }

    /// As the service filters them.
    fn messages(&self, path: &str) -> Vec<&Value> {
        let wanted = |name: &str| path.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
        let (channel, order) = (wanted("channel"), wanted("order"));
        let fits = |message: &&Value| {
            (channel.is_empty() || message["channel"] == channel) && message["orderId"].as_str().is_some_and(|id| id.ends_with(order))
        };
        self.kitchen.messages.iter().filter(fits).collect()
    }

    /// A paid order of a restaurant, from `minutes` ago, with this many dishes of a kind.
    pub fn paid_order(&mut self, restaurant: &str, name: &str, minutes: u64) -> String {
        let id = format!("0198f3a2-77b1-7c3e-9abc-{:012}", self.orders.len() + 1);
        let at = contract::Timestamp::from_millis((self.clock)().millis() - i64::try_from(minutes * 60_000).unwrap());
        let line = |item: &str, name: &str, quantity: u32, choice: Option<&str>| json!({"itemId": item, "itemName": name, "itemEmoji": "🍲", "quantity": quantity, "basePrice": 5.99, "itemTotal": 11.98, "choice": choice});
        let order = json!({"id": id, "customerName": name, "restaurantId": restaurant, "restaurantName": "Soup", "totalPrice": 17.5, "status": "paid",
            "items": [line("hot-soup", "Hot & Soup", 2, None), line("oat-soup", "Oat Soup", 1, Some("Oat, Large"))],
            "timestamp": at, "updatedAt": at, "city": "Berlin", "history": [{"status": "pending", "at": at}, {"status": "paid", "at": at}],
            "from": {"x": 5000, "y": 5000}, "to": {"x": 6400, "y": 4100}, "specialInstructions": "no <onions>"});
        self.payments.insert(id.clone(), json!({"orderId": id, "restaurantId": restaurant, "status": "completed", "amount": 17.5, "method": "card", "createdAt": at, "updatedAt": at}));
        self.orders.push(order);
        id
    }
}

pub fn courier(id: &str, order: Option<&str>, autopilot: bool) -> Value {
    json!({"id": id, "name": "Zoë", "emoji": "🛵", "city": "Berlin", "location": {"x": 4200, "y": 6100}, "orderId": order, "autopilot": autopilot, "deliveredToday": 3})
}

pub fn parked(id: &str, error: &str) -> ParkedEvent {
    ParkedEvent {
        id: id.into(),
        kind: "order.paid".into(),
        order_id: "0198f3a2-77b1-7c3e-9abc-000000000001".into(),
        error: error.into(),
        attempts: 5,
        parked_at: now(),
        document: "{\"kind\":\"order.paid\"}".into(),
    }
}

fn check(world: &World, name: &str, says: &str, left: i64) -> Check {
    let holds = !world.kitchen.broken_checks.contains(&name);
    Check { name: name.into(), says: says.into(), left, right: if holds { left } else { left - 7 }, in_flight: 0, holds }
}

#[async_trait]
impl BackOffice for Fake {
    async fn ledger(&self) -> Result<Ledger, ApiError> {
        let world = self.0.lock().unwrap();
        if let Some(code) = world.broken.get("ledger") {
            return Err(ApiError::new(*code, "broken for a test"));
        }
        let checks = vec![
            check(&world, "tickets", "paid orders = kitchen tickets", 1_234),
            check(&world, "money", "charges − refunds = cents of paid orders − cents to give back", 4_321_099),
            check(&world, "stock", "stock on the shelves = initial + replenished − sold + released", 8_200),
        ];
        let at = (world.clock)();
        let item = |owner: &str, left_s: i64| LedgerItem {
            order_id: "0198f3a2-77b1-7c3e-9abc-000000000001".into(),
            waits_for: "a courier".into(),
            owner: owner.into(),
            since: at,
            deadline: contract::Timestamp::from_millis(at.millis() + left_s * 1_000),
        };
        let balanced = checks.iter().all(|check| check.holds);
        Ok(Ledger { balanced, settled: balanced, checks, open: vec![item("delivery", 90), item("", -60)], at })
    }

    async fn events(&self) -> Result<(Vec<EventLag>, Vec<(String, ParkedEvent)>), ApiError> {
        let world = self.0.lock().unwrap();
        let lag = |service: &str| {
            let parked = world.kitchen.parked.iter().filter(|(at, _)| at == service).count() as u64;
            EventLag { service: service.into(), waiting: 2, parked, outbox: 1, outbox_oldest_ms: 4_200, ..EventLag::default() }
        };
        Ok((["order", "payment", "menu", "delivery"].map(lag).into(), world.kitchen.parked.clone()))
    }

    async fn replay(&self, service: &str, id: &str) -> Result<bool, ApiError> {
        let mut world = self.0.lock().unwrap();
        let before = world.kitchen.parked.len();
        world.kitchen.parked.retain(|(at, event)| at != service || event.id != id);
        if world.kitchen.parked.len() < before { Ok(true) } else { Err(ApiError::new(Code::EventNotFound, "no")) }
    }

    async fn reset(&self) -> Result<Option<u64>, ApiError> {
        let mut world = self.0.lock().unwrap();
        world.kitchen.resets += 1;
        world.orders.clear();
        match &world.kitchen.slow_reset {
            None => Ok(Some(Duration::from_millis(1_240).as_millis() as u64)),
            Some(_) => Ok(None),
        }
    }

    fn reset_outcome(&self) -> Option<Result<u64, ApiError>> {
        self.0.lock().unwrap().kitchen.slow_reset.clone().flatten()
    }
}

const BY_HOUR: [u32; 24] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 5, 12, 9, 4, 2, 1, 4, 9, 8, 2, 0, 0, 0];

/// Something of everything, for looking at the pages.
pub fn busy_evening(world: &mut World) {
    for (n, name) in ["Ada Lovelace", "Grace Hopper", "مريم", "Zoë <b>", "Linus", "Ken", "Barbara", "Alan"].into_iter().enumerate() {
        let id = world.paid_order("soup-one", name, (8 - n as u64) / 2);
        let steps = [
            OrderStatus::Accepted,
            OrderStatus::Preparing,
            OrderStatus::Ready,
            OrderStatus::Assigned,
            OrderStatus::PickedUp,
            OrderStatus::Delivered,
        ];
        for step in steps.into_iter().take(6usize.saturating_sub(n)) {
            world.becomes(&id, step);
        }
    }
    let carried = world.orders.iter().find(|order| order["status"] == "pickedUp").map(|order| order["id"].as_str().unwrap().to_owned());
    world.kitchen.couriers.insert("zoe".into(), courier("zoe", carried.as_deref(), false));
    world.kitchen.couriers.insert("max".into(), courier("max", None, true));
    world.kitchen.figures = json!({"day": "2026-11-20", "orders": 61, "revenue": 1284.5, "refunds": 2, "refunded": 24.1, "cookingSeconds": 412,
        "hours": (0..24).map(|hour| json!({"hour": hour, "orders": BY_HOUR[hour], "revenue": hour})).collect::<Vec<_>>(),
        "best": [{"itemId": "a", "name": "Hot & Soup", "sold": 32}, {"itemId": "b", "name": "Oat Soup", "sold": 12}]});
    let message = |n: usize, channel: &str, status: &str| {
        json!({"id": format!("m{n}"), "orderId": "0198f3a2-77b1-7c3e-9abc-000000000001", "channel": channel, "to": "Ada Lovelace",
        "subject": "Your order is on its way", "body": "Zoë has picked it up.\nTrack it on your page.", "status": status, "createdAt": NOW, "sentAt": NOW})
    };
    world.kitchen.messages =
        vec![message(1, "email", "sent"), message(2, "sms", "sent"), message(3, "push", "queued"), message(4, "email", "failed")];
    let promotion = |code: &str, gives: Value, active: bool| json!({"code": code, "says": "Something off", "gives": gives, "minimum": 20, "active": active, "endsAt": "2026-12-31T23:59:59.999Z"});
    world.kitchen.promotions.insert("WELCOME10".into(), promotion("WELCOME10", json!({"kind": "percent", "percent": 10}), true));
    world.kitchen.promotions.insert("FREESHIP".into(), promotion("FREESHIP", json!({"kind": "freeDelivery"}), false));
    world.kitchen.settlement =
        vec![json!({"restaurantId": "soup-one", "charges": 61, "charged": 1284.5, "refunds": 2, "refunded": 24.1, "net": 1260.4})];
    world.kitchen.variants = ["v1", "v2"]
        .into_iter()
        .zip([(120, 21.4), (14, 23.1)])
        .map(|(name, (orders, each))| json!({"variant": name, "orders": orders, "revenue": 2568, "revenuePerOrder": each}))
        .collect();
    world.kitchen.parked = vec![("menu".into(), parked("o1/paid", "the restaurant of this order is not known"))];
    world.kitchen.broken_checks = vec!["stock"];
    world.stock.insert("hot-soup".into(), 42);
    world.stock.insert("oat-soup".into(), 0);
}
