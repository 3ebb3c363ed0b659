//! The paths of routes, as OpenAPI writes them.

use serde_json::{Value, json};

use crate::engine::{RouteInfo, parameter_name};

/// A route's path with the parameters that are in it: `data/{path..}` is `data/{path}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PathTemplate {
    /// The path, without a slash at its start.
    pub(super) text: String,
    /// The names of its parameters, in order.
    pub(super) parameters: Vec<String>,
}

impl PathTemplate {
    /// The template of a route's pattern.
    pub(super) fn of(pattern: &str) -> Self {
        let mut parameters = Vec::new();
        let segments = pattern.split('/').map(|segment| {
            let Some(inner) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                return segment.to_owned();
            };
            let name = parameter_name(inner);
            parameters.push(name.to_owned());
            format!("{{{name}}}")
        });
        let text = segments.collect::<Vec<_>>().join("/");
        Self { text, parameters }
    }

    /// The parameters as OpenAPI lists them, with the descriptions of the route's own schema.
    pub(super) fn described(&self, info: &RouteInfo, generator: &mut schemars::SchemaGenerator) -> Vec<Value> {
        let schema = super::operation::resolved(info.path_schema(generator), generator);
        let parameters = self.parameters.iter().map(|name| {
            let property = schema.get("properties").and_then(|properties| properties.get(name));
            let description = property.and_then(|property| property.get("description")).cloned();
            json!({
                "name": name,
                "in": "path",
                "required": true,
                "description": description.unwrap_or_else(|| "".into()),
                "schema": {"type": "string"},
            })
        });
        parameters.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_plain_names() {
        let template = PathTemplate::of("users/{username:lower}/data/{path..}");
        assert_eq!(template.text, "users/{username}/data/{path}");
        assert_eq!(template.parameters, ["username", "path"]);
        assert_eq!(PathTemplate::of("policies/acl/{name..:lower}").text, "policies/acl/{name}");
    }
}
