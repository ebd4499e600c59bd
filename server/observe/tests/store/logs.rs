//! Log lines.

use crate::common::{World, log, text};
use contract::telemetry::{Level, LogQuery};
use observe::{BadCursor, Limits};

fn messages(world: &World, query: LogQuery) -> Vec<String> {
    world.store.logs(&query).unwrap().lines.into_iter().map(|line| line.message).collect()
}

#[test]
fn lines_are_found_by_service_level_text_and_trace() {
    let world = World::new();
    let mut third = log(Level::Error, "order", "The store failed");
    third.trace = Some(42);
    third.attributes = vec![text("order.id", "ord-7")];
    world.log([log(Level::Info, "cart", "Added a dish"), log(Level::Warn, "cart", "Slow"), third]);
    let any = LogQuery::default;
    assert_eq!(messages(&world, any()), ["The store failed", "Slow", "Added a dish"]);
    assert_eq!(messages(&world, LogQuery { service: Some("cart".into()), ..any() }), ["Slow", "Added a dish"]);
    assert_eq!(messages(&world, LogQuery { level: Some(Level::Warn), ..any() }), ["The store failed", "Slow"]);
    assert_eq!(messages(&world, LogQuery { text: Some("ORD-7".into()), ..any() }), ["The store failed"]);
    assert_eq!(messages(&world, LogQuery { trace: Some(format!("{:032x}", 42)), ..any() }), ["The store failed"]);
    assert_eq!(messages(&world, LogQuery { trace: Some("no id".into()), ..any() }), [""; 0]);
}

#[test]
fn pages_of_lines_follow_each_other() {
    let world = World::new();
    world.log((0..25).map(|n| log(if n % 3 == 0 { Level::Warn } else { Level::Info }, "cart", &format!("line {n}"))));
    let mut query = LogQuery { limit: Some(10), ..LogQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.store.logs(&query).unwrap();
        seen.extend(page.lines.into_iter().map(|line| line.message));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..25).rev().map(|n| format!("line {n}")).collect();
    assert_eq!(seen, expected);
    assert_eq!(world.store.logs(&LogQuery { cursor: Some("-".into()), ..LogQuery::default() }), Err(BadCursor));
}

#[test]
fn a_flood_of_lines_does_not_push_out_an_error() {
    let world = World::with(Limits { bytes: 1 << 20, ..Limits::default() });
    world.log([log(Level::Error, "order", "The one that matters")]);
    for round in 0..100 {
        world.log((0..500).map(|n| log(Level::Info, "cart", &format!("flood {round} {n}"))));
    }
    assert_eq!(messages(&world, LogQuery { level: Some(Level::Error), ..LogQuery::default() }), ["The one that matters"]);
    let kept = world.store.kept();
    assert!(kept.bytes <= kept.bound_bytes && kept.evicted_logs > 0, "{kept:?}");
    assert_eq!(kept.logs + kept.evicted_logs, 50_001);
}
