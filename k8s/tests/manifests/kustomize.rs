//! Our renderer against the real one, where there is one.

use crate::base::{OBJECTS, folder};
use manifests::identity;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// Without kubectl on the machine there is nothing to compare with; the other tests do not depend on it.
#[test]
fn the_renderer_gives_what_kubectl_gives() {
    let Ok(output) = Command::new("kubectl").arg("kustomize").arg(folder()).output() else {
        println!("kubectl is not installed: compared with nothing");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs = manifests::parse(&String::from_utf8(output.stdout).unwrap()).unwrap();
    let by_identity = |objects: &[Value]| objects.iter().map(|object| (identity(object), object.clone())).collect::<BTreeMap<_, _>>();
    let (ours, theirs) = (by_identity(&OBJECTS), by_identity(&theirs));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (identity, object) in &ours {
        assert_eq!(object, &theirs[identity], "{identity}");
    }
}
