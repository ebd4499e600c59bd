//! Facts about events that do not arrive at once.

use super::world::{PATIENCE, Service, World, event, parcel};
use axum::body::{Body, to_bytes};
use axum::middleware;
use contract::parked::{EventLag, ParkedPage, Replay, Replayed};
use http::{Request, StatusCode};
use runtime::events::ATTEMPTS;
use runtime::events::bus::{Message, Parcel};
use runtime::http::{Inbound, inbound};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use testkit::{eventually, flip};
use tower::ServiceExt;

pub async fn a_poisoned_event_is_parked_and_the_next_ones_go_on(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    menu.recorder.poison.lock().unwrap().insert("o5/1".to_owned(), u32::MAX);
    order.tell((0..10).map(|n| event(&format!("o{n}"), 1)).collect()).await;
    order.tell(vec![event("o5", 2), event("o6", 2)]).await;
    let seen = menu.sees(11).await;
    assert!(!seen.contains(&"o5/1".to_owned()));
    assert!(seen.contains(&"o5/2".to_owned()), "what comes after a parked event goes on");
    assert_eq!(menu.parked().await, 1);
    assert_eq!(menu.number("SELECT attempts FROM event_parked").await, i64::from(ATTEMPTS));
    eventually("it is acknowledged", PATIENCE, async || {
        let lag = menu.events.lag().await.unwrap();
        (lag.waiting + lag.pending, lag.parked, order.outbox().await) == (0, 1, 0)
    })
    .await;
}

pub async fn an_event_that_cannot_be_read_is_parked(world: World) {
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    let nonsense = Message { id: "x/1".into(), kind: super::world::ASSIGNED.into(), order: "x".into(), document: "{".into() };
    let parcels = [Parcel { row: 1, message: Arc::new(nonsense) }, parcel(2)];
    world.platform.bus().await.unwrap().publish(&parcels, &tokio::sync::mpsc::unbounded_channel().0).await.unwrap();
    assert_eq!(menu.sees(1).await, ["o2/0"]);
    assert_eq!(menu.parked().await, 1);
}

pub async fn a_handler_that_panics_parks_the_event(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    menu.recorder.panics.lock().unwrap().insert("a/1".to_owned());
    order.tell(vec![event("a", 1), event("b", 1)]).await;
    menu.sees(1).await;
    eventually("it is parked", PATIENCE, async || menu.parked().await == 1).await;
}

pub async fn a_statement_that_can_never_succeed_is_parked(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    menu.recorder.nonsense.lock().unwrap().insert("a/1".to_owned());
    order.tell(vec![event("a", 1), event("b", 1)]).await;
    assert_eq!(menu.sees(1).await, ["b/1"]);
    eventually("it is parked", PATIENCE, async || menu.parked().await == 1).await;
}

pub async fn an_event_that_fails_for_a_while_holds_up_its_order_alone(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    menu.recorder.poison.lock().unwrap().insert("a/1".to_owned(), ATTEMPTS - 1);
    order.tell(vec![event("a", 1), event("a", 2), event("b", 1), event("b", 2)]).await;
    assert_eq!(menu.sees(4).await, ["b/1", "b/2", "a/1", "a/2"]);
    assert_eq!(menu.parked().await, 0);
}

pub async fn a_database_that_fails_is_waited_for(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    menu.recorder.broken.store(true, Ordering::SeqCst);
    order.tell((0..5).map(|n| event(&format!("o{n}"), 1)).collect()).await;
    eventually("it is tried more often than poison", PATIENCE, async || {
        menu.recorder.tries.load(Ordering::SeqCst) > u64::from(ATTEMPTS) + 2
    })
    .await;
    assert_eq!((menu.parked().await, menu.seen().await.len()), (0, 0));
    menu.recorder.broken.store(false, Ordering::SeqCst);
    menu.sees(5).await;
    assert_eq!(menu.parked().await, 0);
}

/// A service with one parked event, `a/1`.
async fn with_parked(world: &World) -> Service {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    menu.recorder.poison.lock().unwrap().insert("a/1".to_owned(), u32::MAX);
    order.tell(vec![event("a", 1)]).await;
    eventually("it is parked", PATIENCE, async || menu.parked().await == 1).await;
    menu
}

async fn ask<T: DeserializeOwned>(world: &World, service: &Service, role: &str, method: &str, path: &str, body: Body) -> Result<T, u16> {
    let entry = Inbound::new("menu", None, &world.platform.meter("menu"));
    let router = service.events.router().layer(middleware::from_fn_with_state(entry, inbound));
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(runtime::http::headers::ROLE, role)
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    if status == StatusCode::OK { Ok(serde_json::from_slice(&body).unwrap()) } else { Err(status.as_u16()) }
}

fn replay(id: &str) -> Body {
    Body::from(serde_json::to_vec(&Replay { id: id.to_owned() }).unwrap())
}

const REPLAY: &str = "/internal/events/parked/replay";

pub async fn a_parked_event_can_be_replayed(world: World) {
    let menu = with_parked(&world).await;
    menu.recorder.poison.lock().unwrap().clear();
    assert_eq!(ask::<Replayed>(&world, &menu, "operator", "POST", REPLAY, replay("b/1")).await, Err(404));
    let replayed = ask::<Replayed>(&world, &menu, "operator", "POST", REPLAY, replay("a/1")).await.unwrap();
    assert!(replayed.applied);
    assert_eq!((menu.seen().await, menu.parked().await), (vec!["a/1".to_owned()], 0));
    assert_eq!(ask::<Replayed>(&world, &menu, "operator", "POST", REPLAY, replay("a/1")).await, Err(404), "once is enough");
}

pub async fn a_parked_event_that_fails_again_stays_parked(world: World) {
    let menu = with_parked(&world).await;
    assert_eq!(ask::<Replayed>(&world, &menu, "operator", "POST", REPLAY, replay("a/1")).await, Err(409));
    menu.recorder.broken.store(true, Ordering::SeqCst);
    assert_eq!(ask::<Replayed>(&world, &menu, "operator", "POST", REPLAY, replay("a/1")).await, Err(503));
    assert_eq!((menu.seen().await.len(), menu.parked().await), (0, 1));
}

pub async fn parked_events_are_shown_page_by_page_to_operators_alone(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    let ids: Vec<String> = (0..5).map(|n| format!("o{n}/1")).collect();
    menu.recorder.poison.lock().unwrap().extend(ids.iter().map(|id| (id.clone(), u32::MAX)));
    order.tell((0..5).map(|n| event(&format!("o{n}"), 1)).collect()).await;
    eventually("all are parked", PATIENCE, async || menu.parked().await == 5).await;
    let path = "/internal/events/parked?limit=2";
    for role in ["customer", "restaurant", "courier"] {
        assert_eq!(ask::<ParkedPage>(&world, &menu, role, "GET", path, Body::empty()).await, Err(401), "{role}");
        assert_eq!(ask::<Replayed>(&world, &menu, role, "POST", REPLAY, replay("o1/1")).await, Err(401), "{role}");
    }
    let mut seen = Vec::new();
    let mut path = path.to_owned();
    for length in [2, 2, 1] {
        let page: ParkedPage = ask(&world, &menu, "operator", "GET", &path, Body::empty()).await.unwrap();
        assert_eq!((page.service.as_str(), page.events.len()), ("menu", length));
        for parked in page.events {
            assert_eq!((parked.error, parked.attempts), (format!("{} is bad", parked.id), ATTEMPTS));
            seen.push(parked.id);
        }
        path = format!("/internal/events/parked?limit=2&cursor={}", page.next.unwrap_or_default());
    }
    seen.sort();
    assert_eq!(seen, ids);
}

pub async fn how_far_a_service_is_behind_is_shown(world: World) {
    let menu = with_parked(&world).await;
    world.clock.advance(Duration::from_secs(60));
    eventually("it has caught up", PATIENCE, async || {
        let lag: EventLag = ask(&world, &menu, "operator", "GET", "/internal/events/lag", Body::empty()).await.unwrap();
        lag == EventLag { service: "menu".into(), parked: 1, ..EventLag::default() }
    })
    .await;
}

pub async fn whoever_is_held_back_by_a_flag_goes_on_when_it_is_cleared(world: World) {
    let order = world.teller("order").await;
    let menu = world.listener("menu").await;
    world.platform.open_bus();
    flip(&world.platform, "events-lag", "10-s-kitchen");
    order.tell(vec![event("a", 1)]).await;
    eventually("the event is read", PATIENCE, async || menu.events.lag().await.unwrap().pending == 1).await;
    world.platform.flag_control().clear_all().unwrap();
    // Half of what the flag says.
    eventually("it is applied", Duration::from_secs(5), async || menu.seen().await == ["a/1"]).await;
}
