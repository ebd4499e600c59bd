//! The pages on fake services, for looking at them while the design changes: `cargo run -p app --features ssr --example preview`.
//! Styles and scripts come from the folder named by the first argument. Orders move on by themselves, every few
//! seconds. With `BUSY` set they stand still, and there is something to see on every page of kitchens, couriers and operators; `PLAY=show` or `PLAY=quiz` lets an incident run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a tool for development")]

#[path = "../tests/common/mod.rs"]
mod common;

use axum::Router;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use axum::routing::get;
use common::Fake;
use contract::Timestamp;
use contract::incident::PlayMode;
use contract::order::OrderStatus;
use std::convert::Infallible;
use std::time::{Duration, SystemTime};

const STEP: Duration = Duration::from_secs(6);

fn clock() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap())
}

/// Every order goes one step along its way.
fn step(fake: &Fake) {
    let mut world = fake.0.lock().unwrap();
    let moves: Vec<(String, OrderStatus)> = world
        .orders
        .iter()
        .filter(|order| !order["customerName"].as_str().unwrap_or_default().starts_with("Still"))
        .filter_map(|order| {
            let status = OrderStatus::from_text(order["status"].as_str()?)?;
            let next = OrderStatus::ALL.into_iter().find(|next| status.may_become(*next))?;
            Some((order["id"].as_str()?.to_owned(), next))
        })
        .collect();
    for (id, next) in moves {
        world.becomes(&id, next);
    }
}

/// The order, once a second: enough for a page that follows it.
async fn events(fake: Fake, id: String) -> impl IntoResponse {
    let stream = futures::stream::unfold(true, move |first| {
        let (fake, id) = (fake.clone(), id.clone());
        async move {
            if !first {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let world = fake.0.lock().unwrap();
            let order = world.orders.iter().find(|order| order["id"] == id.as_str())?;
            let data = serde_json::json!({"order": order, "delivery": world.deliveries.get(&id)});
            Some((Ok::<_, Infallible>(Event::default().event("order").data(data.to_string())), false))
        }
    });
    Sse::new(stream)
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/site".to_owned());
    let menus = std::env::args().nth(2).map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    let fake = Fake::new(menus.unwrap_or_else(common::menus));
    fake.0.lock().unwrap().clock = clock;
    let busy = std::env::var("BUSY").is_ok();
    if busy {
        let mut world = fake.0.lock().unwrap();
        common::kitchen::busy_evening(&mut world);
        world.all_flags = true;
        world.room.busy = true;
        world.room.load = common::planted::load(clock());
        world.room.incidents = common::planted::incidents(clock());
        let mode = match std::env::var("PLAY").as_deref() {
            Ok("show") => Some(PlayMode::Show),
            Ok("quiz") => Some(PlayMode::Quiz),
            _ => None,
        };
        world.room.incidents.playing = mode.map(|mode| common::planted::playing(clock(), mode));
    }
    let asset = move |Path(name): Path<String>| {
        let kind = match name.rsplit('.').next() {
            Some("css") => "text/css",
            Some("js") => "text/javascript",
            Some("svg") => "image/svg+xml",
            _ => "application/wasm",
        };
        let found = std::fs::read(format!("{folder}/{name}")).or_else(|_| std::fs::read(format!("{folder}/pkg/{name}")));
        async move { found.map(|bytes| ([("content-type", kind)], bytes)).map_err(|_| http::StatusCode::NOT_FOUND).into_response() }
    };
    let listened = fake.clone();
    let router: Router = fake
        .router(std::env::var("OPERATOR").is_ok_and(|value| !value.is_empty()))
        .route("/pkg/abc/{name}", get(asset))
        .route("/events/orders/{id}", get(move |Path(id): Path<String>| events(listened.clone(), id)));
    // Somebody orders.
    let ordered = fake.clone();
    let order = move || async move { ordered.0.lock().unwrap().paid_order("soup-one", "Nova Star", 0) };
    let router = router.route("/new-order", get(order));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(STEP).await;
            if !busy {
                step(&fake);
            }
        }
    });
    let address = std::env::var("SITE_ADDR").unwrap_or_else(|_| "127.0.0.1:3900".to_owned());
    let listener = tokio::net::TcpListener::bind(&address).await.unwrap();
    println!("http://{address}");
    axum::serve(listener, router).await.unwrap();
}
