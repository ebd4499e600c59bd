//! `/console/map`: who calls whom, how often, and where it fails.

use super::chart::escaped;
use super::numbers::{ms, percent, plain};
use super::{Place, flag_chips, follow_events, frame, wide};
use crate::control_room::SharedControlRoom;
use crate::pages::console::sign_in;
use crate::render::{Meta, page};
use crate::routes::error_page;
use crate::visit::Visit;
use axum::Extension;
use axum::response::Response;
use contract::id::path_segment;
use contract::telemetry::{Edge, Node, NodeKind, Topology};
use leptos::either::Either;
use leptos::prelude::*;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

const REFRESH_S: u32 = 5;

/// A node's box, and the room between boxes, in units of the picture.
const WIDTH: f64 = 188.0;
const HEIGHT: f64 = 74.0;
const GAP_X: f64 = 104.0;
const GAP_Y: f64 = 20.0;
const EDGE: f64 = 14.0;

pub async fn show(Extension(visit): Extension<Arc<Visit>>, Extension(room): Extension<SharedControlRoom>) -> Response {
    if !visit.operator {
        return sign_in(&visit);
    }
    match room.topology().await {
        Ok(topology) => {
            let mut meta = Meta::new("Map", "Who calls whom.");
            meta.refresh_s = Some(REFRESH_S);
            page(&visit, meta, || body(&topology))
        }
        Err(error) => error_page(&error, &visit),
    }
}

/// From left to right: who asks, the gateway, what it asks, what those ask, and where things are kept. The same place whatever the
/// traffic is, so that the map does not move.
fn column(node: &Node) -> usize {
    match (node.kind, node.id.as_str()) {
        (NodeKind::Client, _) => 0,
        (NodeKind::Service, "server" | "gateway") => 1,
        (NodeKind::Service, "menu" | "cart" | "order" | "user") => 2,
        (NodeKind::Service | NodeKind::Bus, _) => 3,
        (NodeKind::Store, _) => 4,
    }
}

/// Order within a column.
fn rank(node: &Node) -> (usize, String) {
    const ORDER: [&str; 12] =
        ["browser", "loadgen", "server", "menu", "cart", "order", "user", "middleware", "payment", "delivery", "notification", "bus"];
    let owner = node.id.split('/').next().unwrap_or_default();
    (ORDER.iter().position(|id| *id == owner).unwrap_or(ORDER.len()), node.id.clone())
}

/// Where the boxes are, and how large the picture is.
struct Layout<'a> {
    boxes: HashMap<&'a str, (f64, f64)>,
    width: f64,
    height: f64,
}

impl<'a> Layout<'a> {
    fn of(nodes: &'a [Node]) -> Self {
        let mut columns: Vec<Vec<&Node>> = vec![Vec::new(); 5];
        for node in nodes {
            columns[column(node)].push(node);
        }
        columns.retain(|column| !column.is_empty());
        let tallest = columns.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let height_of = |n: usize| n as f64 * HEIGHT + n.saturating_sub(1) as f64 * GAP_Y;
        let height = height_of(tallest) + 2.0 * EDGE;
        let width = columns.len() as f64 * WIDTH + columns.len().saturating_sub(1) as f64 * GAP_X + 2.0 * EDGE;
        let mut boxes = HashMap::new();
        for (n, column) in columns.iter_mut().enumerate() {
            column.sort_by_key(|node| rank(node));
            let top = (height - height_of(column.len())) / 2.0;
            for (row, node) in column.iter().enumerate() {
                boxes.insert(node.id.as_str(), (EDGE + n as f64 * (WIDTH + GAP_X), top + row as f64 * (HEIGHT + GAP_Y)));
            }
        }
        Self { boxes, width, height }
    }
}

fn draw(topology: &Topology) -> String {
    let layout = Layout::of(&topology.nodes);
    let mut svg = String::with_capacity(16_384);
    let _ = write!(
        svg,
        r#"<svg class="map-picture" viewBox="0 0 {:.0} {:.0}" width="{:.0}" aria-hidden="true" focusable="false">"#,
        layout.width, layout.height, layout.width
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
    let (from_y, to_y) = (from.1 + HEIGHT / 2.0, to.1 + HEIGHT / 2.0);
    // From the side that faces the other box; within a column around the right side.
    let (x1, x2, bend) = if from.0 < to.0 {
        (from.0 + WIDTH, to.0, GAP_X * 0.55)
    } else if from.0 > to.0 {
        (from.0, to.0 + WIDTH, -GAP_X * 0.55)
    } else {
        (from.0 + WIDTH, to.0 + WIDTH, 0.0)
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

fn draw_node(svg: &mut String, node: &Node, layout: &Layout<'_>) {
    let Some((x, y)) = layout.boxes.get(node.id.as_str()) else { return };
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
    let flags = if node.flags.is_empty() { String::new() } else { format!("🚩 {}", node.flags.len()) };
    let service = node.id.split('/').next().unwrap_or(&node.id);
    let to = match node.kind {
        NodeKind::Store => format!("/console/traces?service={}&text={}", path_segment(service), path_segment(&node.name)),
        _ => format!("/console/traces?service={}", path_segment(service)),
    };
    let radius = if node.kind == NodeKind::Store { 8 } else { 20 };
    let _ = write!(
        svg,
        r#"<a href="{}" tabindex="-1"><g class="{class}"><title>{}</title><rect x="{x:.0}" y="{y:.0}" width="{WIDTH}" height="{HEIGHT}" rx="{radius}"/><text class="name" x="{:.0}" y="{:.0}">{}</text><text class="flags" x="{:.0}" y="{:.0}">{}</text>"#,
        escaped(&to),
        escaped(&node.flags.join(", ")),
        x + 14.0,
        y + 26.0,
        escaped(&shortened(&node.name)),
        x + WIDTH - 12.0,
        y + 26.0,
        escaped(&flags)
    );
    if node.red.requests == 0 {
        let _ = write!(svg, r#"<text class="figures" x="{:.0}" y="{:.0}">quiet</text>"#, x + 14.0, y + 54.0);
    } else {
        let failed = if node.red.failed > 0 {
            format!(r#" <tspan class="bad">{} failed</tspan>"#, percent(node.red.error_percent))
        } else {
            String::new()
        };
        let p95 = if node.red.failed > 0 { String::new() } else { format!(" · p95 {}", ms(node.red.p95_ms)) };
        let _ =
            write!(svg, r#"<text class="figures" x="{:.0}" y="{:.0}">{}/s{p95}{failed}</text>"#, x + 14.0, y + 54.0, plain(node.red.rate));
    }
    svg.push_str("</g></a>");
}

/// As much of a name as a box is wide.
fn shortened(name: &str) -> String {
    const MOST: usize = 17;
    if name.chars().count() <= MOST { name.to_owned() } else { name.chars().take(MOST - 1).chain(['…']).collect() }
}

fn body(topology: &Topology) -> impl IntoView + use<> {
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
            <div id="live-map" data-live="" tabindex="0" role="region" aria-label="Map" class="map-region">{picture}</div>
            {follow_events()}
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
        let mut nodes = vec![node("order", NodeKind::Service), node("browser", NodeKind::Client), node("menu", NodeKind::Service)];
        let at = |nodes: &[Node]| Layout::of(nodes).boxes["order"];
        let before = at(&nodes);
        nodes.reverse();
        assert_eq!(at(&nodes), before);
        let layout = Layout::of(&nodes);
        assert!(layout.boxes["menu"].1 < layout.boxes["order"].1 && layout.boxes["browser"].0 < layout.boxes["menu"].0);
    }

    #[test]
    fn a_call_to_somebody_unknown_is_not_drawn() {
        let edge = |to: &str| Edge { from: "menu".into(), to: to.into(), events: false, red: Red::default() };
        let topology = Topology {
            nodes: vec![node("menu", NodeKind::Service), node("cart", NodeKind::Service)],
            edges: vec![edge("cart"), edge("ghost")],
            seconds: 60,
        };
        assert_eq!(draw(&topology).matches("<path").count(), 1);
    }

    #[test]
    fn a_long_name_ends_in_dots() {
        assert_eq!((shortened("menu").as_str(), shortened("a name that is very long").chars().count()), ("menu", 17));
    }
}
