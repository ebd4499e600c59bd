//! Finding traces.

use crate::common::{Change, START_MS, World, at, span};
use contract::telemetry::{Outcome, TraceQuery};
use observe::BadCursor;
use observe::model::Kind;

fn world() -> World {
    let world = World::new();
    world.take([
        span(1, 1).lasting(0, 10),
        span(2, 2).of("server", "POST /api/orders", Kind::Server).lasting(1_000, 300).with("order.id", "ord-2"),
        span(2, 3).under(2).of("order", "insert orders", Kind::Client).lasting(1_010, 5).with("db.system.name", "sqlite"),
        span(3, 4).of("server", "POST /api/cart/{id}/items", Kind::Server).lasting(2_000, 50).failed().status(503),
        span(3, 5)
            .under(4)
            .of("cart", "POST /cart/{id}/items", Kind::Server)
            .lasting(2_001, 40)
            .failed()
            .with("chaos.flag", "cart-chaos-errors"),
    ]);
    world
}

fn found(world: &World, query: TraceQuery) -> Vec<u128> {
    let page = world.store.traces(&query).unwrap();
    page.traces.iter().map(|trace| u128::from_str_radix(&trace.trace_id, 16).unwrap()).collect()
}

#[test]
fn traces_are_found_by_what_is_known_of_them() {
    let world = world();
    let some = |text: &str| Some(text.to_owned());
    let any = TraceQuery::default;
    assert_eq!(found(&world, any()), [3, 2, 1], "newest first");
    assert_eq!(found(&world, TraceQuery { service: some("order"), ..any() }), [2]);
    assert_eq!(found(&world, TraceQuery { route: some("cart/{ID}"), ..any() }), [3]);
    assert_eq!(found(&world, TraceQuery { route: some("insert"), ..any() }), [2]);
    assert_eq!(found(&world, TraceQuery { outcome: Some(Outcome::Error), ..any() }), [3]);
    assert_eq!(found(&world, TraceQuery { outcome: Some(Outcome::Ok), ..any() }), [2, 1]);
    assert_eq!(found(&world, TraceQuery { min_ms: Some(40), max_ms: Some(100), ..any() }), [3]);
    assert_eq!(found(&world, TraceQuery { flag: some("cart-chaos-errors"), ..any() }), [3]);
    assert_eq!(found(&world, TraceQuery { order: some("ord-2"), ..any() }), [2]);
    assert_eq!(found(&world, TraceQuery { text: some("SQLite"), ..any() }), [2]);
    assert_eq!(found(&world, TraceQuery { text: some("503"), ..any() }), [3]);
    assert_eq!(found(&world, TraceQuery { text: some("nowhere"), ..any() }), [0; 0]);
    assert_eq!(found(&world, TraceQuery { from: Some(at(START_MS + 500)), to: Some(at(START_MS + 2_000)), ..any() }), [2]);
    assert_eq!(found(&world, TraceQuery { service: some(" "), text: some(""), ..any() }), [3, 2, 1], "an empty field of a form is none");
}

#[test]
fn what_the_platform_does_by_itself_is_left_out_while_it_goes_well() {
    let world = World::new();
    world.take([
        span(1, 1).of("payment", "due payments", Kind::Client).with("db.system.name", "sqlite"),
        span(2, 2).of("payment", "due payments", Kind::Client).failed(),
        span(3, 3).of("order", "hold events back", Kind::Internal).with("chaos.flag", "events-lag"),
        span(4, 4).of("server", "GET /console/overview", Kind::Server).with("http.route", "/console/overview"),
        span(5, 5).of("server", "GET /", Kind::Server).with("http.route", "/"),
        span(6, 6).of("order", "process order.paid", Kind::Consumer),
        span(7, 7).of("elsewhere", "a job of somebody else's", Kind::Internal),
        span(8, 8).of("browser", "GET /cart", Kind::Client),
        span(8, 9).under(8).of("server", "GET /cart", Kind::Server),
    ]);
    let mut requests = found(&world, TraceQuery { requests: true, ..TraceQuery::default() });
    requests.sort_unstable();
    assert_eq!(requests, [2, 3, 5, 6, 7, 8]);
    assert_eq!(found(&world, TraceQuery::default()).len(), 8);
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let world = World::new();
    world.take((0..100_u64).map(|n| span(u128::from(n), n).lasting(n as i64 / 7, 1).with("note", if n % 2 == 0 { "even" } else { "odd" })));
    let mut query = TraceQuery { text: Some("even".into()), limit: Some(7), ..TraceQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = world.store.traces(&query).unwrap();
        assert!(page.traces.len() <= 7);
        seen.extend(page.traces.iter().map(|trace| u128::from_str_radix(&trace.trace_id, 16).unwrap()));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    let mut expected: Vec<u128> = (0..100).step_by(2).collect();
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[test]
fn a_cursor_that_is_not_ours_is_refused() {
    let world = World::new();
    for wrong in ["x", "12", "12-zz"] {
        let query = TraceQuery { cursor: Some(wrong.into()), ..TraceQuery::default() };
        assert_eq!(world.store.traces(&query), Err(BadCursor), "{wrong}");
    }
}
