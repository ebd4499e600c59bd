//! A shop whose services are a few lines each: enough for pages to be looked at.
#![allow(dead_code, reason = "each test binary uses its own part")]

mod desk;
pub mod kitchen;
pub mod people;
pub mod planted;
pub mod room;
mod world;

use app::accounts::SharedAccounts;
use app::back_office::SharedBackOffice;
use app::control_room::SharedControlRoom;
use app::desk::SharedDesk;
use app::shop::Shop;
use app::visit::{Assets, Caller, Mode, Site, Visit, Who};
use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use contract::client::{
    Call, CartClient, DeliveryClient, MenuClient, MiddlewareClient, NotificationClient, OrderClient, PaymentClient, Reply, SharedTransport,
    Transport, UserClient,
};
use contract::menu::RestaurantMenu;
use contract::{ApiError, Role, SessionId, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
pub use world::World;

#[derive(Clone)]
pub struct Fake(pub Arc<Mutex<World>>);

pub const NOW: &str = "2026-11-20T09:30:00.000Z";

pub fn now() -> Timestamp {
    serde_json::from_value(json!(NOW)).unwrap()
}

pub fn menus() -> Vec<RestaurantMenu> {
    let dish = |restaurant: &str, id: &str, name: &str, price: f64| json!({"id": id, "name": name, "description": "Good.", "emoji": "🍲", "basePrice": price, "inStock": id != "gone-soup", "restaurantId": restaurant, "category": "All", "tags": ["vegan"]});
    let place = |id: &str, name: &str, city: &str, items: Vec<Value>| {
        let restaurant = json!({"id": id, "name": name, "tagline": "Hot", "description": "A place.", "emoji": "🪐", "cuisine": "Soup", "city": city, "timeZone": "Europe/Berlin", "hues": [270, 320], "itemCount": items.len(), "hours": {"opens": 660, "closes": 1380}});
        serde_json::from_value(json!({"restaurant": restaurant, "items": items})).unwrap()
    };
    let mut latte = dish("soup-one", "oat-soup", "Oat Soup", 4.0);
    latte["options"] = json!([{"name": "Milk", "choices": ["Whole", "Oat"]}, {"name": "Size", "choices": ["Small", "Large"]}]);
    vec![
        place(
            "soup-one",
            "Soup <One>",
            "Berlin",
            vec![dish("soup-one", "hot-soup", "Hot & Soup", 5.99), dish("soup-one", "gone-soup", "Gone Soup", 3.0), latte],
        ),
        place("soup-two", "Soup Two", "Naples", vec![dish("soup-two", "far-soup", "Far Soup", 4.5)]),
    ]
}

#[async_trait]
impl Transport for Fake {
    async fn call(&self, call: Call) -> Result<Reply, ApiError> {
        let (status, body) = self.0.lock().unwrap().answer(&call);
        Ok(Reply { status, body: body.to_string().into(), retry_after_s: (status == 503).then_some(2), link: None })
    }
}

/// Whose log-in the cookies hold.
fn who(fake: &Fake, request: &Request, operator: bool) -> Who {
    let cookies = request.headers().get(http::header::COOKIE).and_then(|cookies| cookies.to_str().ok()).unwrap_or_default();
    let id = cookies.split("; ").find_map(|pair| pair.strip_prefix("feast_login="));
    let world = fake.0.lock().unwrap();
    match world.accounts.iter().find(|account| Some(account.id.as_str()) == id) {
        Some(account) => Who {
            role: account.role,
            user: Some(account.id.clone()),
            name: Some(account.name.to_string()),
            staff_of: account.staff_of.clone(),
            courier: account.courier_id.clone(),
        },
        None => Who { role: if operator { Role::Operator } else { Role::Customer }, ..Who::default() },
    }
}

impl Fake {
    pub fn new(menus: Vec<RestaurantMenu>) -> Self {
        Self(Arc::new(Mutex::new(World::new(menus))))
    }

    pub fn shop(&self) -> Shop {
        let transport: SharedTransport = Arc::new(self.clone());
        Shop {
            menu: MenuClient::new(transport.clone()),
            cart: CartClient::new(transport.clone()),
            order: OrderClient::new(transport.clone()),
            middleware: MiddlewareClient::new(transport.clone()),
            payment: PaymentClient::new(transport.clone()),
            delivery: DeliveryClient::new(transport.clone()),
            notification: NotificationClient::new(transport.clone()),
            user: UserClient::new(transport),
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
            let who = who(&fake, &request, operator);
            let people = people::People { fake: fake.clone(), user: who.user.clone() };
            let caller = Caller {
                session: SessionId::new("s1"),
                who,
                request_id: "req-1".into(),
                trace_id: Some("4bf92f3577b34da6".into()),
                now: (fake.0.lock().unwrap().clock)(),
            };
            let visit = Visit::new(site.clone(), caller, request.uri(), request.headers());
            request.extensions_mut().insert(Arc::new(visit));
            request.extensions_mut().insert(fake.shop());
            request.extensions_mut().insert::<SharedDesk>(Arc::new(fake.clone()));
            request.extensions_mut().insert::<SharedAccounts>(Arc::new(people));
            request.extensions_mut().insert::<SharedBackOffice>(Arc::new(fake.clone()));
            request.extensions_mut().insert::<SharedControlRoom>(Arc::new(fake.clone()));
            next.run(request)
        }))
    }
}
