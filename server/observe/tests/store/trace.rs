//! One trace, as it is drawn.

use crate::common::{Change, START_MS, World, log, span};
use contract::telemetry::{Level, Trace};
use observe::model::{Event, Kind};
use std::time::Duration;

fn id(trace: u128) -> String {
    format!("{trace:032x}")
}

fn drawn(trace: &Trace) -> Vec<(&str, usize, bool)> {
    trace.spans.iter().map(|span| (span.name.as_str(), span.depth, span.critical)).collect()
}

#[test]
fn parents_stand_before_children_and_what_made_it_long_is_marked() {
    let world = World::new();
    let order = span(7, 1).of("server", "POST /api/orders", Kind::Server).lasting(0, 100).status(201).with("order.id", "ord-1");
    let quick = span(7, 2).under(1).of("server", "cart.read", Kind::Client).lasting(5, 10);
    let slow = span(7, 3).under(1).of("server", "order.create", Kind::Client).lasting(20, 70);
    let beside = span(7, 4).under(1).of("server", "user.read", Kind::Client).lasting(20, 30);
    let inner = span(7, 5).under(3).of("order", "POST /orders", Kind::Server).lasting(22, 60);
    let later = span(7, 6).under(5).of("payment", "process order.created", Kind::Consumer).lasting(90, 5_000);
    // Children end first, so they come first.
    world.take([inner, beside, quick, slow, order]);
    world.log([{
        let mut line = log(Level::Warn, "order", "Feature flag triggered chaos");
        line.trace = Some(7);
        line
    }]);
    world.advance(Duration::from_secs(12));
    world.take([later]);
    let trace = world.store.trace(&id(7)).unwrap();
    assert_eq!(
        drawn(&trace),
        [
            ("POST /api/orders", 0, true),
            ("cart.read", 1, true),
            ("order.create", 1, true),
            ("POST /orders", 2, true),
            ("process order.created", 3, false),
            ("user.read", 1, false),
        ]
    );
    assert_eq!(trace.spans[1].start_us, 5_000);
    assert_eq!((trace.summary.duration_us, trace.summary.status, trace.summary.spans), (100_000, Some(201), 6));
    assert_eq!(trace.summary.order.as_deref(), Some("ord-1"));
    assert_eq!((trace.orphans, trace.logs.len()), (0, 1));
}

#[test]
fn a_span_whose_parent_is_not_seen_is_an_orphan() {
    let world = World::new();
    world.take([span(8, 1), span(8, 3).under(2).lasting(1, 1), span(8, 4).under(3).lasting(1, 1)]);
    let trace = world.store.trace(&id(8)).unwrap();
    assert_eq!(trace.orphans, 1);
    assert_eq!(trace.spans.iter().map(|span| span.depth).collect::<Vec<_>>(), [0, 0, 1]);
}

#[test]
fn a_trace_that_began_in_a_browser_has_no_orphan() {
    let world = World::new();
    world.take([span(8, 3).under(2), span(8, 4).under(3).lasting(1, 1)]);
    let trace = world.store.trace(&id(8)).unwrap();
    assert_eq!((trace.orphans, trace.summary.name.as_str()), (0, "GET /menu"));
}

#[test]
fn spans_that_are_each_others_parents_are_drawn_once() {
    let world = World::new();
    world.take([span(9, 1).under(2), span(9, 2).under(1), span(9, 3).under(3)]);
    assert_eq!(world.store.trace(&id(9)).unwrap().spans.len(), 3);
}

#[test]
fn what_a_span_carried_is_told() {
    let world = World::new();
    let mut touched = span(10, 1).failed().with("chaos.flag", "cart-slow").with("note", "ü");
    touched.message = "lost".into();
    touched.links = vec![5];
    touched.events =
        vec![Event { name: "feature_flag.evaluation".into(), at_ns: (START_MS as u64 + 2) * 1_000_000, attributes: Vec::new() }];
    world.take([touched]);
    let trace = world.store.trace(&id(10)).unwrap();
    let span = &trace.spans[0];
    assert_eq!(span.flag.as_deref(), Some("cart-slow"));
    assert_eq!((span.message.as_str(), span.failed, span.links.as_slice()), ("lost", true, &[id(5)][..]));
    assert_eq!((span.events[0].name.as_str(), span.events[0].at_us), ("feature_flag.evaluation", 2_000));
    assert!(span.attributes.contains(&("note".into(), "ü".into())));
    assert_eq!(trace.summary.flags, ["cart-slow"]);
}

#[test]
fn an_id_that_is_none_is_no_trace() {
    let world = World::new();
    for wrong in ["", "7", "g0000000000000000000000000000007", &id(7)] {
        assert!(world.store.trace(wrong).is_none(), "{wrong}");
    }
}
