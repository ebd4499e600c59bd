//! Who called whom.

use crate::common::{Change, World, point, span, text};
use contract::telemetry::NodeKind;
use observe::model::{Kind, Measure, Value};
use std::time::Duration;

#[test]
fn the_map_shows_clients_services_stores_and_the_bus() {
    let world = World::new();
    let mut from_load = span(1, 1).of("server", "POST /api/orders", Kind::Server);
    from_load.attributes.push(("synthetic".into(), Value::Bool(true)));
    world.take([
        from_load,
        span(2, 2).of("server", "GET /menu", Kind::Server),
        span(1, 3).under(1).of("server", "order.create", Kind::Client).with("peer.service", "order").failed(),
        span(1, 4).under(3).of("order", "POST /orders", Kind::Server).failed(),
        span(1, 5)
            .under(4)
            .of("order", "insert orders", Kind::Client)
            .with("db.system.name", "sqlite")
            .with("db.collection.name", "orders"),
        span(1, 6).under(4).of("payment", "process order.created", Kind::Consumer).with("messaging.system", "memory"),
    ]);
    let consumed = |second, value| {
        let mut point = point("feast.events.consumed", "payment", second, Measure::Sum(value));
        point.attributes = vec![text("event.kind", "order.created"), text("outcome", "applied")];
        point
    };
    world.advance(Duration::from_secs(2));
    world.point([consumed(0, 3.0), consumed(1, 9.0)]);
    let map = world.store.topology(&|node| if node == "order" { vec!["order-bad-release".into()] } else { Vec::new() });
    let nodes: Vec<(&str, NodeKind)> = map.nodes.iter().map(|node| (node.id.as_str(), node.kind)).collect();
    assert_eq!(
        nodes,
        [
            ("browser", NodeKind::Client),
            ("bus", NodeKind::Bus),
            ("loadgen", NodeKind::Client),
            ("order", NodeKind::Service),
            ("order/orders", NodeKind::Store),
            ("payment", NodeKind::Service),
            ("server", NodeKind::Service),
        ]
    );
    let edges: Vec<(&str, &str, bool, u64)> =
        map.edges.iter().map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.events, edge.red.requests)).collect();
    assert_eq!(
        edges,
        [
            ("browser", "server", false, 1),
            ("bus", "payment", true, 1),
            ("loadgen", "server", false, 1),
            ("order", "order/orders", false, 1),
            ("server", "order", false, 1),
            ("order", "bus", true, 6),
        ]
    );
    assert_eq!(map.nodes[3].flags, ["order-bad-release"]);
    assert_eq!(map.nodes[3].red.failed, 1);
    assert_eq!(map.nodes[5].red.requests, 1, "a service that is asked nothing lives by events");
    world.advance(Duration::from_secs(90));
    assert!(world.store.topology(&|_| Vec::new()).edges.is_empty(), "only the last minute counts");
}
