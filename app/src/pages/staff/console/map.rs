//! `/console/map`: who calls whom, how often, and where it fails.

use super::chart::escaped;
use super::numbers::{ms, percent, plain};
use super::{Place, flag_chips, follow_events, frame, snapshot, wide};
use crate::control_room::SharedControlRoom;
use crate::extract::Asked;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::telemetry::{Edge, Node, NodeKind, Red, Snapshot, Source, Topology};
use leptos::either::Either;
use leptos::prelude::*;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

/// A node's box, the line of each store in it, and the room between boxes, in units of the picture.
const WIDTH: f64 = 206.0;
const HEIGHT: f64 = 66.0;
const STORE: f64 = 34.0;
const GAP_X: f64 = 96.0;
const GAP_Y: f64 = 26.0;
const EDGE: f64 = 14.0;

/// `?source=imported`: of the snapshot.
pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>, Asked(query): Asked) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    let source = snapshot::source_of(&query);
    let (topology, held) = futures::join!(room.topology(source), room.snapshot());
    match topology {
        Ok(topology) => {
            let mut meta = Meta::new("Map", "Who calls whom.");
            meta.refresh_s = (source == Source::Live).then_some(REFRESH_S);
            page(&visit, meta, || body(&topology, source, held.ok().flatten()))
        }
        Err(error) => error_page(&error, &visit),
    }
}

/// From left to right: who asks, the gateway, what it asks, what those ask, and who lives by events. The same place whatever the traffic
/// is, so that the map does not move. Stores stand in the box of their service.
fn column(node: &Node) -> usize {
    match (node.kind, node.id.as_str()) {
        (NodeKind::Client, _) => 0,
        (_, "server") => 1,
        (_, "menu" | "cart" | "order" | "user") => 2,
        (NodeKind::Bus, _) | (_, "middleware") => 3,
        _ => 4,
    }
}

/// Order within a column.
fn rank(node: &Node) -> (usize, &str) {
    const ORDER: [&str; 12] =
        ["browser", "loadgen", "server", "menu", "cart", "order", "user", "middleware", "bus", "payment", "delivery", "notification"];
    (ORDER.iter().position(|id| *id == node.id).unwrap_or(ORDER.len()), &node.id)
}

/// A box: where it is, how high, and the stores in it.
struct Boxed<'a> {
    x: f64,
    y: f64,
    height: f64,
    stores: Vec<&'a Node>,
}

/// Where the boxes are, and how large the picture is.
struct Layout<'a> {
    boxes: HashMap<&'a str, Boxed<'a>>,
    width: f64,
    height: f64,
}

impl<'a> Layout<'a> {
    fn of(nodes: &'a [Node]) -> Self {
        let stores_of = |owner: &str| -> Vec<&Node> {
            let mut stores: Vec<&Node> = nodes.iter().filter(|node| owner_of(node).is_some_and(|id| id == owner)).collect();
            stores.sort_by_key(|store| &store.id);
            stores
        };
        let mut columns: Vec<Vec<(&Node, Vec<&Node>)>> = vec![Vec::new(); 5];
        // A store whose service was not seen stands for itself.
        let alone = |node: &Node| owner_of(node).is_none_or(|owner| !nodes.iter().any(|other| other.id == owner));
        for node in nodes.iter().filter(|node| alone(node)) {
            columns[column(node)].push((node, stores_of(&node.id)));
        }
        columns.retain(|column| !column.is_empty());
        let box_height = |stores: &[&Node]| HEIGHT + stores.len() as f64 * STORE;
        let column_height = |column: &[(&Node, Vec<&Node>)]| {
            column.iter().map(|(_, stores)| box_height(stores)).sum::<f64>() + column.len().saturating_sub(1) as f64 * GAP_Y
        };
        let height = columns.iter().map(|column| column_height(column)).fold(HEIGHT, f64::max) + 2.0 * EDGE;
        let width = columns.len() as f64 * WIDTH + columns.len().saturating_sub(1) as f64 * GAP_X + 2.0 * EDGE;
        let mut boxes = HashMap::new();
        for (n, mut column) in columns.into_iter().enumerate() {
            column.sort_by_key(|(node, _)| rank(node));
            let mut y = (height - column_height(&column)) / 2.0;
            for (node, stores) in column {
                let height = box_height(&stores);
                boxes.insert(node.id.as_str(), Boxed { x: EDGE + n as f64 * (WIDTH + GAP_X), y, height, stores });
                y += height + GAP_Y;
            }
        }
        Self { boxes, width, height }
    }
}

/// The service that a store belongs to.
fn owner_of(node: &Node) -> Option<&str> {
    if node.kind != NodeKind::Store {
        return None;
    }
    node.id.split_once('/').map(|(owner, _)| owner)
}

fn draw(topology: &Topology) -> String {
    let layout = Layout::of(&topology.nodes);
    let mut svg = String::with_capacity(16_384);
    let _ = write!(
        svg,
        r#"<svg class="map-picture" viewBox="0 0 {:.0} {:.0}" aria-hidden="true" focusable="false">"#,
        layout.width, layout.height
    );
    for edge in &topology.edges {
        draw_edge(&mut svg, edge, &layout);
    }
    for node in &topology.nodes {
        draw_node(&mut svg, node, &layout);
    }
    svg.push_str("</svg>");
    svg
}

fn draw_edge(svg: &mut String, edge: &Edge, layout: &Layout<'_>) {
    let (Some(from), Some(to)) = (layout.boxes.get(edge.from.as_str()), layout.boxes.get(edge.to.as_str())) else { return };
    let (from_y, to_y) = (from.y + HEIGHT * 0.5, to.y + HEIGHT * 0.5);
    // From the side that faces the other box; within a column around the right side.
    let (x1, x2, bend) = if from.x < to.x {
        (from.x + WIDTH, to.x, GAP_X * 0.55)
    } else if from.x > to.x {
        (from.x, to.x + WIDTH, -GAP_X * 0.55)
    } else {
        (from.x + WIDTH, to.x + WIDTH, 0.0)
    };
    let (c1, c2) = if bend == 0.0 { (x1 + GAP_X * 0.7, x2 + GAP_X * 0.7) } else { (x1 + bend, x2 - bend) };
    let mut class = String::from("edge");
    for (is, name) in [(edge.events, " events"), (edge.red.requests == 0, " idle"), (edge.red.failed > 0, " failing")] {
        if is {
            class.push_str(name);
        }
    }
    // A tenfold rate is a line three times as wide.
    let width = 1.5 + (1.0 + edge.red.rate.max(0.0)).log10() * 3.0;
    let says = format!(
        "{} {} {}: {}/s, {} failed, p95 {}",
        edge.from,
        if edge.events { "tells" } else { "calls" },
        edge.to,
        plain(edge.red.rate),
        percent(edge.red.error_percent),
        ms(edge.red.p95_ms)
    );
    let _ = write!(
        svg,
        r#"<path class="{class}" stroke-width="{width:.1}" d="M{x1:.0} {from_y:.0}C{c1:.0} {from_y:.0} {c2:.0} {to_y:.0} {x2:.0} {to_y:.0}"><title>{}</title></path>"#,
        escaped(&says)
    );
}

fn traces_of(node: &Node) -> String {
    match owner_of(node) {
        Some(owner) => format!("/console/traces?service={}&text={}", path_segment(owner), path_segment(&node.name)),
        None if node.kind == NodeKind::Bus => "/console/events".to_owned(),
        None => format!("/console/traces?service={}", path_segment(&node.id)),
    }
}

/// `31/s · p95 6.0 ms`, or what fails.
fn figures(red: &Red) -> String {
    if red.requests == 0 {
        return "quiet".to_owned();
    }
    if red.failed > 0 {
        return format!(r#"{}/s <tspan class="bad">{} failed</tspan>"#, plain(red.rate), percent(red.error_percent));
    }
    format!("{}/s · p95 {}", plain(red.rate), ms(red.p95_ms))
}

fn classes(node: &Node) -> String {
    let kind = match node.kind {
        NodeKind::Client => "client",
        NodeKind::Service => "service",
        NodeKind::Store => "store",
        NodeKind::Bus => "bus",
    };
    let mut class = format!("node {kind}");
    for (is, name) in [(node.red.requests == 0, " idle"), (node.red.failed > 0, " failing"), (!node.flags.is_empty(), " flagged")] {
        if is {
            class.push_str(name);
        }
    }
    class
}

fn draw_node(svg: &mut String, node: &Node, layout: &Layout<'_>) {
    let Some(Boxed { x, y, height, stores }) = layout.boxes.get(node.id.as_str()) else { return };
    let flags = if node.flags.is_empty() { String::new() } else { format!("🚩 {}", node.flags.len()) };
    let _ = write!(
        svg,
        r#"<a href="{}" tabindex="-1"><g class="{}"><title>{}</title><rect x="{x:.0}" y="{y:.0}" width="{WIDTH}" height="{height:.0}" rx="18"/><text class="name" x="{:.0}" y="{:.0}">{}</text><text class="flags" x="{:.0}" y="{:.0}">{flags}</text><text class="figures" x="{:.0}" y="{:.0}">{}</text></g></a>"#,
        escaped(&traces_of(node)),
        classes(node),
        escaped(&node.flags.join(", ")),
        x + 15.0,
        y + 27.0,
        escaped(&shortened(&node.name, 17)),
        x + WIDTH - 14.0,
        y + 27.0,
        x + 15.0,
        y + 51.0,
        figures(&node.red)
    );
    for (n, store) in stores.iter().enumerate() {
        let top = y + HEIGHT + n as f64 * STORE - 4.0;
        let _ = write!(
            svg,
            r#"<a href="{}" tabindex="-1"><g class="{}"><title>{}: {}/s</title><rect x="{:.0}" y="{top:.0}" width="{:.0}" height="{:.0}" rx="9"/><text class="store-name" x="{:.0}" y="{:.0}">{}</text><text class="figures end" x="{:.0}" y="{:.0}">{}</text></g></a>"#,
            escaped(&traces_of(store)),
            classes(store),
            escaped(&store.id),
            plain(store.red.rate),
            x + 8.0,
            WIDTH - 16.0,
            STORE - 4.0,
            x + 17.0,
            top + 20.0,
            escaped(&shortened(&store.name, 10)),
            x + WIDTH - 16.0,
            top + 20.0,
            store_figures(&store.red)
        );
    }
}

fn store_figures(red: &Red) -> String {
    match (red.requests, red.failed) {
        (0, _) => "quiet".to_owned(),
        (_, 0) => format!("{}/s · {}", plain(red.rate), ms(red.p95_ms)),
        _ => format!(r#"<tspan class="bad">{} failed</tspan>"#, percent(red.error_percent)),
    }
}

/// As much of a name as a box is wide.
fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most { name.to_owned() } else { name.chars().take(most - 1).chain(['…']).collect() }
}

fn body(topology: &Topology, source: Source, held: Option<Snapshot>) -> impl IntoView + use<> {
    let here = "/console/map";
    let shown = snapshot::switch(source, held.as_ref(), here.to_owned(), format!("{here}?{}", snapshot::QUERY));
    let follow = (source == Source::Live).then(follow_events);
    let picture = if topology.nodes.is_empty() {
        Either::Left(
            view! { <div class="empty"><p>"Nobody calls anybody yet."</p><p class="hint">"Services appear here with their first request."</p><p><a class="button" href="/console/load">"Start some load"</a></p></div> },
        )
    } else {
        Either::Right(view! { <div class="map-wrap" inner_html=draw(topology)></div> })
    };
    let nodes: Vec<_> = topology.nodes.iter().map(node_row).collect();
    let edges: Vec<_> = topology.edges.iter().filter(|edge| edge.red.requests > 0).map(edge_row).collect();
    let seconds = topology.seconds;
    frame(
        Place::Map,
        view! { "Who calls whom, in the last "{seconds}" seconds. Wider lines are called more often; dashed ones are events." },
        view! {
            {shown}
            <div id="live-map" data-live="" tabindex="0" role="region" aria-label="Map" class="map-region">{picture}</div>
            {follow}
            <details class="as-table"><summary>"The same as tables"</summary>
                {wide("Services and stores", view! {
                    <table class="numbers-table red-table">
                        <thead><tr><th scope="col">"Who"</th><th scope="col">"/s"</th><th scope="col">"Failed"</th><th scope="col">"p95"</th><th scope="col">"Flags"</th></tr></thead>
                        <tbody id="live-nodes" data-live="">{nodes}</tbody>
                    </table>
                })}
                {wide("Calls", view! {
                    <table class="numbers-table red-table">
                        <thead><tr><th scope="col">"From"</th><th scope="col">"To"</th><th scope="col">"/s"</th><th scope="col">"Failed"</th><th scope="col">"p95"</th></tr></thead>
                        <tbody id="live-edges" data-live="">{edges}</tbody>
                    </table>
                })}
            </details>
        },
    )
}

fn node_row(node: &Node) -> impl IntoView + use<> {
    let class = (node.red.failed > 0).then_some("bad");
    view! { <tr><th scope="row">{node.id.clone()}</th><td>{plain(node.red.rate)}</td><td class=class>{percent(node.red.error_percent)}</td><td>{ms(node.red.p95_ms)}</td><td class="words">{flag_chips(&node.flags)}</td></tr> }
}

fn edge_row(edge: &Edge) -> impl IntoView + use<> {
    let class = (edge.red.failed > 0).then_some("bad");
    view! { <tr><th scope="row">{edge.from.clone()}</th><td class="words">{edge.to.clone()}</td><td>{plain(edge.red.rate)}</td><td class=class>{percent(edge.red.error_percent)}</td><td>{ms(edge.red.p95_ms)}</td></tr> }
}

#[cfg(test)]
mod tests {
    use super::{Layout, draw, shortened};
    use contract::telemetry::{Edge, Node, NodeKind, Red, Topology};

    fn node(id: &str, kind: NodeKind) -> Node {
        Node { id: id.into(), name: id.into(), kind, red: Red::default(), flags: Vec::new() }
    }

    #[test]
    fn a_node_keeps_its_place_whatever_the_traffic_is() {
        let mut nodes = vec![
            node("order", NodeKind::Service),
            node("browser", NodeKind::Client),
            node("order/sqlite", NodeKind::Store),
            node("menu", NodeKind::Service),
        ];
        let at = |nodes: &[Node]| (Layout::of(nodes).boxes["order"].x, Layout::of(nodes).boxes["order"].y);
        let before = at(&nodes);
        nodes.reverse();
        assert_eq!(at(&nodes), before);
        let layout = Layout::of(&nodes);
        assert!(layout.boxes["menu"].y < layout.boxes["order"].y && layout.boxes["browser"].x < layout.boxes["menu"].x);
        assert_eq!(layout.boxes["order"].stores.len(), 1, "a store stands in the box of its service");
        assert!(!layout.boxes.contains_key("order/sqlite"));
    }

    #[test]
    fn a_call_to_somebody_unknown_is_not_drawn() {
        let edge = |to: &str| Edge { from: "menu".into(), to: to.into(), events: false, red: Red::default() };
        let nodes = vec![node("menu", NodeKind::Service), node("cart", NodeKind::Service)];
        let topology = Topology { nodes, edges: vec![edge("cart"), edge("ghost")], seconds: 60 };
        assert_eq!(draw(&topology).matches("<path").count(), 1);
    }

    #[test]
    fn a_long_name_ends_in_dots() {
        assert_eq!((shortened("menu", 17).as_str(), shortened("a name that is very long", 17).chars().count()), ("menu", 17));
    }
}
