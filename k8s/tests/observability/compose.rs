//! The full stack on one machine, held against the cluster's base: same images, same settings, addresses that exist.

use crate::{folder, list, text, yaml};
use manifests::SERVICES;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything around the platform.
const AROUND: [&str; 7] = ["redis", "postgres", "flagd", "collector", "jaeger", "prometheus", "grafana"];

/// Where programs that are not ours listen inside the stack.
const PORTS: [(&str, &[u64]); 7] = [
    ("redis", &[6379]),
    ("postgres", &[5432]),
    ("flagd", &[8013, 8014, 8015, 8016]),
    ("collector", &[4317, 4318]),
    ("jaeger", &[4317, 16686]),
    ("prometheus", &[9090]),
    ("grafana", &[3000]),
];

fn stack() -> Value {
    yaml("compose.yaml")
}

fn settings<'s>(stack: &'s Value, name: &str) -> BTreeMap<&'s str, &'s str> {
    let settings = stack["services"][name]["environment"].as_object();
    settings.into_iter().flatten().map(|(name, value)| (name.as_str(), text(value))).collect()
}

fn listens(name: &str, port: u64) -> bool {
    let ours = SERVICES.iter().chain(&[("server", 3000), ("server", 8015)]);
    ours.into_iter().any(|service| *service == (name, port)) || PORTS.iter().any(|(other, ports)| *other == name && ports.contains(&port))
}

/// `host:port`, somewhere in the stack.
#[track_caller]
fn exists(address: &str, note: &str) {
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let address = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
    let (host, port) = address.split('/').next().unwrap().rsplit_once(':').unwrap_or_else(|| panic!("{note}: {address} has no port"));
    assert!(listens(host, port.parse().unwrap()), "{note}: nobody listens at {address}");
}

#[test]
fn the_stack_is_the_platform_and_what_is_around_it() {
    let stack = stack();
    let names: BTreeSet<&str> = stack["services"].as_object().unwrap().keys().map(String::as_str).collect();
    let ours = SERVICES.iter().map(|(name, _)| *name).chain(["server", "loadgen"]);
    assert_eq!(names, ours.chain(AROUND).collect());
    for (name, service) in stack["services"].as_object().unwrap() {
        let (_, tag) = manifests::split_reference(text(&service["image"]));
        assert!(tag.is_some_and(|tag| tag != "latest"), "{name}: which version?");
        for published in list(&service["ports"]) {
            assert!(text(published).starts_with("127.0.0.1:"), "{name} is open to the world at {published}");
        }
    }
}

#[test]
fn settings_are_the_ones_of_the_cluster() {
    let (stack, cluster) = (stack(), manifests::render(&folder().join("../base")).unwrap());
    for name in SERVICES.iter().map(|(name, _)| *name).chain(["server", "loadgen"]) {
        // One process here, which is both of the cluster's roles: it needs what the console needs, but to be told so.
        let deployed = if name == "server" { "console" } else { name };
        let deployment = cluster.iter().find(|object| manifests::identity(object) == format!("Deployment/{deployed}")).unwrap();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(stack["services"][name]["image"], container["image"], "{name}");
        let wanted: BTreeSet<&str> = list(&container["env"]).iter().map(|variable| text(&variable["name"])).collect();
        let found: BTreeSet<&str> = settings(&stack, name).into_keys().collect();
        // How often telemetry leaves matters on a stage; an issuer of tokens is somebody's own. Services send to the collector here, and not
        // to the server, which asks who sends.
        let found: BTreeSet<&str> = found.into_iter().filter(|name| *name != "OTEL_BSP_SCHEDULE_DELAY").collect();
        let wanted: BTreeSet<&str> =
            wanted.into_iter().filter(|name| !["ROLE", "OIDC_ISSUER", "OTEL_EXPORTER_OTLP_HEADERS"].contains(name)).collect();
        assert_eq!(found, wanted, "{name}");
    }
    for (name, kind) in [("redis", "StatefulSet"), ("postgres", "StatefulSet")] {
        let set = cluster.iter().find(|object| manifests::identity(object) == format!("{kind}/{name}")).unwrap();
        assert_eq!(stack["services"][name]["image"], set["spec"]["template"]["spec"]["containers"][0]["image"]);
    }
    let cart = cluster.iter().find(|object| manifests::identity(object) == "Deployment/cart").unwrap();
    let flagd = &cart["spec"]["template"]["spec"]["containers"][1];
    assert_eq!(stack["services"]["flagd"]["image"], flagd["image"]);
}

#[test]
fn every_address_exists() {
    let stack = stack();
    for name in stack["services"].as_object().unwrap().keys() {
        for (setting, value) in settings(&stack, name) {
            if (setting.ends_with("_URL") || setting == "FLAGS_SOURCE" || setting.ends_with("_ENDPOINT")) && !value.starts_with("file:") {
                exists(value, &format!("{name}: {setting}"));
            }
        }
        for needed in stack["services"][name]["depends_on"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(stack["services"][needed].is_object(), "{name} waits for {needed}");
        }
    }
    for (name, port) in SERVICES {
        assert_eq!(settings(&stack, name)["LISTEN_ADDR"], format!("0.0.0.0:{port}"));
    }
    let command = list(&stack["services"]["flagd"]["command"]);
    let sources = text(&command[command.iter().position(|word| word == "--sources").unwrap() + 1]);
    for source in list(&serde_json::from_str(sources).unwrap()).iter().filter(|source| source["provider"] == "grpc") {
        exists(text(&source["uri"]), "flagd");
    }
}

#[test]
fn secrets_are_asked_for_and_have_no_default() {
    let stack = stack();
    for name in stack["services"].as_object().unwrap().keys() {
        for (setting, value) in settings(&stack, name) {
            if ["TOKEN", "PASSWORD"].iter().any(|secret| setting.ends_with(secret)) {
                assert!(value.starts_with("${") && value.contains(":?"), "{name}: {setting}");
            }
            assert!(setting != "DATABASE_URL" || value.contains("${DATABASE_PASSWORD:?"), "{name}: {setting}");
        }
    }
}

#[test]
fn files_that_are_mounted_are_in_the_repository() {
    let stack = stack();
    let volumes = stack["volumes"].as_object().unwrap();
    for (name, service) in stack["services"].as_object().unwrap() {
        for volume in list(&service["volumes"]) {
            let source = text(volume).split(':').next().unwrap();
            let known = if source.starts_with('.') { folder().join(source).exists() } else { volumes.contains_key(source) };
            assert!(known, "{name}: {source}");
        }
    }
}

#[test]
fn prometheus_scrapes_every_process() {
    let config = yaml("prometheus/prometheus.yml");
    let targets: BTreeSet<&str> = list(&config["scrape_configs"][0]["static_configs"][0]["targets"]).iter().map(text).collect();
    let processes: Vec<String> = SERVICES.iter().chain(&[("server", 3000)]).map(|(name, port)| format!("{name}:{port}")).collect();
    assert_eq!(targets, processes.iter().map(String::as_str).collect());
    assert_eq!(config["scrape_configs"][0]["job_name"], "feast-flow");
}

#[test]
fn telemetry_reaches_jaeger_and_the_console_and_grafana_finds_both() {
    let collector = yaml("collector/config.yaml");
    for (name, exporter) in collector["exporters"].as_object().unwrap() {
        exists(text(&exporter["endpoint"]), name);
    }
    for (name, pipeline) in collector["service"]["pipelines"].as_object().unwrap() {
        for part in ["receivers", "processors", "exporters"] {
            for used in list(&pipeline[part]) {
                assert!(collector[part].get(text(used)).is_some(), "{name}: there is no {used} among the {part}");
            }
        }
        // The console has what its own process does already: a copy that came back would count twice.
        let to_console = list(&pipeline["exporters"]).iter().any(|exporter| exporter == "otlphttp/console");
        let filtered = list(&pipeline["processors"]).iter().any(|processor| processor == "filter/already-there");
        assert_eq!(to_console, filtered, "{name}");
    }
    // Told by its instance, because web replicas are the service `server` too.
    let filter = collector["processors"]["filter/already-there"].to_string();
    let stack = stack();
    let instance = settings(&stack, "server")["OTEL_RESOURCE_ATTRIBUTES"].strip_prefix("service.instance.id=").unwrap();
    let told = format!("resource.attributes[\\\"service.instance.id\\\"] == \\\"{instance}\\\"");
    assert_eq!(filter.matches(&told).count(), 3, "{filter}");
    for source in list(&yaml("grafana/provisioning/datasources/feast.yaml")["datasources"]) {
        exists(text(&source["url"]), text(&source["name"]));
    }
    let dashboards = yaml("grafana/provisioning/dashboards/feast.yaml");
    let path = text(&dashboards["providers"][0]["options"]["path"]);
    let mounts = stack["services"]["grafana"]["volumes"].clone();
    assert!(list(&mounts).iter().any(|mount| text(mount).split(':').nth(1) == Some(path)), "{path} is not mounted");
}
