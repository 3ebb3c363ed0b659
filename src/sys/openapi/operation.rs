//! One operation of a path.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::api::Operation;
use crate::engine::RouteInfo;
use crate::policy::Access;

use super::path::PathTemplate;

/// The HTTP method that OpenAPI knows an operation by; a list is a `get`, since `LIST` is no method of HTTP.
pub(super) fn method(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::Read | Operation::List | Operation::Scan => Some("get"),
        Operation::Write => Some("post"),
        Operation::Patch => Some("patch"),
        Operation::Delete => Some("delete"),
        Operation::Help => None,
    }
}

/// What an operation may say of who may ask for it: whether anyone may, and whether `sudo` is needed.
pub(super) const FLAGS: [&str; 2] = [UNAUTHENTICATED, SUDO];
const UNAUTHENTICATED: &str = "x-vault-unauthenticated";
const SUDO: &str = "x-vault-sudo";

/// The operation of `info` at `path`. `tag` is the kind of what answers.
pub(super) fn operation(
    info: &RouteInfo,
    path: &str,
    tag: &str,
    generator: &mut SchemaGenerator,
) -> Map<String, Value> {
    let route = info.route;
    let mut fields = Map::new();
    fields.insert("summary".to_owned(), route.summary.into());
    fields.insert("operationId".to_owned(), identifier(route.operation, path).into());
    fields.insert("tags".to_owned(), json!([tag]));
    let mut parameters = Vec::new();
    match route.operation {
        Operation::Read | Operation::Delete => parameters.extend(query(info, generator)),
        Operation::List => parameters.push(flag("list", route.operation)),
        Operation::Scan => parameters.push(flag("scan", route.operation)),
        Operation::Write | Operation::Patch => {
            let media =
                if route.operation == Operation::Patch { "application/merge-patch+json" } else { "application/json" };
            let schema = info.body_schema(generator);
            fields.insert("requestBody".to_owned(), json!({"content": {media: {"schema": schema}}}));
        }
        Operation::Help => {}
    }
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    let answer = match info.reply_schema(generator) {
        Some(schema) => json!({"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}),
        None => json!({"204": {"description": "empty body"}}),
    };
    fields.insert("responses".to_owned(), answer);
    match route.access {
        Access::Public => fields.insert(UNAUTHENTICATED.to_owned(), true.into()),
        Access::Sudo => fields.insert(SUDO.to_owned(), true.into()),
        Access::Policy | Access::AnyToken => None,
    };
    fields
}

/// The parameters of the path itself.
pub(super) fn path_parameters(
    info: &RouteInfo,
    template: &PathTemplate,
    generator: &mut SchemaGenerator,
) -> Vec<Value> {
    template.described(info, generator)
}

/// The schema that a reference to a definition stands for.
pub(super) fn resolved(schema: Schema, generator: &SchemaGenerator) -> Schema {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|text| text.rsplit_once('/')).map(|(_, name)| name);
    let definition = name.and_then(|name| generator.definitions().get(name)).cloned();
    definition.and_then(|definition| Schema::try_from(definition).ok()).unwrap_or(schema)
}

/// The fields of a read's query.
fn query(info: &RouteInfo, generator: &mut SchemaGenerator) -> Vec<Value> {
    let body = info.body_schema(generator);
    let schema = resolved(body, generator);
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let parameters = properties.into_iter().map(|(name, mut property)| {
        let description = property.as_object_mut().and_then(|fields| fields.remove("description"));
        json!({"name": name, "in": "query", "description": description.unwrap_or_else(|| "".into()), "schema": property})
    });
    parameters.collect()
}

fn flag(name: &str, operation: Operation) -> Value {
    let description = format!("Must be set to `true` to {} instead of reading.", operation.as_str());
    json!({"name": name, "in": "query", "description": description, "schema": {"type": "string"}})
}

/// A name for an operation, of letters, digits and dashes.
fn identifier(operation: Operation, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let verb = match operation {
        Operation::Write => "write",
        other @ (Operation::Read
        | Operation::Patch
        | Operation::Delete
        | Operation::List
        | Operation::Scan
        | Operation::Help) => other.as_str(),
    };
    std::iter::once(verb).chain(words).collect::<Vec<_>>().join("-")
}
