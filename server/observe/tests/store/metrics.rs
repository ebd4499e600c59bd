//! Levels of metrics.

use crate::common::{START_MS, World, at, point, text};
use observe::model::Measure;
use std::time::Duration;

fn level(world: &World, name: &str, from: i64, to: i64) -> Option<(f64, u64)> {
    world.store.level(name, None, &[], at(START_MS + from * 1_000), at(START_MS + to * 1_000))
}

#[test]
fn a_gauges_level_is_its_mean() {
    let world = World::new();
    world.advance(Duration::from_secs(20));
    world.point((0..10).map(|second| point("feast.memory", "notification", second, Measure::Gauge(if second < 5 { 10.0 } else { 30.0 }))));
    assert_eq!(level(&world, "feast.memory", 0, 10), Some((20.0, 10)));
    assert_eq!(level(&world, "feast.memory", 5, 10), Some((30.0, 5)));
    assert_eq!(level(&world, "feast.memory", 2, 4), Some((10.0, 2)), "equal points are one run, and cut all the same");
    assert_eq!(level(&world, "feast.memory", 15, 20), None);
    assert_eq!(level(&world, "another", 0, 10), None);
}

#[test]
fn a_sums_level_is_its_growth_a_second_whatever_begins_anew() {
    let world = World::new();
    world.advance(Duration::from_secs(20));
    let counter = |second: i64| if second < 10 { 100.0 + second as f64 * 5.0 } else { (second - 10) as f64 * 5.0 };
    world.point((0..20).map(|second| point("feast.orders", "order", second, Measure::Sum(counter(second)))));
    assert_eq!(level(&world, "feast.orders", 5, 10), Some((5.0, 5)));
    let (restarted, _) = level(&world, "feast.orders", 5, 15).unwrap();
    assert!((restarted - 4.5).abs() < 0.01, "{restarted}");
}

#[test]
fn a_histograms_level_is_the_mean_of_what_was_recorded() {
    let world = World::new();
    world.advance(Duration::from_secs(20));
    let recorded =
        |second: i64| Measure::Histogram { count: second as u64 * 10, sum: second as f64 * 20.0, bounds: Vec::new(), buckets: Vec::new() };
    world.point((0..10).map(|second| point("db.duration", "order", second, recorded(second))));
    assert_eq!(level(&world, "db.duration", 2, 8), Some((2.0, 6)));
}

#[test]
fn series_are_told_apart_and_added_up() {
    let world = World::new();
    let used = |pool: &str, service: &str, value| {
        let mut point = point("db.pool", service, 0, Measure::Gauge(value));
        point.attributes = vec![text("pool", pool)];
        point
    };
    world.point([used("a", "order", 1.0), used("b", "order", 2.0), used("a", "menu", 4.0)]);
    let level = |service, attributes: &[(&str, &str)]| {
        world.store.level("db.pool", service, attributes, at(START_MS), at(START_MS + 1_000)).map(|(level, _)| level)
    };
    assert_eq!(level(None, &[]), Some(7.0));
    assert_eq!(level(Some("order"), &[]), Some(3.0));
    assert_eq!(level(None, &[("pool", "a")]), Some(5.0));
    assert_eq!(level(None, &[("pool", "c")]), None);
}

#[test]
fn what_a_counter_never_counted_is_none_while_it_counts_others() {
    let world = World::new();
    world.advance(Duration::from_secs(20));
    let consumed = |second: i64, outcome: &str, value: f64| {
        let mut point = point("feast.events.consumed", "menu", second, Measure::Sum(value));
        point.attributes = vec![text("outcome", outcome)];
        point
    };
    world.point((0..20).map(|second| consumed(second, "applied", second as f64)));
    world.point((10..20).map(|second| consumed(second, "duplicate", (second - 10) as f64 * 3.0)));
    let twice = |service: &str, from: i64, to: i64| {
        let (from, to) = (at(START_MS + from * 1_000), at(START_MS + to * 1_000));
        world.store.level("feast.events.consumed", Some(service), &[("outcome", "duplicate")], from, to).map(|(level, _)| level)
    };
    assert_eq!(twice("menu", 0, 5), Some(0.0));
    assert_eq!(twice("menu", 12, 18), Some(3.0));
    assert_eq!(twice("order", 0, 5), None, "nobody counts there");
}
