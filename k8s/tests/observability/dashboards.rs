//! The dashboards as files.

use crate::promql::{Query, has_label, label_values};
use crate::{folder, list, text};
use serde_json::Value;
use std::collections::BTreeSet;

const DASHBOARDS: [&str; 5] = ["business", "flags", "overview", "redis-and-bus", "services"];

/// Grafana's grid.
const COLUMNS: u64 = 24;

fn dashboards() -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = std::fs::read_dir(folder().join("grafana/dashboards"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name.clone(), serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}")))
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

fn panels(dashboard: &Value) -> &[Value] {
    list(&dashboard["panels"])
}

#[test]
fn there_is_a_dashboard_for_each_audience_and_each_can_be_told_from_the_others() {
    let dashboards = dashboards();
    assert_eq!(dashboards.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), DASHBOARDS);
    for (name, dashboard) in &dashboards {
        assert_eq!(text(&dashboard["uid"]), format!("feast-{name}"));
        assert!(text(&dashboard["title"]).starts_with("Feast Flow: ") && !text(&dashboard["description"]).is_empty(), "{name}");
        assert_eq!(dashboard["tags"][0], "feast-flow", "{name}");
        assert!(dashboard.get("id").is_none() && dashboard.get("__inputs").is_none(), "{name} was exported from somebody's Grafana");
    }
}

#[test]
fn every_query_names_what_the_platform_emits() {
    let mut problems = Vec::new();
    for (name, dashboard) in dashboards() {
        let of_panels = panels(&dashboard).iter().flat_map(|panel| list(&panel["targets"]).iter().map(|target| (&panel["title"], target)));
        let of_annotations = list(&dashboard["annotations"]["list"]).iter().map(|annotation| (&annotation["name"], annotation));
        let queries: Vec<(&Value, &Value)> = of_panels.chain(of_annotations).collect();
        assert!(queries.len() > 10, "{name} has hardly a query");
        for (title, target) in queries {
            let query = Query::read(text(&target["expr"]));
            problems.extend(query.problems(&BTreeSet::new()).into_iter().map(|problem| format!("{name}: {title}: {problem}")));
            // A legend shows what the query keeps.
            let legend = target["legendFormat"].as_str().unwrap_or_default();
            let shown = legend.split("{{").skip(1).filter_map(|part| Some(part.split_once("}}")?.0));
            problems.extend(
                shown.filter(|label| !query.grouped.contains(*label)).map(|label| format!("{name}: {title}: the legend shows {label}")),
            );
        }
        for variable in list(&dashboard["templating"]["list"]).iter().filter(|variable| variable["type"] == "query") {
            let (metric, label) = label_values(text(&variable["definition"])).unwrap();
            assert!(has_label(metric, label), "{name}: {metric} has no {label}");
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_panel_says_what_it_shows_in_which_unit_and_lies_on_nobody_else() {
    for (name, dashboard) in dashboards() {
        let mut taken: BTreeSet<(u64, u64)> = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for panel in panels(&dashboard) {
            let title = text(&panel["title"]);
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: {title}: the id is another panel's");
            let at = |side: &str| panel["gridPos"][side].as_u64().unwrap();
            assert!(at("x") + at("w") <= COLUMNS, "{name}: {title} leaves the grid");
            for x in at("x")..at("x") + at("w") {
                for y in at("y")..at("y") + at("h") {
                    assert!(taken.insert((x, y)), "{name}: {title} lies on another");
                }
            }
            if panel["type"] != "row" {
                assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{name}: {title} has no unit");
                assert_eq!(panel["datasource"]["uid"], "${datasource}", "{name}: {title}");
            }
        }
    }
}
