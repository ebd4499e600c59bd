//! Export and import.

use crate::common::{Change, START_MS, World, at, log, span};
use contract::telemetry::{Level, LogPage, LogQuery, Overview, Source, TraceQuery};
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
fn a_snapshot_answers_what_its_store_answered() {
    let before = incident();
    let file = before.store.export("the shop at home");
    let world = World::new();
    world.advance(Duration::from_secs(86_400));
    let about = world.store.import(&file).unwrap();
    assert_eq!((about.traces, about.spans, about.logs, about.left_out), (30, 60, 1, 0));
    assert_eq!((about.platform.as_str(), about.exported_at.millis()), ("the shop at home", before.now_ms()));
    assert_eq!((about.from, about.to, about.imported_at.millis()), (Some(at(START_MS)), Some(at(START_MS + 29_000)), world.now_ms()));
    assert!(about.series > 0 && about.bytes > 0, "{about:?}");

    let imported = world.store.imported().unwrap();
    let (old, new) = (before.store.trace(&format!("{:032x}", 3)).unwrap(), imported.trace(&format!("{:032x}", 3)).unwrap());
    assert_eq!((&new.spans, &new.logs, new.summary.started_at), (&old.spans, &old.logs, old.summary.started_at));
    assert_eq!((old.summary.source, new.summary.source), (Source::Live, Source::Imported));
    assert_eq!(imported.logs(&LogQuery::default()).unwrap(), before.store.logs(&LogQuery::default()).unwrap());
    assert_eq!(imported.topology().edges, before.store.topology(&|_| Vec::new()).edges);
    let (chart, live) = (imported.overview(5), before.store.overview(5, Vec::new()));
    let failed = |overview: &Overview| overview.series[0].points.iter().map(|point| point.failed).sum::<u64>();
    assert_eq!((failed(&chart), failed(&live)), (30, 30));
    let flagged = TraceQuery { flag: Some("cart-slow".into()), ..TraceQuery::default() };
    let found = imported.traces(&flagged).unwrap().traces;
    assert!(found.len() == 30 && found.iter().all(|trace| trace.source == Source::Imported), "{found:?}");
}

#[test]
fn nothing_of_a_snapshot_counts() {
    let file = incident().store.export("");
    let world = World::new();
    world.take([span(99, 1).lasting(0, 5)]);
    let before = world.store.kept();
    world.store.import(&file).unwrap();
    let live = world.store.traces(&TraceQuery::default()).unwrap().traces;
    assert_eq!(live.iter().map(|trace| trace.spans).collect::<Vec<_>>(), [1], "the list is of what is live");
    assert_eq!((world.store.logs(&LogQuery::default()).unwrap(), world.store.kept()), (LogPage::default(), before));
    assert_eq!(world.store.trace(&format!("{:032x}", 3)), None);
    let (from, to) = (at(START_MS - 60_000), at(world.now_ms() + 60_000));
    let counted = world.store.counts(&Select::service("server"), from, to);
    assert_eq!((counted.total, world.store.touched("cart-slow", from, to), world.store.lines(None, None, from, to)), (1, 0, 0));
    assert_eq!(world.store.overview(60, Vec::new()).series[0].now.failed, 0);
}

#[test]
fn the_next_snapshot_takes_the_place_of_the_one_before_and_may_be_forgotten() {
    let world = incident();
    let file = world.store.export("");
    world.store.import(&file).unwrap();
    world.store.import(&file).unwrap();
    let held = world.store.imported().unwrap();
    assert_eq!(held.traces(&TraceQuery { limit: Some(200), ..TraceQuery::default() }).unwrap().traces.len(), 30);
    assert_eq!(world.store.overview(5, Vec::new()).imported.as_ref(), Some(held.about()));
    assert!(world.store.forget_imported());
    assert!(!world.store.forget_imported() && world.store.imported().is_none());
    assert_eq!(world.store.kept().traces, 30, "what is live stays");
}

fn packed(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

#[test]
fn a_file_that_is_no_snapshot_is_refused_and_leaves_nothing() {
    let world = World::new();
    let whole = incident().store.export("");
    let cut = &whole[..whole.len() - 20];
    assert!(matches!(world.store.import(cut), Err(ImportError::Packed(_))));
    assert!(matches!(world.store.import(b"hello"), Err(ImportError::Packed(_))));
    assert!(matches!(world.store.import(&packed("")), Err(ImportError::Content(_))));
    assert!(matches!(world.store.import(&packed("{\"a\":1}\n")), Err(ImportError::Content(_))));
    let other = "{\"feastFlowTelemetry\":99,\"exportedAt\":\"2025-11-20T09:30:00.000Z\"}\n";
    assert!(matches!(world.store.import(&packed(other)), Err(ImportError::Version(99, 1))));
    assert!(world.store.imported().is_none());
    world.store.import(&whole).unwrap();
    assert!(world.store.import(cut).is_err());
    assert_eq!(world.store.imported().unwrap().about().traces, 30, "the one before stays");
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
    let imported = world.store.imported().unwrap();
    assert_eq!((imported.about().traces, imported.about().from), (0, None));
    imported.overview(60);
    imported.topology();
}
