//! Counts are exact, whatever is kept.

use crate::common::{Change, START_MS, World, at, log, span};
use contract::telemetry::{Level, Mark, MarkKind};
use observe::model::Kind;
use observe::{Limits, Select};
use std::time::Duration;

fn add(id: u64) -> observe::model::Span {
    span(u128::from(id), id).of("cart", "POST /cart/{id}/items", Kind::Server).status(201)
}

#[test]
fn requests_are_counted_by_route_status_and_duration() {
    let world = World::new();
    world.take((0..90).map(add));
    world.take((90..100).map(|id| add(id).lasting(0, 2_000).failed().with("chaos.flag", "cart-chaos-errors")));
    world.advance(Duration::from_secs(3));
    let select = Select::service("cart").route("POST /cart/{id}/items");
    let counts = world.store.counts(&select, at(START_MS), at(START_MS + 3_000));
    assert_eq!((counts.total, counts.failed, counts.touched), (100, 10, 10));
    assert_eq!((counts.status(201), counts.statuses_in(500..=599)), (100, 0));
    assert_eq!(counts.slower_than(500), 10);
    assert!((counts.p50_ms() - 10.0).abs() < 1.0, "{}", counts.p50_ms());
    assert!((counts.p99_ms() - 2_000.0).abs() < 130.0, "{}", counts.p99_ms());
}

#[test]
fn a_second_belongs_to_the_stretch_it_begins_in() {
    let world = World::new();
    world.advance(Duration::from_secs(10));
    world.take([add(1).lasting(1_000, 10), add(2).lasting(2_000, 10), add(3).lasting(3_000, 10)]);
    let total = |from, to| world.store.counts(&Select::service("cart"), at(START_MS + from), at(START_MS + to)).total;
    assert_eq!(total(1_000, 3_000), 2);
    assert_eq!(total(1_001, 3_001), 2);
    assert_eq!(total(2_500, 2_900), 0);
}

#[test]
fn a_route_is_told_from_method_and_path_when_the_name_does_not_have_both() {
    let world = World::new();
    let foreign = span(1, 1).of("kiosk", "GET", Kind::Server).with("http.request.method", "GET").with("http.route", "/dishes/{id}");
    world.take([foreign]);
    let total = |route| world.store.counts(&Select::service("kiosk").route(route), at(START_MS), at(START_MS + 1_000)).total;
    assert_eq!(total("GET /dishes/{id}"), 1);
    assert_eq!(total("GET /dishes*"), 1);
    assert_eq!(total("GET"), 0);
}

#[test]
fn customers_do_not_meet_the_consoles_requests() {
    let world = World::new();
    world.take([
        span(1, 1).of("server", "POST /api/orders", Kind::Server),
        span(2, 2).of("server", "GET /console/traces", Kind::Server),
        span(3, 3).of("server", "GET /health", Kind::Server),
        span(4, 4).of("order", "POST /orders", Kind::Server),
    ]);
    let total = |select: Select| world.store.counts(&select, at(START_MS), at(START_MS + 1_000)).total;
    assert_eq!(total(Select::customers()), 1);
    assert_eq!(total(Select::customers().route("POST /api/orders")), 1);
    assert_eq!(total(Select::customers().route("GET /console/traces")), 0);
    assert_eq!(total(Select::service("server")), 3);
    assert_eq!(total(Select::service("server").kind(Kind::Server)), 2, "without probes");
}

#[test]
fn values_of_declared_attributes_are_counted() {
    let world = World::new();
    let quote =
        |id: u64, surge: &str| span(u128::from(id), id).of("middleware", "POST /quote", Kind::Server).with("feast.pricing.surge", surge);
    world.take([quote(1, "on"), quote(2, "off"), quote(3, "on"), quote(4, "off").of("menu", "POST /quote", Kind::Server)]);
    let select = Select::service("middleware").route("POST /quote");
    let tagged = |value| world.store.tagged("feast.pricing.surge", value, &select, at(START_MS), at(START_MS + 1_000));
    assert_eq!(tagged("on"), (2, 3));
    assert_eq!(tagged("never"), (0, 3));
    world.take([quote(5, "off").with("feast.pricing.surge", "on").with("feast.pricing.surge", "on")]);
    assert_eq!(tagged("on"), (3, 4), "the last one counts, once");
    assert_eq!(tagged("off"), (1, 4));
    let by_kind = select.clone().kind(Kind::Server);
    assert_eq!(world.store.tagged("feast.pricing.surge", "on", &by_kind, at(START_MS), at(START_MS + 1_000)), (3, 4));
}

#[test]
fn the_first_request_that_a_fault_touched_is_known_to_the_millisecond() {
    let world = World::new();
    world.advance(Duration::from_secs(5));
    let touched = |id: u64, from, took| add(id).lasting(from, took).with("chaos.flag", "cart-slow");
    world.take([touched(1, 100, 10), touched(2, 1_250, 500), touched(3, 900, 700)]);
    let first = |since| world.store.first_touched("cart-slow", at(START_MS + since)).map(|moment| moment.millis() - START_MS);
    assert_eq!(first(0), Some(100));
    assert_eq!(first(1_000), Some(1_250));
    assert_eq!(first(1_300), Some(1_600), "it began before and was touched before its end");
    assert_eq!(first(3_000), None);
    assert_eq!(world.store.first_touched("another", at(START_MS)), None);
    assert_eq!(world.store.touched("cart-slow", at(START_MS), at(START_MS + 5_000)), 3);
}

#[test]
fn lines_are_counted_by_service_and_level() {
    let world = World::with(Limits { lines_a_second: 5, ..Limits::default() });
    world.log((0..100).map(|n| log(Level::Info, "cart", &format!("line {n}"))));
    world.log([log(Level::Error, "cart", "no"), log(Level::Warn, "menu", "hm")]);
    let lines = |service, level| world.store.lines(service, level, at(START_MS), at(START_MS + 1_000));
    assert_eq!(lines(Some("cart"), None), 101);
    assert_eq!(lines(None, Some(Level::Warn)), 2);
    assert_eq!(lines(Some("order"), None), 0);
}

#[test]
fn the_overview_begins_with_what_customers_meet() {
    let world = World::new();
    for second in 0..120 {
        world.advance(Duration::from_secs(1));
        let id = second as u64 + 1;
        let order = span(u128::from(id), id).of("server", "POST /api/orders", Kind::Server).lasting(second * 1_000, 100).status(200);
        let payment =
            span(u128::from(id), 1_000 + id).under(id).of("payment", "process order.created", Kind::Consumer).lasting(second * 1_000, 5);
        let health = span(u128::from(id), 2_000 + id).of("payment", "GET /health", Kind::Server).lasting(second * 1_000, 1);
        world.take([order, payment, health]);
    }
    let mark = Mark { at: at(START_MS), kind: MarkKind::FlagOn, text: "cart-slow: 300-ms".into(), flag: Some("cart-slow".into()) };
    let overview = world.store.overview(5, vec![mark.clone()]);
    assert_eq!(overview.marks, [mark]);
    let names: Vec<&str> = overview.series.iter().map(|series| series.service.as_str()).collect();
    assert_eq!(names, ["server", "payment"]);
    let server = &overview.series[0];
    assert_eq!(server.points.len() as u64, 5 * 60 / overview.step_seconds);
    assert_eq!(server.points.iter().map(|point| point.requests).sum::<u64>(), 120);
    assert_eq!(server.now.requests, 60);
    assert!((server.now.rate - 1.0).abs() < 0.01 && (server.now.p95_ms - 100.0).abs() < 7.0, "{:?}", server.now);
    assert_eq!(overview.series[1].now.requests, 60, "who is asked nothing but its health lives by events");
    let routes: Vec<&str> = overview.routes.iter().map(|row| row.route.as_str()).collect();
    assert_eq!(routes, ["POST /api/orders"]);
    assert_eq!(world.store.overview(60, Vec::new()).series[0].points.iter().map(|point| point.requests).sum::<u64>(), 120);
}

#[test]
fn every_flag_that_is_proven_by_an_attribute_names_one_that_is_counted() {
    let flags: serde_json::Value = serde_json::from_str(include_str!("../../../../flags/feast.flagd.json")).unwrap();
    for (flag, definition) in flags["flags"].as_object().unwrap() {
        let metadata = &definition["metadata"];
        if metadata["signal"] == "tagged" {
            let attribute = metadata["signalAttribute"].as_str().unwrap();
            assert!(observe::TALLIED.contains(&attribute), "{flag}: {attribute}");
        }
    }
}
