//! Renders the kustomize base of this folder the way `kubectl kustomize` does, so that the tests can read what a
//! cluster would be given on a machine that has neither kubectl nor a network.
//!
//! It knows the few features the base uses and refuses every other one by name: nothing is skipped in silence.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The services and their ports.
pub const SERVICES: [(&str, u64); 8] = [
    ("order", 3001),
    ("middleware", 3002),
    ("cart", 3003),
    ("menu", 3004),
    ("user", 3005),
    ("payment", 3006),
    ("delivery", 3007),
    ("notification", 3008),
];

/// What a `kustomization.yaml` may say here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kustomization {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    namespace: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    labels: Vec<Labels>,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    config_map_generator: Vec<ConfigMap>,
}

/// Labels for every object's own metadata; neither selectors nor pod templates are touched.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    pairs: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Image {
    name: String,
    new_name: Option<String>,
    new_tag: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigMap {
    name: String,
    files: Vec<String>,
    options: GeneratorOptions,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct GeneratorOptions {
    disable_name_suffix_hash: bool,
}

/// Every object of the kustomization in `folder`, complete, in the order of its files.
///
/// # Errors
/// A file is missing or is not YAML, or the kustomization asks for something this renderer does not know.
pub fn render(folder: &Path) -> Result<Vec<Value>> {
    let file = folder.join("kustomization.yaml");
    let this: Kustomization = serde_yaml_ng::from_str(&read(&file)?).with_context(|| format!("{} is not understood", file.display()))?;

    let mut objects = Vec::new();
    for resource in &this.resources {
        let path = folder.join(resource);
        if path.is_dir() {
            objects.extend(render(&path)?);
        } else {
            objects.extend(documents(&path)?);
        }
    }
    for generator in &this.config_map_generator {
        objects.push(config_map(folder, generator)?);
    }
    for object in &mut objects {
        if let Some(namespace) = &this.namespace {
            set_namespace(object, namespace)?;
        }
        for labels in &this.labels {
            add_labels(object, &labels.pairs)?;
        }
        set_images(object, &this.images);
    }
    Ok(objects)
}

/// `Kind/name`, for messages and comparisons.
pub fn identity(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
    format!("{}/{}", text("/kind"), text("/metadata/name"))
}

/// The documents of a YAML text; empty ones are left out.
///
/// # Errors
/// The text is not YAML; a key stands twice.
pub fn parse(yaml: &str) -> Result<Vec<Value>> {
    let mut documents = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(yaml) {
        // By way of YAML's own value: it refuses a key that stands twice, JSON's would keep the last.
        let document = serde_yaml_ng::Value::deserialize(document)?;
        if !document.is_null() {
            documents.push(serde_json::to_value(document)?);
        }
    }
    Ok(documents)
}

fn documents(path: &Path) -> Result<Vec<Value>> {
    parse(&read(path)?).with_context(|| format!("{} is not YAML", path.display()))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn config_map(folder: &Path, generator: &ConfigMap) -> Result<Value> {
    if !generator.options.disable_name_suffix_hash {
        bail!("ConfigMap {}: a name suffix by content hash is not rendered here", generator.name);
    }
    let mut data = Map::new();
    for file in &generator.files {
        // kustomize reads no file outside its own folder; a link out of it counts as outside.
        if file.contains('/') || file.contains('=') {
            bail!("ConfigMap {}: {file} is not a plain file name of the folder", generator.name);
        }
        data.insert(file.clone(), Value::String(read(&folder.join(file))?));
    }
    Ok(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator.name}, "data": data}))
}

fn metadata(object: &mut Value) -> Result<&mut Map<String, Value>> {
    let name = identity(object);
    object.get_mut("metadata").and_then(Value::as_object_mut).with_context(|| format!("{name} has no metadata"))
}

fn set_namespace(object: &mut Value, namespace: &str) -> Result<()> {
    let key = if object["kind"] == "Namespace" { "name" } else { "namespace" };
    metadata(object)?.insert(key.to_owned(), json!(namespace));
    Ok(())
}

fn add_labels(object: &mut Value, pairs: &BTreeMap<String, String>) -> Result<()> {
    let labels = metadata(object)?.entry("labels").or_insert_with(|| json!({}));
    for (key, value) in pairs {
        labels[key] = json!(value);
    }
    Ok(())
}

/// Gives every container whose image is named in `images` its full reference.
fn set_images(value: &mut Value, images: &[Image]) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                match field.as_array_mut() {
                    Some(containers) if key == "containers" || key == "initContainers" => {
                        containers.iter_mut().for_each(|container| set_image(container, images));
                    }
                    _ => set_images(field, images),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| set_images(item, images)),
        _ => {}
    }
}

fn set_image(container: &mut Value, images: &[Image]) {
    let Some(current) = container["image"].as_str() else { return };
    let (name, tag) = split_reference(current);
    let Some(image) = images.iter().find(|image| image.name == name) else { return };
    let name = image.new_name.as_deref().unwrap_or(name);
    container["image"] = match image.new_tag.as_deref().or(tag) {
        Some(tag) => json!(format!("{name}:{tag}")),
        None => json!(name),
    };
}

/// The name and the tag of an image reference: `("redis", Some("7"))` of `redis:7`. A colon before the last slash is a port.
pub fn split_reference(image: &str) -> (&str, Option<&str>) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (image, None),
    }
}
