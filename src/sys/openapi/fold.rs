//! Folds routes into the document.

use std::collections::BTreeMap;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::engine::RouteInfo;

use super::operation::{FLAGS, method, operation, path_parameters};
use super::path::PathTemplate;

/// What answers below one mount.
#[derive(Debug)]
pub(crate) struct Section {
    /// Where: `sys/`, `auth/userpass/`.
    pub(crate) mount: String,
    /// What: `system`, `auth`, `secrets`.
    pub(crate) tag: &'static str,
    /// Its routes.
    pub(crate) routes: Vec<RouteInfo>,
}

/// The document.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Document {
    /// The version of OpenAPI.
    openapi: &'static str,
    info: Info,
    /// Operations by path.
    paths: BTreeMap<String, Map<String, Value>>,
    components: Components,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Info {
    title: &'static str,
    description: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Components {
    schemas: Map<String, Value>,
}

/// The document of what answers in `sections`.
pub(crate) fn document(sections: &[Section]) -> Document {
    let mut generator = SchemaSettings::openapi3().into_generator();
    let mut paths = BTreeMap::new();
    for section in sections {
        for info in &section.routes {
            add(section, info, &mut paths, &mut generator);
        }
    }
    paths.values_mut().for_each(flag);
    Document {
        openapi: "3.0.3",
        info: Info {
            title: "Arca API",
            description: "HTTP API of the Arca secrets vault. All API routes are prefixed with `/v1/`.",
            version: crate::sys::VERSION,
        },
        paths,
        components: Components { schemas: generator.take_definitions(true) },
    }
}

/// Adds one route. Of two that share a path and a method (a read and a list) the first one describes it, and the other
/// adds its parameters.
fn add(
    section: &Section,
    info: &RouteInfo,
    paths: &mut BTreeMap<String, Map<String, Value>>,
    generator: &mut SchemaGenerator,
) {
    let Some(method) = method(info.route.operation) else { return };
    let template = PathTemplate::of(info.route.pattern);
    let path = format!("/{}{}", section.mount, template.text);
    let path = path.trim_end_matches('/').to_owned();
    let described = operation(info, &path, section.tag, generator);
    let parameters = path_parameters(info, &template, generator);
    let item = paths.entry(path).or_insert_with(|| {
        let mut item = Map::new();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), json!(parameters));
        }
        item
    });
    match item.get_mut(method).and_then(Value::as_object_mut) {
        None => drop(item.insert(method.to_owned(), Value::Object(described))),
        Some(known) => merge_parameters(known, described),
    }
}

/// Says of a path what all of its operations say: clients of Vault look there.
fn flag(item: &mut Map<String, Value>) {
    for name in FLAGS {
        let mut operations = item.values().filter_map(Value::as_object).peekable();
        if operations.peek().is_some() && operations.all(|operation| operation.get(name) == Some(&Value::Bool(true))) {
            item.insert(name.to_owned(), true.into());
        }
    }
}

fn merge_parameters(known: &mut Map<String, Value>, other: Map<String, Value>) {
    let mut parameters = other.into_iter().filter(|(name, _)| name == "parameters").map(|(_, value)| value);
    let Some(Value::Array(mut added)) = parameters.next() else { return };
    let present = known.entry("parameters").or_insert_with(|| json!([]));
    if let Some(present) = present.as_array_mut() {
        added.retain(|parameter| !present.iter().any(|other| other.get("name") == parameter.get("name")));
        present.append(&mut added);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_to_a_definition() {
        let routes = crate::sys::routes().infos().into_iter().chain(crate::sys::vault_routes().infos());
        let section = Section { mount: "sys/".to_owned(), tag: "system", routes: routes.collect() };
        let document = serde_json::to_value(document(&[section])).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let text = document.to_string();
        let mut seen = 0;
        for part in text.split("\"$ref\":\"").skip(1) {
            let target = part.split('"').next().unwrap();
            let name = target.strip_prefix("#/components/schemas/").unwrap_or_else(|| panic!("{target}"));
            assert!(schemas.contains_key(name), "{name}");
            seen += 1;
        }
        assert!(seen > 20, "{seen}");
        assert_eq!(document["paths"]["/sys/mounts/{path}"]["post"]["operationId"], "write-sys-mounts-path");
        let sudo = &document["paths"]["/sys/remount"];
        assert_eq!((&sudo["x-vault-sudo"], &sudo["post"]["x-vault-sudo"]), (&json!(true), &json!(true)));
        let open = &document["paths"]["/sys/seal-status"];
        assert_eq!(open["x-vault-unauthenticated"], true);
        assert_eq!(open["get"]["x-vault-unauthenticated"], true);
        assert_eq!(document["paths"]["/sys/mounts"].get("x-vault-sudo"), None);
    }

    #[test]
    fn a_read_and_a_list_share_one_operation() {
        let section = Section { mount: "sys/".to_owned(), tag: "system", routes: crate::sys::routes().infos() };
        let document = serde_json::to_value(document(&[section])).unwrap();
        let get = &document["paths"]["/sys/policies/password"]["get"];
        assert_eq!(get["parameters"][0]["name"], "list");
        let ids: Vec<&str> = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| {
                item.as_object().unwrap().values().filter_map(|operation| operation.get("operationId")?.as_str())
            })
            .collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len(), "every operation has a name of its own");
    }
}
