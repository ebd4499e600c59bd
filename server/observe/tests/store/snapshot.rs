//! Export and import.

use crate::common::{Change, START_MS, World, at, log, span};
use contract::telemetry::{Level, LogQuery, TraceQuery};
use flate2::Compression;
use flate2::write::GzEncoder;
use observe::model::{Event, Kind};
use observe::{ImportError, Select};
use std::io::Write;
use std::time::Duration;

fn incident() -> World {
    let world = World::new();
    for second in 0..30_u64 {
        world.advance(Duration::from_secs(1));
        let mut touched = span(u128::from(second) + 1, second * 10 + 1).lasting(second as i64 * 1_000, 20).failed().status(503);
        touched = touched.with("chaos.flag", "cart-slow");
        touched.events = vec![Event { name: "exception".into(), at_ns: touched.start_ns + 1, attributes: touched.attributes.clone() }];
        let child = span(u128::from(second) + 1, second * 10 + 2).under(second * 10 + 1).of("cart", "read carts", Kind::Client);
        world.take([touched, child.lasting(second as i64 * 1_000 + 1, 3)]);
    }
    let mut line = log(Level::Warn, "cart", "Feature flag triggered chaos");
    line.trace = Some(3);
    world.log([line]);
    world
}

#[test]
fn a_snapshot_is_replayed_as_if_it_were_now() {
    let before = incident();
    let file = before.store.export();
    let world = World::new();
    world.advance(Duration::from_secs(86_400));
    let kept = world.store.import(&file).unwrap();
    assert_eq!((kept.traces, kept.spans, kept.logs), (30, 60, 1));

    let shift_ms = world.now_ms() - before.now_ms();
    let (old, new) = (before.store.trace(&format!("{:032x}", 3)).unwrap(), world.store.trace(&format!("{:032x}", 3)).unwrap());
    assert_eq!(new.spans, old.spans);
    assert_eq!(new.summary.started_at.millis() - old.summary.started_at.millis(), shift_ms);
    assert_eq!(new.logs.len(), 1);
    assert_eq!(world.store.logs(&LogQuery::default()).unwrap().lines[0].at.millis(), START_MS + shift_ms);

    let chart = world.store.overview(5, Vec::new());
    assert_eq!(chart.series[0].points.iter().map(|point| point.failed).sum::<u64>(), 30);
    let counted = world.store.counts(&Select::service("server"), at(START_MS), at(world.now_ms() + 1_000));
    assert_eq!(counted.total, 0, "a replay is not measured");
}

#[test]
fn importing_into_the_store_it_came_from_doubles_no_trace() {
    let world = incident();
    let file = world.store.export();
    world.store.import(&file).unwrap();
    let page = world.store.traces(&TraceQuery { limit: Some(200), ..TraceQuery::default() }).unwrap();
    assert_eq!(page.traces.len(), 30);
    assert!(page.traces.iter().all(|trace| trace.spans == 2));
}

fn packed(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_file_that_is_no_snapshot_is_refused_and_leaves_nothing() {
    let world = World::new();
    let whole = incident().store.export();
    let cut = &whole[..whole.len() - 20];
    assert!(matches!(world.store.import(cut), Err(ImportError::Packed(_))));
    assert!(matches!(world.store.import(b"hello"), Err(ImportError::Packed(_))));
    assert!(matches!(world.store.import(&packed("")), Err(ImportError::Content(_))));
    assert!(matches!(world.store.import(&packed("{\"a\":1}\n")), Err(ImportError::Content(_))));
    let other = "{\"feastFlowTelemetry\":99,\"exportedAt\":\"2025-11-20T09:30:00.000Z\"}\n";
    assert!(matches!(world.store.import(&packed(other)), Err(ImportError::Version(99, 1))));
    let kept = world.store.kept();
    assert_eq!((kept.traces, kept.logs), (0, 0));
}

#[test]
fn nonsense_within_a_snapshot_harms_nobody() {
    let world = World::new();
    let header = "{\"feastFlowTelemetry\":1,\"exportedAt\":\"2025-11-20T09:30:00.000Z\"}";
    let pieces = [
        "{\"trace\":{\"id\":\"x\",\"spans\":[]}}",
        "{\"trace\":{\"id\":\"0000000000000000000000000000000a\",\"spans\":[]}}",
        "{\"rates\":{\"service\":\"a\",\"name\":\"b\",\"class\":99,\"slots\":[]}}",
        "{\"rates\":{\"service\":\"a\",\"name\":\"b\",\"class\":1,\"slots\":[[4294967295,1,0,0,1,[],[[9,1],[9,2],[3,1]]],[0,1,0,0,1,[],[]],[7,1,0,0,1,[],[]]]}}",
    ];
    let file = packed(&format!("{header}\n{}\n", pieces.join("\n")));
    world.store.import(&file).unwrap();
    world.store.overview(60, Vec::new());
}
