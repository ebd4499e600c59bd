//! More than can be kept.

use crate::common::{Change, START_MS, World, at, span};
use contract::telemetry::{Outcome, TraceQuery};
use observe::model::{Kind, Span};
use observe::{Limits, Select};
use std::time::Duration;

fn limits() -> Limits {
    Limits { healthy_a_second: 20, notable_a_second: 20, ..Limits::default() }
}

/// What the load generator asks for.
fn request(trace: u128) -> [Span; 2] {
    let id = trace as u64 * 2;
    [span(trace, id + 1).under(id).of("menu", "GET /menu", Kind::Server), span(trace, id).lasting(0, 10).with("synthetic", "true")]
}

#[test]
fn beyond_the_cap_healthy_traces_are_left_out_and_all_are_counted() {
    let world = World::with(limits());
    for trace in 1..=2_000 {
        world.intake.spans(request(trace).into());
    }
    world.settle();
    world.advance(Duration::from_secs(5));
    world.take([span(1 << 90, 1)]);
    let kept = world.store.kept();
    assert!((20..=25).contains(&kept.traces), "{kept:?}");
    assert_eq!(kept.received_spans, 4_001);
    assert_eq!(kept.spans + kept.sampled_out_spans + kept.evicted_spans, 4_001);
    assert_eq!(world.store.counts(&Select::service("menu"), at(START_MS), at(START_MS + 1_000)).total, 2_000);
}

#[test]
fn an_error_that_comes_last_brings_its_whole_trace_back() {
    let world = World::with(limits());
    world.take((1..=1_000).flat_map(request));
    let rare = 5_000;
    let [child, root] = request(rare);
    world.take([child]);
    world.take([root.failed()]);
    let trace = world.store.trace(&format!("{rare:032x}")).unwrap();
    assert_eq!((trace.spans.len(), trace.summary.errors), (2, 1));
}

#[test]
fn what_a_person_asked_for_is_kept_in_a_storm_of_load() {
    let world = World::with(Limits { bytes: 1 << 20, ..limits() });
    world.take((1..=200).flat_map(request));
    let [child, mut root] = request(5_000);
    root.attributes.clear();
    world.take([child, root]);
    for second in 0..60 {
        world.advance(Duration::from_secs(1));
        world.take((0..100_u128).flat_map(|n| request(10_000 + second * 100 + n)));
    }
    assert_eq!(world.store.trace(&format!("{:032x}", 5_000)).unwrap().spans.len(), 2);
    assert!(world.store.kept().evicted_spans > 0);
}

#[test]
fn an_undecided_trace_can_be_looked_at() {
    let world = World::with(limits());
    world.take((1..=1_000).flat_map(request));
    assert_eq!(world.store.trace(&format!("{:032x}", 1_000)).unwrap().spans.len(), 2);
    world.advance(Duration::from_secs(5));
    world.take([]);
    world.take([span(1 << 90, 1)]);
    assert!(world.store.trace(&format!("{:032x}", 1_000)).is_none());
}

#[test]
fn what_follows_a_kept_trace_joins_it_and_what_follows_another_does_not_come_back() {
    let world = World::with(limits());
    world.take((1..=1_000).flat_map(request));
    world.advance(Duration::from_secs(12));
    let later = |trace: u128| span(trace, 1 << 40).under(trace as u64 * 2).of("payment", "process order.created", Kind::Consumer);
    world.take((1..=1_000).map(later));
    let page = world.store.traces(&TraceQuery { limit: Some(200), ..TraceQuery::default() }).unwrap();
    assert!((20..=25).contains(&page.traces.len()), "{}", page.traces.len());
    assert!(page.traces.iter().all(|trace| trace.spans == 3), "{:?}", page.traces);
}

#[test]
fn failed_traces_outlive_healthy_ones() {
    let world = World::with(Limits { bytes: 1 << 20, ..Limits::default() });
    world.take((1..=50).map(|trace| span(trace, 1).failed().lasting(0, 5)));
    for second in 0..100 {
        world.advance(Duration::from_secs(1));
        world.take((0..100_u128).flat_map(|n| request(1_000 + second * 100 + n)));
    }
    let page = world.store.traces(&TraceQuery { outcome: Some(Outcome::Error), limit: Some(200), ..TraceQuery::default() }).unwrap();
    assert_eq!(page.traces.len(), 50);
    let kept = world.store.kept();
    assert!(kept.evicted_spans > 0 && kept.bytes <= kept.bound_bytes, "{kept:?}");
}

#[test]
fn a_storm_of_errors_leaves_room_for_healthy_traces() {
    let world = World::with(Limits { bytes: 1 << 20, healthy_a_second: 1_000, notable_a_second: 1_000, ..Limits::default() });
    world.take((1..=50).flat_map(request));
    for second in 0..100 {
        world.advance(Duration::from_secs(1));
        world.take((0..200_u128).map(|n| span(1_000 + second * 200 + n, 1).failed()));
    }
    let page = world.store.traces(&TraceQuery { outcome: Some(Outcome::Ok), limit: Some(200), ..TraceQuery::default() }).unwrap();
    assert_eq!(page.traces.len(), 50);
}

#[test]
fn a_full_queue_refuses_and_says_so() {
    let world = World::with(Limits { bytes: 64 * 1024, ..Limits::default() });
    world.take((1..=2_000).map(|trace| span(trace, 1)));
    let kept = world.store.kept();
    assert!(kept.refused_spans > 1_900, "{kept:?}");
    assert_eq!(kept.received_spans, 2_000);
    assert!(kept.bytes <= kept.bound_bytes, "{kept:?}");
}
