//! Pages of those who work here, against fake services: what they show, what their forms do, and who sees nothing of it.
#![cfg(feature = "ssr")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod board;
#[path = "../pages/browser.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod browser;
#[path = "../common/mod.rs"]
mod common;
mod console;
mod control;
mod courier;
mod menu;
mod snapshot;

use browser::Browser;

/// Somebody who is logged in as one of the demonstration's people.
fn as_(id: &str) -> Browser {
    let mut browser = Browser::new();
    browser.cookies.insert("feast_login".into(), id.into());
    browser
}

#[tokio::test]
async fn guests_are_told_where_to_log_in_and_come_back() {
    let mut guest = Browser::new();
    for (path, back) in [("/restaurant", "%2Frestaurant"), ("/restaurant/menu", "%2Frestaurant%2Fmenu"), ("/courier", "%2Fcourier")] {
        guest.get(path).await.is(401).says("Log in first").says(&format!("/login?next={back}"));
    }
    guest.post("/restaurant/autopilot", "on=true&restaurant=soup-one").await.is(401);
    guest.post("/courier/autopilot", "on=true&courier=zoe").await.is(401);
}

#[tokio::test]
async fn a_customer_works_in_no_kitchen_and_a_courier_neither() {
    for who in ["ada", "zoe"] {
        let mut browser = as_(who);
        for path in [
            "/restaurant",
            "/restaurant/menu",
            "/restaurant/hours",
            "/restaurant/today",
            "/restaurant/new-dish",
            "/restaurant/menu/hot-soup",
        ] {
            browser.get(path).await.is(403).says("another one's");
        }
    }
    as_("cook").get("/courier").await.is(403);
    let mut ada = as_("ada");
    let id = ada.world().paid_order("soup-one", "Ada", 0);
    ada.post(&format!("/restaurant/orders/{id}/status"), "status=accepted&restaurant=soup-one").await.is(403);
    assert_eq!(ada.world().orders[0]["status"], "paid");
}

#[tokio::test]
async fn a_page_of_staff_has_no_inline_script_and_no_inline_style() {
    let mut operator = Browser { operator: true, ..Browser::new() };
    common::kitchen::busy_evening(&mut operator.world());
    {
        let mut world = operator.world();
        world.room.busy = true;
        world.all_flags = true;
        world.room.load = common::planted::load(common::now());
        world.room.incidents = common::planted::incidents(common::now());
        world.room.incidents.playing = Some(common::planted::playing(common::now(), contract::incident::PlayMode::Quiz));
    }
    let kitchen = ["", "/menu", "/hours", "/today", "/new-dish", "/menu/hot-soup", "/menu/hot-soup/delete"]
        .map(|page| format!("/restaurant{page}?id=soup-one"));
    let console = [
        "overview",
        "overview?service=cart&minutes=60",
        "traces",
        "traces/4bf92f3577b34da6a3ce929d0e0e4736",
        "map",
        "logs",
        "flags",
        "incidents",
        "incidents?view=stage",
        "load",
        "ledger",
        "events",
        "outbox",
        "promotions",
        "settlement",
        "pricing",
        "policies",
        "admin",
        "admin/reset",
    ];
    let console = console.map(|page| format!("/console/{page}"));
    let paths = kitchen.into_iter().chain(console).chain(["/restaurant".into(), "/courier".into(), "/courier?id=zoe".into()]);
    for path in paths {
        let seen = operator.get(&path).await;
        assert_eq!(seen.is(200).html.matches("<script").count(), 2, "{path}");
        assert!(!seen.html.contains(" style="), "{path}");
        assert_eq!(seen.html.matches("<h1").count(), 1, "{path}");
        let mut ids: Vec<&str> = seen.html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "{path} uses an id twice");
    }
}
