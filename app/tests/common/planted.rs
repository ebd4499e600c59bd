//! Telemetry of five minutes in which carts began to fail.

use contract::Timestamp;
use contract::detection::{Alert, Detection, Guardrail, Objective};
use contract::proof::{Measured, Proof, Verdict};
use contract::telemetry::{
    Edge, Kept, Level, LogLine, Mark, MarkKind, Node, NodeKind, Overview, Red, RouteRow, Series, Snapshot, Source, SpanEventView, SpanKind,
    SpanView, Topology, Trace, TraceSummary,
};

mod show;

#[allow(unused_imports, reason = "not every program of tests shows all of it")]
pub use show::{audit, incidents, load, playing};

pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn ago(now: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_millis(now.millis() - seconds * 1_000)
}

/// Looks like chance and is the same every time.
fn wobble(n: usize) -> f64 {
    ((n * 7_919 + 13) % 97) as f64 / 97.0
}

fn red(rate: f64, error_percent: f64, p50_ms: f64, p95_ms: f64, p99_ms: f64, seconds: f64) -> Red {
    let requests = (rate * seconds).round() as u64;
    Red { requests, failed: (requests as f64 * error_percent / 100.0).round() as u64, rate, error_percent, p50_ms, p95_ms, p99_ms }
}

fn series(service: &str, rate: f64, p50: f64, hit: f64) -> Series {
    const POINTS: usize = 60;
    let points = (0..POINTS)
        .map(|n| {
            let (began, hit) = (n >= 14, if n >= 38 { hit } else { 0.0 });
            let rate = if began { rate * (0.85 + 0.3 * wobble(n)) } else { 0.0 };
            let tail = if hit > 0.0 { 2_000.0 } else { p50 * 6.0 };
            let errors = hit * (0.7 + 0.6 * wobble(n + 3));
            if began {
                red(
                    rate,
                    errors,
                    p50 * (0.9 + 0.2 * wobble(n)),
                    p50 * 3.0 + if hit > 3.0 { tail } else { 0.0 },
                    tail * (0.9 + 0.1 * wobble(n)),
                    5.0,
                )
            } else {
                Red::default()
            }
        })
        .collect();
    Series { service: service.into(), points, now: red(rate, hit, p50, p50 * 3.0, if hit > 0.0 { 2_010.0 } else { p50 * 6.0 }, 60.0) }
}

pub fn overview(minutes: u32, now: Timestamp) -> Overview {
    let route = |service: &str, route: &str, rate, errors, p95| RouteRow {
        service: service.into(),
        route: route.into(),
        red: red(rate, errors, p95 / 3.0, p95, p95 * 2.0, 60.0),
    };
    let mark =
        |seconds, kind, text: &str, flag: Option<&str>| Mark { at: ago(now, seconds), kind, text: text.into(), flag: flag.map(Into::into) };
    Overview {
        from: ago(now, i64::from(minutes) * 60),
        to: now,
        step_seconds: u64::from(minutes),
        series: vec![
            series("server", 84.2, 4.1, 3.2),
            series("browser", 0.4, 180.0, 0.0),
            series("cart", 31.0, 1.2, 14.6),
            series("delivery", 2.8, 2.2, 0.0),
            series("loadgen", 82.0, 5.0, 3.1),
            series("menu", 41.7, 0.9, 0.0),
            series("middleware", 12.4, 1.8, 0.0),
            series("notification", 6.1, 0.7, 0.0),
            series("order", 9.9, 3.8, 0.0),
            series("payment", 3.1, 2.6, 0.0),
            series("user", 1.2, 0.6, 0.0),
        ],
        marks: vec![
            mark(232, MarkKind::Load, "50 customers", None),
            mark(110, MarkKind::FlagOn, "cart-chaos-errors: 15-percent-after-2s", Some("cart-chaos-errors")),
            mark(74, MarkKind::Alert, "Orders burn their budget 14 times too fast", None),
            mark(41, MarkKind::FlagOn, "cart-slow: 300-ms", Some("cart-slow")),
            mark(20, MarkKind::FlagOff, "cart-slow: off", Some("cart-slow")),
        ],
        routes: vec![
            route("server", "GET /restaurants/{id}", 22.1, 0.0, 14.0),
            route("menu", "GET /api/restaurants/{id}/menu", 21.8, 0.0, 3.0),
            route("cart", "POST /cart/{id}/items", 18.3, 14.6, 2_004.0),
            route("server", "POST /cart/items", 18.2, 14.6, 2_010.0),
            route("order", "POST /api/orders", 4.2, 0.0, 22.0),
            route("server", "GET /orders/{id}", 3.9, 0.0, 9.0),
        ],
        kept: Kept {
            traces: 1_842,
            spans: 24_410,
            logs: 3_204,
            series: 410,
            bytes: 11_400_000,
            bound_bytes: 33_554_432,
            received_spans: 184_220,
            sampled_out_spans: 120_440,
            evicted_spans: 39_370,
            ..Kept::default()
        },
        imported: None,
    }
}

/// Of yesterday's demonstration.
pub fn snapshot(now: Timestamp) -> Snapshot {
    Snapshot {
        platform: "Feast Flow 0.1.0 at 127.0.0.1:3000".into(),
        exported_at: ago(now, 86_400),
        imported_at: now,
        from: Some(ago(now, 86_400 + 1_800)),
        to: Some(ago(now, 86_400)),
        traces: 1_842,
        spans: 24_410,
        logs: 3_204,
        series: 410,
        left_out: 0,
        bytes: 9_800_000,
    }
}

pub fn traces(now: Timestamp) -> Vec<TraceSummary> {
    let summary =
        |n: i64, id: &str, name: &str, us: u64, status: u16, errors: usize, flags: &[&str], order: Option<&str>, services: &[&str]| {
            TraceSummary {
                trace_id: id.into(),
                name: name.into(),
                service: services[0].into(),
                started_at: Timestamp::from_millis(now.millis() - n * 1_310),
                duration_us: us,
                spans: 4 + services.len() * 3,
                services: services.iter().map(|service| (*service).into()).collect(),
                failed: status >= 500,
                errors,
                status: Some(status),
                flags: flags.iter().map(|flag| (*flag).into()).collect(),
                order: order.map(Into::into),
                source: Source::Live,
            }
        };
    let id = |n: i64| format!("4bf92f3577b34da6a3ce929d0e0e{:04x}", 0x4736 + n);
    let mut traces = Vec::new();
    for n in 0..6 {
        let order = format!("0198f3a2-77b1-7c3e-9abc-00000012ab{n}f");
        let n = i64::from(n) * 5;
        traces.push(summary(n, &id(n), "POST /cart/items", 2_004_310, 503, 2, &["cart-chaos-errors"], None, &["server", "cart"]));
        traces.push(summary(n + 1, &id(n + 1), "GET /restaurants/{id}", 4_120, 200, 0, &[], None, &["server", "menu"]));
        traces.push(summary(
            n + 2,
            &id(n + 2),
            "POST /orders",
            48_900,
            303,
            0,
            &[],
            Some(&order),
            &["server", "order", "cart", "menu", "middleware", "payment", "delivery", "notification"],
        ));
        traces.push(summary(n + 3, &id(n + 3), "GET /items/{id}", 1_870, 200, 0, &[], None, &["server", "menu"]));
        traces.push(summary(n + 4, &id(n + 4), "POST /cart/items", 311_200, 303, 0, &["cart-slow"], None, &["server", "cart", "menu"]));
    }
    traces
}

/// Adding to a cart that waits two seconds and then fails.
pub fn trace(now: Timestamp) -> Trace {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let span = |n: usize, parent: Option<usize>, depth, service: &str, name: &str, kind, start_us, duration_us| SpanView {
        span_id: format!("00f067aa0ba902{n:02x}"),
        parent_id: parent.map(|parent| format!("00f067aa0ba902{parent:02x}")),
        depth,
        service: service.into(),
        name: name.into(),
        kind,
        start_us,
        duration_us,
        failed: false,
        message: String::new(),
        attributes: vec![pair("http.request.method", "POST"), pair("http.route", name), pair("url.path", "/cart/0198f3a2/items")],
        events: Vec::new(),
        links: Vec::new(),
        flag: None,
        critical: false,
    };
    let mut spans = vec![
        span(1, None, 0, "browser", "POST /cart/items", SpanKind::Client, -1_200, 2_007_800),
        span(2, Some(1), 1, "server", "POST /cart/items", SpanKind::Server, 0, 2_004_310),
        span(3, Some(2), 2, "server", "session", SpanKind::Internal, 90, 180),
        span(4, Some(2), 2, "server", "menu.item", SpanKind::Client, 340, 1_420),
        span(5, Some(4), 3, "menu", "GET /api/menu/{id}", SpanKind::Server, 520, 1_020),
        span(6, Some(5), 4, "menu", "SELECT items", SpanKind::Client, 700, 610),
        span(7, Some(2), 2, "server", "cart.add_item", SpanKind::Client, 1_900, 2_001_800),
        span(8, Some(7), 3, "cart", "POST /cart/{id}/items", SpanKind::Server, 2_140, 2_001_300),
        span(9, Some(8), 4, "cart", "chaos", SpanKind::Internal, 2_260, 2_000_900),
        span(10, Some(2), 2, "server", "render", SpanKind::Internal, 2_003_800, 420),
        span(11, Some(2), 2, "notification", "order.created process", SpanKind::Consumer, 2_100_000, 310_000),
    ];
    for n in [0, 1, 6, 7, 8] {
        spans[n].critical = true;
    }
    for n in [1, 6, 7, 8] {
        spans[n].failed = true;
        spans[n].message = "a flag made this addition fail".into();
    }
    let chaos = &mut spans[7];
    chaos.flag = Some("cart-chaos-errors".into());
    chaos.attributes.extend([
        pair("chaos.flag", "cart-chaos-errors"),
        pair("chaos.injected", "delay 2000 ms, 503"),
        pair("http.response.status_code", "503"),
    ]);
    chaos.events.push(SpanEventView {
        name: "feature_flag.evaluation".into(),
        at_us: 2_200,
        attributes: vec![pair("feature_flag.key", "cart-chaos-errors"), pair("feature_flag.result.variant", "15-percent-after-2s")],
    });
    let mut summary = traces(now).remove(0);
    summary.services = ["browser", "server", "menu", "cart", "notification"].map(Into::into).to_vec();
    summary.spans = spans.len();
    Trace { summary, spans, logs: logs(now).into_iter().take(2).collect(), orphans: 1 }
}

pub fn logs(now: Timestamp) -> Vec<LogLine> {
    let line = |n: i64, level, service: &str, message: &str, fields: &[(&str, &str)], traced: bool| LogLine {
        at: Timestamp::from_millis(now.millis() - n * 870),
        level,
        service: service.into(),
        message: message.into(),
        trace_id: traced.then(|| TRACE.to_owned()),
        span_id: None,
        fields: fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    };
    (0..5)
        .flat_map(|round| {
            let n = round * 6;
            [
                line(
                    n,
                    Level::Warn,
                    "cart",
                    "Feature flag triggered chaos",
                    &[("chaos.flag", "cart-chaos-errors"), ("cart.id", "0198f3a2-77b1")],
                    true,
                ),
                line(
                    n + 1,
                    Level::Error,
                    "server",
                    "POST /cart/items answered 503",
                    &[("code", "FEATURE_FLAG_CHAOS"), ("http.route", "/cart/items")],
                    true,
                ),
                line(
                    n + 2,
                    Level::Info,
                    "order",
                    "Accepted order 0198f3a2-77b1-7c3e-9abc-00000012ab9f",
                    &[("order.id", "0198f3a2-77b1-7c3e-9abc-00000012ab9f"), ("restaurant.id", "cosmic-coffee")],
                    true,
                ),
                line(n + 3, Level::Info, "payment", "Charged 23.40", &[], true),
                line(n + 4, Level::Debug, "delivery", "Courier zoe is 350 m away", &[("courier", "zoe")], false),
                line(n + 5, Level::Info, "server", "Flag cart-chaos-errors is 15-percent-after-2s for everyone", &[], false),
            ]
        })
        .collect()
}

pub fn topology() -> Topology {
    let node = |id: &str, kind, rate, errors, p95, flags: &[&str]| Node {
        id: id.into(),
        name: id.split('/').next_back().unwrap_or(id).into(),
        kind,
        red: if rate > 0.0 { red(rate, errors, p95 / 3.0, p95, p95 * 2.0, 60.0) } else { Red::default() },
        flags: flags.iter().map(|flag| (*flag).into()).collect(),
    };
    let edge = |from: &str, to: &str, events, rate, errors| Edge {
        from: from.into(),
        to: to.into(),
        events,
        red: if rate > 0.0 { red(rate, errors, 2.0, 6.0, 9.0, 60.0) } else { Red::default() },
    };
    use NodeKind::{Bus, Client, Service, Store};
    let services = ["menu", "cart", "order", "user", "middleware", "payment", "delivery", "notification"];
    let mut nodes = vec![
        node("browser", Client, 2.1, 0.0, 210.0, &[]),
        node("loadgen", Client, 82.0, 3.1, 44.0, &[]),
        node("server", Service, 84.2, 3.2, 38.0, &[]),
        node("bus", Bus, 30.2, 0.0, 2.0, &[]),
    ];
    let rates = [41.7, 31.0, 9.9, 1.2, 12.4, 3.1, 2.8, 6.1];
    for (service, rate) in services.into_iter().zip(rates) {
        let flags: &[&str] = if service == "cart" { &["cart-chaos-errors"] } else { &[] };
        nodes.push(node(service, Service, rate, if service == "cart" { 14.6 } else { 0.0 }, 6.0, flags));
        nodes.push(node(&format!("{service}/{service}s"), Store, rate * 1.4, 0.0, 1.2, &[]));
    }
    let mut edges = vec![
        edge("browser", "server", false, 2.1, 0.0),
        edge("loadgen", "server", false, 82.0, 3.1),
        edge("server", "menu", false, 41.7, 0.0),
        edge("server", "cart", false, 31.0, 14.6),
        edge("server", "order", false, 9.9, 0.0),
        edge("server", "user", false, 1.2, 0.0),
        edge("cart", "menu", false, 18.0, 0.0),
        edge("order", "cart", false, 4.2, 0.0),
        edge("order", "menu", false, 4.2, 0.0),
        edge("order", "middleware", false, 12.4, 0.0),
        edge("order", "bus", true, 8.0, 0.0),
        edge("bus", "payment", true, 4.1, 0.0),
        edge("bus", "delivery", true, 4.1, 0.0),
        edge("bus", "notification", true, 6.1, 0.0),
        edge("order", "user", false, 0.0, 0.0),
    ];
    edges.extend(services.into_iter().zip(rates).map(|(service, rate)| edge(service, &format!("{service}/{service}s"), false, rate, 0.0)));
    Topology { nodes, edges, seconds: 60 }
}

pub fn proofs(now: Timestamp) -> Vec<Proof> {
    let measured = |value, of| Measured { value, of };
    let proof = |flag: &str, variant: &str, seconds, verdict, says: &str| Proof {
        flag: flag.into(),
        variant: variant.into(),
        flipped_at: ago(now, seconds),
        cleared_at: None,
        verdict,
        says: says.into(),
        signal: "share of additions to carts that fail".into(),
        unit: "%".into(),
        before: measured(0.0, 1_098),
        since: measured(14.6, 2_013),
        after: None,
        effect_after_ms: Some(143),
        touched: 294,
        traces: format!("flag={flag}"),
    };
    let mut slow = proof("menu-item-failure", "medium", 12, Verdict::TooFew, "9 requests since the flip: 30 are needed to tell.");
    slow.since = measured(0.0, 9);
    slow.effect_after_ms = None;
    slow.touched = 0;
    let mut unreached = proof(
        "middleware-unreachable",
        "high",
        60,
        Verdict::NoTraffic,
        "No request has reached order → middleware since the flip. Place an order, or start some load.",
    );
    unreached.before = measured(0.0, 0);
    unreached.since = measured(0.0, 0);
    unreached.effect_after_ms = None;
    unreached.touched = 0;
    vec![
        proof(
            "cart-chaos-errors",
            "medium",
            110,
            Verdict::Seen,
            "14.6 % of 2 013 additions failed since the flip; before it were 0 % of 1 098. At least 5 % were expected.",
        ),
        slow,
        unreached,
    ]
}

pub fn detection(now: Timestamp) -> Detection {
    let objective = |name: &str, says: &str, measured_percent, bad, left, short, long| Objective {
        name: name.into(),
        says: says.into(),
        target_percent: 99.9,
        measured_percent,
        requests: 4_210,
        bad,
        window_minutes: 60,
        budget_left_percent: left,
        burn_short: short,
        burn_long: long,
    };
    Detection {
        objectives: vec![
            objective("orders", "99.9 % of orders are accepted, or refused for a reason of the customer's.", 99.98, 1, 76.0, 0.4, 0.2),
            objective("latency", "99 % of pages are answered within 300 ms.", 96.9, 130, -210.0, 14.2, 6.1),
        ],
        alerts: vec![
            Alert {
                objective: "latency".into(),
                says: "Pages burn their budget 14 times too fast.".into(),
                fired_at: ago(now, 74),
                resolved_at: None,
                flags: vec!["cart-chaos-errors".into()],
            },
            Alert {
                objective: "orders".into(),
                says: "Orders burned their budget 3 times too fast.".into(),
                fired_at: ago(now, 1_274),
                resolved_at: Some(ago(now, 1_100)),
                flags: Vec::new(),
            },
        ],
        guardrail: Guardrail { on: false, burn_limit: 10.0, acted_at: None, because: String::new() },
    }
}
