//! The processes' settings: names they know, addresses that exist, secrets that stay secret.

use crate::base::{
    ROLES, SERVICES, STORES, behind, container_port, containers, list, name, named, pod, processes, program_of, text, workload, workloads,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What a service, the server and the load generator read.
const SERVICE: [&str; 16] = [
    "LISTEN_ADDR",
    "DATABASE_URL",
    "REDIS_URL",
    "CART_URL",
    "ORDER_URL",
    "MIDDLEWARE_URL",
    "MENU_URL",
    "USER_URL",
    "PAYMENT_URL",
    "DELIVERY_URL",
    "NOTIFICATION_URL",
    "FLAGS_SOURCE",
    "INTERNAL_TOKEN",
    "OIDC_ISSUER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const SERVER_ONLY: [&str; 7] =
    ["ROLE", "SITE_ADDR", "FLAGS_SYNC_ADDR", "OPERATOR_TOKEN", "RATE_LIMIT", "TRUSTED_PROXIES", "OTEL_RESOURCE_ATTRIBUTES"];
const LOADGEN: [&str; 3] = ["TARGET_URL", "LOAD_PRESET", "REQUEST_RATE"];

const SECRETS: [&str; 3] = ["INTERNAL_TOKEN", "OPERATOR_TOKEN", "DATABASE_URL"];

/// What the secret's `database-url` leads to, as `docs/kubernetes.md` makes it.
const DATABASE: &str = "postgres:5432";

fn known(program: &str) -> BTreeSet<&'static str> {
    match program {
        "loadgen" => LOADGEN.into(),
        "server" => SERVICE.iter().filter(|name| **name != "LISTEN_ADDR").chain(&SERVER_ONLY).copied().collect(),
        _ => SERVICE.into(),
    }
}

/// The containers that run our programs: the first of every workload that is no store.
fn programs() -> impl Iterator<Item = (&'static str, &'static Value)> {
    workloads().filter(|workload| !STORES.contains(&name(workload))).map(|workload| (name(workload), &containers(workload)[0]))
}

/// The settings that are written out, by name.
fn plain(container: &Value) -> BTreeMap<&str, &str> {
    list(&container["env"]).iter().filter_map(|variable| Some((text(&variable["name"]), variable["value"].as_str()?))).collect()
}

#[test]
fn every_setting_is_one_that_its_program_knows() {
    for (program, container) in programs() {
        assert!(container["envFrom"].is_null(), "{program}: settings without names");
        for variable in list(&container["env"]) {
            assert!(known(program_of(container)).contains(text(&variable["name"])), "{program} does not know {}", variable["name"]);
        }
    }
}

/// The programs themselves are asked where they have been built before, as `cargo xtask test` does.
#[test]
fn every_setting_is_in_its_programs_help() {
    let Some(folder) = std::env::var_os("FEAST_BIN_DIR") else {
        println!("FEAST_BIN_DIR is not set: no program to ask");
        return;
    };
    for container in programs().map(|(_, container)| container) {
        let program = program_of(container);
        let output = Command::new(Path::new(&folder).join(program)).arg("--help").output();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
        // Help is wrapped to the width of a terminal.
        let help = String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        for variable in list(&container["env"]) {
            let variable = text(&variable["name"]);
            // OTEL_* is OpenTelemetry's own, and no flag.
            assert!(variable.starts_with("OTEL_") || help.contains(&format!("[env: {variable}")), "{program} --help has no {variable}");
        }
    }
}

#[test]
fn every_process_listens_on_its_port_for_all_of_the_pod_network() {
    let services = SERVICES.into_iter().map(|(service, port)| (service, port, "LISTEN_ADDR"));
    let servers = [("web", 3000, "SITE_ADDR"), ("console", 3000, "SITE_ADDR"), ("console", 8015, "FLAGS_SYNC_ADDR")];
    for (program, port, variable) in services.chain(servers) {
        let settings = plain(&containers(workload(program))[0]);
        assert_eq!(settings.get(variable), Some(&format!("0.0.0.0:{port}").as_str()), "{program}");
        assert_eq!(behind(program, port), Some((program, port)));
    }
}

#[test]
fn secrets_come_from_the_secret_that_the_operator_makes() {
    assert_eq!(crate::base::of_kind("Secret").count(), 0, "a secret in a repository is not one");
    for (program, container) in programs() {
        for variable in list(&container["env"]).iter().filter(|variable| SECRETS.contains(&text(&variable["name"]))) {
            let place = format!("{program}/{}", text(&variable["name"]));
            assert!(variable["value"].is_null(), "{place} is written out");
            let reference = &variable["valueFrom"]["secretKeyRef"];
            assert_eq!(reference["name"], "feast-secrets", "{place}");
            assert_eq!(text(&reference["key"]), text(&variable["name"]).to_lowercase().replace('_', "-"), "{place}");
            assert!(reference["optional"].is_null(), "{place} must not be left out");
        }
    }
    for service in processes() {
        let variables = list(&containers(workload(service))[0]["env"]);
        assert!(variables.iter().any(|variable| variable["name"] == "INTERNAL_TOKEN"), "{service} would not start off loopback");
    }
}

#[test]
fn one_program_has_its_role_from_its_settings_and_the_console_alone_knows_operators() {
    for role in ROLES {
        let container = &containers(workload(role))[0];
        assert_eq!((program_of(container), plain(container)["ROLE"]), ("server", role));
    }
    let knowing: Vec<&str> = programs()
        .filter(|(_, container)| list(&container["env"]).iter().any(|variable| variable["name"] == "OPERATOR_TOKEN"))
        .map(|(program, _)| program)
        .collect();
    assert_eq!(knowing, ["console"]);
    assert_eq!(plain(&containers(workload("web"))[0])["FLAGS_SOURCE"], "flagd://console:8015");
}

/// The secret is not here: how to make it is in the documentation.
#[test]
fn the_documentation_makes_every_key_of_the_secret() {
    let install = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/kubernetes.md")).unwrap();
    let mut keys = BTreeSet::new();
    for container in workloads().flat_map(containers) {
        let references = list(&container["env"]).iter().map(|variable| &variable["valueFrom"]["secretKeyRef"]);
        keys.extend(references.filter(|reference| reference["name"] == "feast-secrets").map(|reference| text(&reference["key"])));
    }
    assert_eq!(keys, BTreeSet::from(["database-password", "database-url", "internal-token", "operator-token"]));
    for key in keys {
        assert!(install.contains(&format!("--from-literal={key}=")), "nobody is told to make {key}");
    }
    let settings = plain(&containers(workload("postgres"))[0]);
    let (user, database) = (settings["POSTGRES_USER"], settings["POSTGRES_DB"]);
    let address = format!("--from-literal=database-url=\"postgres://{user}:$password@{DATABASE}/{database}\"");
    assert!(install.contains(&address) && install.contains("--from-literal=database-password=\"$password\""), "no {address}");
}

#[test]
fn an_issuer_of_tokens_is_asked_only_where_somebody_named_one() {
    let asking: Vec<_> = programs()
        .filter_map(|(program, container)| Some((program, list(&container["env"]).iter().find(|one| one["name"] == "OIDC_ISSUER")?)))
        .collect();
    assert_eq!(asking.iter().map(|(program, _)| *program).collect::<Vec<_>>(), ["user"]);
    assert_eq!(asking[0].1["valueFrom"]["configMapKeyRef"]["optional"], true);
}

#[test]
fn everybody_sends_telemetry_to_the_console_and_the_console_only_where_somebody_asked_for_it() {
    for (program, container) in programs().filter(|(program, _)| *program != "loadgen") {
        if program == "console" {
            let endpoint = list(&container["env"]).iter().find(|variable| variable["name"] == "OTEL_EXPORTER_OTLP_ENDPOINT");
            assert_eq!(endpoint.unwrap()["valueFrom"]["configMapKeyRef"]["optional"], true);
            continue;
        }
        let settings = plain(container);
        assert_eq!(settings["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://console:3000", "{program}");
        assert_eq!(settings["OTEL_EXPORTER_OTLP_HEADERS"], "authorization=Bearer%20$(INTERNAL_TOKEN)", "{program}");
        // The kubelet fills in what stands before.
        let at = |name: &str| list(&container["env"]).iter().position(|variable| variable["name"] == name).unwrap();
        assert!(at("INTERNAL_TOKEN") < at("OTEL_EXPORTER_OTLP_HEADERS"), "{program}");
    }
}

#[test]
fn files_that_settings_name_are_mounted() {
    for (program, container) in programs() {
        for (variable, value) in plain(container) {
            let Some(path) = value.strip_prefix("file:").or_else(|| value.strip_prefix("sqlite:")) else { continue };
            let mount = list(&container["volumeMounts"])
                .iter()
                .find(|mount| path.strip_prefix(text(&mount["mountPath"])).is_some_and(|rest| rest.starts_with('/')));
            let mount = mount.unwrap_or_else(|| panic!("{program}: {variable}={value} is on no volume"));
            if value.starts_with("file:") {
                let volumes = list(&pod(workload(program))["volumes"]);
                let map =
                    volumes.iter().find(|volume| volume["name"] == mount["name"]).and_then(|volume| volume["configMap"]["name"].as_str());
                let file = path.rsplit('/').next().unwrap();
                assert!(
                    named("ConfigMap", map.unwrap()).unwrap()["data"][file].is_string(),
                    "{program}: {variable}={value} is in no ConfigMap"
                );
            }
        }
    }
}

#[test]
fn the_flags_in_the_cluster_are_the_ones_in_the_repository() {
    let repository = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../flags/feast.flagd.json")).unwrap();
    let cluster = text(&named("ConfigMap", "feast-flags").unwrap()["data"]["feast.flagd.json"]);
    assert_eq!(cluster, repository);
    let parsed: Value = serde_json::from_str(cluster).unwrap();
    assert!(parsed["flags"].as_object().is_some_and(|flags| !flags.is_empty()));
}

#[test]
fn the_cart_is_told_its_flags_by_flagd_in_its_own_pod() {
    let cart = workload("cart");
    assert_eq!(plain(&containers(cart)[0])["FLAGS_SOURCE"], "flagd://127.0.0.1:8015");
    let flagd = containers(cart).iter().find(|container| container["name"] == "flagd").unwrap();
    assert_eq!(manifests::split_reference(text(&flagd["image"])).0, "ghcr.io/open-feature/flagd");
    let args: Vec<&str> = list(&flagd["args"]).iter().map(text).collect();
    assert!(args.windows(2).any(|pair| pair == ["--sync-port", "8015"]), "{args:?}");
    assert_eq!(container_port(cart, &Value::from("sync")), Some(8015));
    let file = flagd_sources(flagd).into_iter().find(|source| source["provider"] == "file").unwrap();
    let folder = list(&flagd["volumeMounts"]).iter().map(|mount| text(&mount["mountPath"])).next().unwrap();
    assert_eq!(text(&file["uri"]), format!("{folder}/feast.flagd.json"));
}

fn flagd_sources(flagd: &Value) -> Vec<Value> {
    let args = list(&flagd["args"]);
    let at = args.iter().position(|arg| arg == "--sources").unwrap();
    serde_json::from_str(text(&args[at + 1])).unwrap()
}

/// Everything that the settings name an address of: caller, called, port. An address that does not exist is a failure.
pub fn addressed() -> BTreeSet<(String, String, u64)> {
    let mut calls = BTreeSet::new();
    let mut call = |caller: &str, address: &str| {
        let (host, port) = address.rsplit_once(':').unwrap_or_else(|| panic!("{caller}: {address} has no port"));
        let (called, port) = behind(host, port.parse().unwrap()).unwrap_or_else(|| panic!("{caller}: there is no {address}"));
        calls.insert((caller.to_owned(), called.to_owned(), port));
    };
    for (program, container) in programs() {
        for (variable, value) in
            plain(container).into_iter().filter(|(variable, _)| variable.ends_with("_URL") || *variable == "FLAGS_SOURCE")
        {
            for one in value.split(',') {
                match one.split_once("://") {
                    Some(("flagd", loopback)) if loopback.starts_with("127.0.0.1:") => {
                        let port = loopback.rsplit(':').next().unwrap().parse::<u64>().unwrap();
                        assert!(container_port(workload(program), &Value::from(port)).is_some(), "{program}: nothing listens at {one}");
                    }
                    Some(("http" | "redis" | "flagd", address)) => call(program, address),
                    _ => assert!(one.starts_with("sqlite:") || one.starts_with("file:"), "{program}: {variable}={one}"),
                }
            }
        }
    }
    for workload in workloads() {
        for flagd in containers(workload).iter().filter(|container| container["name"] == "flagd") {
            for source in flagd_sources(flagd).iter().filter(|source| source["provider"] == "grpc") {
                call(name(workload), text(&source["uri"]));
            }
        }
    }
    for (program, container) in programs() {
        if list(&container["env"]).iter().any(|variable| variable["name"] == "DATABASE_URL") {
            call(program, DATABASE);
        }
    }
    calls
}
