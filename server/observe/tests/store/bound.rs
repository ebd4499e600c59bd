//! The bound in bytes holds, whatever comes.

use crate::common::{START_MS, World, at, text};
use contract::telemetry::{Kept, Level, LogQuery, TraceQuery};
use observe::model::{Kind, Log, Measure, Point, Span};
use observe::{Limits, Select};
use proptest::prelude::*;
use std::time::Duration;

const KINDS: [Kind; 5] = [Kind::Internal, Kind::Server, Kind::Client, Kind::Producer, Kind::Consumer];

/// What one step hands in.
#[derive(Clone, Debug)]
struct Step {
    spans: usize,
    traces: u128,
    names: u64,
    text_length: usize,
    failed: u64,
    logs: usize,
    points: usize,
    seconds: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let names = prop_oneof![Just(1_u64), Just(50), Just(100_000)];
    let text_length = prop_oneof![4 => 0_usize..40, 1 => 1_000_usize..20_000];
    (0_usize..400, 1_u128..500, names, text_length, 1_u64..20, 0_usize..200, 0_usize..200, prop_oneof![4 => 0_u64..3, 1 => 0_u64..4_000])
        .prop_map(|(spans, traces, names, text_length, failed, logs, points, seconds)| Step {
            spans,
            traces,
            names,
            text_length,
            failed,
            logs,
            points,
            seconds,
        })
}

struct Feed {
    count: u64,
}

impl Feed {
    fn next(&mut self) -> u64 {
        self.count = self.count.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.count >> 20
    }

    fn span(&mut self, step: &Step, now_ms: i64) -> Span {
        let (random, name) = (self.next(), self.next() % step.names);
        let start_ns = now_ms as u64 * 1_000_000 - random % 5_000_000_000;
        let mut span = crate::common::span(u128::from(random) % step.traces + (now_ms as u128 / 7_000) * 1_000, self.next());
        span.parent = (!random.is_multiple_of(3)).then_some(random % 50);
        span.service = format!("service-{}", name % 90).into();
        span.name = format!("GET /thing/{name}").into();
        span.kind = KINDS[(random % 5) as usize];
        (span.start_ns, span.end_ns) = (start_ns, start_ns + random % 3_000_000_000);
        span.failed = random.is_multiple_of(step.failed);
        let long = "x".repeat(step.text_length);
        span.attributes = vec![
            text("http.route", &format!("/thing/{name}")),
            text("feast.order.status", &format!("{}", random % 40)),
            text("order.id", &format!("order-{random}")),
            text("peer.service", &format!("peer-{name}")),
            text(&format!("key-{name}"), &long),
        ];
        if random.is_multiple_of(7) {
            span.attributes.push(text("chaos.flag", &format!("flag-{name}")));
        }
        span
    }

    fn log(&mut self, step: &Step, now_ms: i64) -> Log {
        let random = self.next();
        let mut log = crate::common::log(
            Level::ALL[(random % 5) as usize],
            &format!("service-{}", random % step.names),
            &"y".repeat(step.text_length),
        );
        log.at_ns = now_ms as u64 * 1_000_000;
        log
    }

    fn point(&mut self, step: &Step, now_ms: i64) -> Point {
        let random = self.next();
        let mut point = crate::common::point("some.metric", "order", 0, Measure::Gauge((random % 5) as f64));
        point.attributes = vec![text("key", &format!("{}{}", random % step.names, "z".repeat(step.text_length)))];
        point.at_ns = now_ms as u64 * 1_000_000;
        point
    }
}

fn assert_within(kept: Kept) -> Result<(), TestCaseError> {
    prop_assert!(kept.bytes <= kept.bound_bytes, "{kept:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bound_holds_and_every_span_is_accounted_for(
        steps in prop::collection::vec(step(), 1..25),
        bytes in prop_oneof![Just(64_u64 << 10), Just(512 << 10), Just(4 << 20)],
        seed: u64,
    ) {
        let world = World::with(Limits { bytes, healthy_a_second: 50, people_a_second: 10, notable_a_second: 50, lines_a_second: 100 });
        let mut feed = Feed { count: seed };
        let (mut spans, mut logs) = (0_u64, 0_u64);
        for step in &steps {
            let now_ms = world.now_ms();
            world.intake.spans((0..step.spans).map(|_| feed.span(step, now_ms)).collect());
            world.intake.logs((0..step.logs).map(|_| feed.log(step, now_ms)).collect());
            world.intake.points((0..step.points).map(|_| feed.point(step, now_ms)).collect());
            spans += step.spans as u64;
            logs += step.logs as u64;
            assert_within(world.store.kept())?;
            world.settle();
            assert_within(world.store.kept())?;
            world.advance(Duration::from_secs(step.seconds));
        }
        // What is undecided is decided when its time is over.
        world.advance(Duration::from_secs(5));
        world.point([crate::common::point("end", "order", 0, Measure::Gauge(1.0))]);
        let kept = world.store.kept();
        prop_assert_eq!(kept.received_spans, spans);
        prop_assert_eq!(kept.spans + kept.sampled_out_spans + kept.evicted_spans + kept.refused_spans, spans, "{:?}", kept);
        prop_assert_eq!(kept.logs + kept.evicted_logs, logs, "{:?}", kept);
        let listed = world.store.traces(&TraceQuery { limit: Some(200), ..TraceQuery::default() }).unwrap();
        prop_assert!(listed.traces.len() as u64 <= kept.traces);
        prop_assert!(listed.traces.iter().all(|trace| world.store.trace(&trace.trace_id).is_some_and(|whole| whole.spans.len() == trace.spans)));
        world.store.logs(&LogQuery::default()).unwrap();
        world.store.overview(60, Vec::new());
        world.store.topology(&|_| Vec::new());
        world.store.import(&world.store.export("")).unwrap();
        assert_within(world.store.kept())?;
        let all = world.store.counts(&Select::default(), at(START_MS - 10_000), at(world.now_ms() + 1_000));
        prop_assert!(all.total <= spans);
    }
}
