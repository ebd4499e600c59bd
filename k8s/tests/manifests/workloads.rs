//! How pods run: probes, limits, rights, images, and what scales and protects them.

use crate::base::{STORES, container_port, containers, list, name, named, of_kind, pod, processes, selects, text, workload, workloads};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Serves nothing, so nothing can be asked.
const WITHOUT_PROBES: [&str; 1] = ["loadgen"];

fn each_container(mut check: impl FnMut(&str, &Value)) {
    for workload in workloads() {
        for container in containers(workload) {
            check(&format!("{}/{}", name(workload), text(&container["name"])), container);
        }
    }
}

#[test]
fn what_exists_is_deployed() {
    let have: BTreeSet<&str> = workloads().map(name).collect();
    assert_eq!(have, processes().chain(STORES).chain(["loadgen"]).collect());
}

#[test]
fn every_container_is_probed_for_start_life_and_readiness() {
    for workload in workloads().filter(|workload| !WITHOUT_PROBES.contains(&name(workload))) {
        for container in containers(workload) {
            for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let place = format!("{}/{}/{probe}", name(workload), text(&container["name"]));
                let probe = &container[probe];
                assert!(probe.is_object(), "{place} is missing");
                assert!(probe["httpGet"].is_object() ^ probe["exec"].is_object(), "{place} asks in no way or in two");
                if probe["httpGet"].is_object() {
                    assert!(list(&container["ports"]).iter().any(|port| port["name"] == probe["httpGet"]["port"]), "{place}: no such port");
                }
            }
        }
    }
}

#[test]
fn our_processes_are_alive_at_health_and_ready_at_ready() {
    for service in processes() {
        let container = &containers(workload(service))[0];
        assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/health", "{service}");
        assert_eq!(container["startupProbe"]["httpGet"]["path"], "/health", "{service}");
        assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/ready", "{service}");
    }
}

#[test]
fn every_container_states_requests_within_limits() {
    each_container(|place, container| {
        for resource in ["cpu", "memory"] {
            let amount = |which: &str| amount(text(&container["resources"][which][resource]));
            assert!(amount("requests") > 0, "{place} requests no {resource}");
            assert!(amount("requests") <= amount("limits"), "{place}: {resource}");
        }
    });
}

/// Thousandths of a core, or mebibytes.
fn amount(text: &str) -> u64 {
    let digits = text.strip_suffix("Mi").or_else(|| text.strip_suffix('m')).unwrap_or_else(|| panic!("{text} has no unit known here"));
    digits.parse().unwrap()
}

#[test]
fn every_pod_runs_without_rights_and_without_a_token() {
    for workload in workloads() {
        let (place, pod) = (name(workload), pod(workload));
        let security = &pod["securityContext"];
        assert_eq!(security["runAsNonRoot"], true, "{place}");
        // PostgreSQL makes its data folder only as a user that its image has a name for.
        let user = if place == "postgres" { 999 } else { 1001 };
        for id in ["runAsUser", "runAsGroup", "fsGroup"] {
            assert_eq!(security[id], user, "{place}/{id}");
        }
        assert_eq!(security["seccompProfile"], json!({"type": "RuntimeDefault"}), "{place}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{place}");
        assert_eq!(pod["enableServiceLinks"], false, "{place}: Kubernetes would add environment variables of its own");
        assert_eq!(pod["serviceAccountName"], place, "{place} has no account of its own");
        let account = named("ServiceAccount", place).unwrap_or_else(|| panic!("{place}: no such account"));
        assert_eq!(account["automountServiceAccountToken"], false, "{place}");
        for shared in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(pod[shared].is_null(), "{place}/{shared}");
        }
    }
    each_container(|place, container| {
        let rights = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
        assert_eq!(container["securityContext"], rights, "{place}");
    });
}

#[test]
fn the_namespace_enforces_the_restricted_standard() {
    let labels = &named("Namespace", "feast-flow").unwrap()["metadata"]["labels"];
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
}

#[test]
fn every_mount_has_its_volume_and_every_volume_its_mount() {
    for workload in workloads() {
        let claims = list(&workload["spec"]["volumeClaimTemplates"]).iter().map(|claim| text(&claim["metadata"]["name"]));
        let volumes: BTreeSet<&str> = list(&pod(workload)["volumes"]).iter().map(|volume| text(&volume["name"])).chain(claims).collect();
        let mounts: BTreeSet<&str> =
            containers(workload).iter().flat_map(|one| list(&one["volumeMounts"])).map(|mount| text(&mount["name"])).collect();
        assert_eq!(volumes, mounts, "{}", name(workload));
        for map in list(&pod(workload)["volumes"]).iter().filter_map(|volume| volume["configMap"]["name"].as_str()) {
            assert!(named("ConfigMap", map).is_some(), "{}: there is no ConfigMap {map}", name(workload));
        }
    }
}

#[test]
fn our_processes_have_a_place_for_temporary_files() {
    for service in processes().chain(["loadgen"]) {
        let mounts = list(&containers(workload(service))[0]["volumeMounts"]);
        assert!(mounts.iter().any(|mount| mount["mountPath"] == "/tmp"), "{service}: the root file system is read-only");
    }
}

#[test]
fn images_are_pinned_and_ours_are_of_this_version() {
    each_container(|place, container| {
        let image = text(&container["image"]);
        let (image_name, tag) = manifests::split_reference(image);
        let tag = tag.unwrap_or_else(|| panic!("{place}: {image} has no tag"));
        assert_ne!(tag, "latest", "{place}");
        // A release of PostgreSQL has two numbers.
        let numbers = if image_name == "postgres" { 2 } else { 3 };
        let release = tag.split('-').next().unwrap_or_default().trim_start_matches('v');
        assert!(
            release.split('.').filter(|number| number.parse::<u32>().is_ok()).count() == numbers,
            "{place}: {image} moves on by itself"
        );
        if let Some(ours) = image_name.strip_prefix("feast-flow/") {
            assert!(place.ends_with(&format!("/{ours}")), "{place} runs {image}");
            assert_eq!(tag, env!("CARGO_PKG_VERSION"), "{place}");
        }
    });
}

#[test]
fn every_service_leads_to_a_port_of_a_workload() {
    for service in of_kind("Service") {
        let behind: Vec<_> = workloads().filter(|workload| selects(&service["spec"]["selector"], workload)).collect();
        assert_eq!(behind.len(), 1, "{} selects {} workloads", name(service), behind.len());
        for port in list(&service["spec"]["ports"]) {
            assert!(container_port(behind[0], &port["targetPort"]).is_some(), "{}: {port} leads nowhere", name(service));
        }
    }
}

#[test]
fn selectors_match_the_pods_they_are_for() {
    for workload in workloads() {
        assert!(selects(&workload["spec"]["selector"]["matchLabels"], workload), "{} does not own its pods", name(workload));
    }
}

#[test]
fn one_writer_at_a_time_has_each_file() {
    for workload in workloads().filter(|workload| !list(&workload["spec"]["volumeClaimTemplates"]).is_empty()) {
        assert_eq!(workload["kind"], "StatefulSet", "{}", name(workload));
        assert_eq!(workload["spec"]["replicas"], 1, "{}", name(workload));
        assert!(named("HorizontalPodAutoscaler", name(workload)).is_none(), "{}", name(workload));
        let service = text(&workload["spec"]["serviceName"]);
        assert!(named("Service", service).is_some(), "{}: there is no Service {service}", name(workload));
    }
}

/// What an autoscaler sets the replicas of.
const SCALED: [&str; 4] = ["cart", "menu", "middleware", "web"];

/// Two of each, so that one may end at any time.
const DOUBLED: [&str; 5] = ["order", "user", "payment", "delivery", "notification"];

#[test]
fn what_scales_leaves_its_replicas_to_the_autoscaler() {
    let mut scaled = BTreeSet::new();
    for scaler in of_kind("HorizontalPodAutoscaler") {
        let target = &scaler["spec"]["scaleTargetRef"];
        let deployment = named("Deployment", text(&target["name"])).unwrap_or_else(|| panic!("{target} does not exist"));
        assert_eq!(target["kind"], "Deployment");
        assert_eq!(target["apiVersion"], deployment["apiVersion"]);
        assert!(deployment["spec"]["replicas"].is_null(), "{}: two would set the replicas", name(deployment));
        let (low, high) = (scaler["spec"]["minReplicas"].as_u64().unwrap(), scaler["spec"]["maxReplicas"].as_u64().unwrap());
        assert!(2 <= low && low < high, "{}: {low} to {high}", name(deployment));
        scaled.insert(name(deployment));
    }
    assert_eq!(scaled, BTreeSet::from(SCALED));
    for workload in workloads().filter(|workload| !scaled.contains(name(workload))) {
        let replicas = if DOUBLED.contains(&name(workload)) { 2 } else { 1 };
        assert_eq!(workload["spec"]["replicas"], replicas, "{}", name(workload));
    }
}

#[test]
fn what_has_replicas_keeps_all_but_one_through_maintenance_and_releases() {
    for replicated in SCALED.into_iter().chain(DOUBLED) {
        let deployment = named("Deployment", replicated).unwrap_or_else(|| panic!("{replicated} is no Deployment"));
        let budget = named("PodDisruptionBudget", replicated).unwrap_or_else(|| panic!("{replicated} has no budget"));
        assert!(selects(&budget["spec"]["selector"]["matchLabels"], deployment), "{replicated}");
        assert_eq!(budget["spec"]["maxUnavailable"], 1, "{replicated}");
        let rolling = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
        assert_eq!(deployment["spec"]["strategy"], rolling, "{replicated}");
    }
    assert_eq!(of_kind("PodDisruptionBudget").count(), SCALED.len() + DOUBLED.len());
}

/// Two of them would have two sets of flags.
#[test]
fn there_is_never_more_than_one_console() {
    let spec = &workload("console")["spec"];
    assert_eq!((&spec["replicas"], &spec["strategy"]), (&json!(1), &json!({"type": "Recreate"})));
}

#[test]
fn redis_keeps_everything_or_says_so() {
    let args: Vec<&str> = list(&containers(workload("redis"))[0]["args"]).iter().map(text).collect();
    let value = |option: &str| args.iter().position(|arg| *arg == option).and_then(|at| args.get(at + 1)).copied();
    assert_eq!(value("--appendonly"), Some("yes"));
    assert_eq!(value("--appendfsync"), Some("everysec"));
    assert_eq!(value("--maxmemory-policy"), Some("noeviction"));
    assert_eq!(value("--dir"), Some("/data"));
}

/// Beside its pool of four, a process has a connection for each of its writers, of which payment has three.
const CONNECTIONS: u64 = 7;

/// What PostgreSQL keeps for its administrator.
const RESERVED: u64 = 3;

#[test]
fn postgres_has_a_connection_for_everybody_at_the_highest_number_of_replicas() {
    let uses_it = |workload: &&Value| list(&containers(workload)[0]["env"]).iter().any(|variable| variable["name"] == "DATABASE_URL");
    let processes: u64 = workloads()
        .filter(uses_it)
        .map(|workload| {
            let scaler = named("HorizontalPodAutoscaler", name(workload)).and_then(|scaler| scaler["spec"]["maxReplicas"].as_u64());
            // And the one more of a release that rolls.
            scaler.or(workload["spec"]["replicas"].as_u64()).unwrap() + 1
        })
        .sum();
    let args: Vec<&str> = list(&containers(workload("postgres"))[0]["args"]).iter().map(text).collect();
    let room = args.iter().find_map(|arg| arg.strip_prefix("max_connections=")).and_then(|room| room.parse::<u64>().ok()).unwrap();
    assert!(processes * CONNECTIONS + RESERVED <= room, "{processes} processes, {room} connections");
}

#[test]
fn postgres_keeps_its_data_on_its_volume_and_writes_only_where_it_may() {
    let container = &containers(workload("postgres"))[0];
    let mounts: Vec<&str> = list(&container["volumeMounts"]).iter().map(|mount| text(&mount["mountPath"])).collect();
    assert_eq!(mounts, ["/var/lib/postgresql/data", "/var/run/postgresql", "/tmp"]);
    let folder = list(&container["env"]).iter().find(|variable| variable["name"] == "PGDATA").unwrap();
    // A folder of its own: that of a volume belongs to root, and PostgreSQL refuses it.
    assert!(text(&folder["value"]).starts_with(&format!("{}/", mounts[0])));
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let command = list(&container[probe]["exec"]["command"]);
        assert!(command.iter().any(|word| word == "--host=127.0.0.1"), "{probe}: the socket answers before the data folder is made");
    }
}
