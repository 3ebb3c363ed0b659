//! `?help=1`: what a path is for, for people and (as OpenAPI) for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use crate::api::Operation;
use crate::engine::{Answer, Content, Payload, Resolved, Role, RouteInfo, StatusCode};
use crate::error::{Error, Result};
use crate::mount::MountEntry;
use crate::sys::openapi::{Document, Section, document};
use crate::sys::{Route, Routed};

use super::Pipeline;
use super::request::Request;
use super::response::Response;

/// What can be done on a path, in the order of its help.
const OPERATIONS: [Operation; 6] =
    [Operation::Read, Operation::List, Operation::Scan, Operation::Write, Operation::Patch, Operation::Delete];

/// A text, and the same as a document.
#[derive(Debug)]
struct Help {
    text: String,
    document: Document,
}

impl Pipeline {
    /// The help of the path that was asked for: of a mount where it names one, of its endpoints otherwise.
    pub(super) fn help(&self, request: &Request, route: &Route) -> Result<Response> {
        let (Some(target), Some(point)) = (&route.target, route.target.as_ref().and_then(Routed::point)) else {
            let path = route.canonical.as_str();
            return Err(Error::not_found(format!("no handler for route {path:?}. route entry not found.")));
        };
        let path = format!("{}/", request.path.as_str().trim_end_matches('/'));
        let rest = path.strip_prefix(&point.entry.path).unwrap_or_default().trim_end_matches('/');
        let help = if rest.is_empty() {
            of_mount(&point.entry, self.infos(target))
        } else {
            of_path(rest, OPERATIONS.iter().filter_map(|operation| self.info(target, *operation, rest)).collect())?
        };
        let payload = Payload::of(&json!({ "help": help.text, "openapi": help.document, "see_also": null }))?;
        let content = Content::Raw { media_type: "application/json", payload };
        Response::bare(Answer { status: StatusCode::OK, content, warnings: Vec::new() })
    }

    /// The endpoint for `operation` on a path below a mount.
    fn info(&self, target: &Routed, operation: Operation, rest: &str) -> Option<RouteInfo> {
        let turning = || self.router.turning.resolve(operation, rest);
        let resolved = match target {
            Routed::Turning => turning(),
            Routed::System(_) => match self.router.system.resolve(operation, rest) {
                Resolved::Found(hit) => Resolved::Found(hit),
                Resolved::OtherOperation | Resolved::Nothing => turning(),
            },
            Routed::Token(_) => self.router.token.resolve(operation, rest),
            Routed::Identity(_) => self.router.identity.resolve(operation, rest),
            Routed::Unopened(_) => Resolved::Nothing,
            Routed::Engine(_, engine) => engine.resolve(operation, rest),
        };
        match resolved {
            Resolved::Found(hit) => Some(hit.info),
            Resolved::OtherOperation | Resolved::Nothing => None,
        }
    }

    /// Every endpoint of a mount.
    fn infos(&self, target: &Routed) -> Vec<RouteInfo> {
        match target {
            Routed::Turning | Routed::System(_) => {
                self.router.system.infos().into_iter().chain(self.router.turning.infos()).collect()
            }
            Routed::Token(_) => self.router.token.infos(),
            Routed::Identity(_) => self.router.identity.infos(),
            Routed::Unopened(_) => Vec::new(),
            Routed::Engine(_, engine) => engine.infos(),
        }
    }
}

fn of_mount(entry: &MountEntry, routes: Vec<RouteInfo>) -> Help {
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for info in &routes {
        paths.entry(info.route.pattern).or_default().push(info.route.summary);
    }
    let mut text = format!("## DESCRIPTION\n\nWhat is mounted at {} is of the type {}.\n\n", entry.path, entry.kind);
    text.push_str("## PATHS\n\nThese are the paths below it; `path-help` of one of them says more.\n");
    for (path, summaries) in paths {
        let _ = write!(text, "\n    {path}\n");
        for summary in summaries {
            let _ = writeln!(text, "        {summary}");
        }
    }
    let tag = match entry.role {
        Role::Secret => "secrets",
        Role::Auth => "auth",
    };
    Help { text, document: document(&[Section { mount: String::new(), tag, routes }]) }
}

/// The help of a path below a mount: `routes` are its endpoints.
fn of_path(path: &str, routes: Vec<RouteInfo>) -> Result<Help> {
    let first = routes.first().ok_or_else(|| Error::not_found("1 error occurred:\n\t* unsupported path\n\n"))?;
    let mut text = format!("Request:        {path}\nMatching Route: {}\n\n## OPERATIONS\n", first.route.pattern);
    for RouteInfo { route, .. } in &routes {
        let _ = write!(text, "\n    {}\n        {}\n", route.operation.as_str(), route.summary);
    }
    let parameters: BTreeMap<String, Parameter> = routes.iter().flat_map(parameters).collect();
    if !parameters.is_empty() {
        text.push_str("\n## PARAMETERS\n");
    }
    for (name, Parameter { kind, description }) in parameters {
        let _ = write!(text, "\n    {name} ({kind})\n");
        for line in description.lines() {
            let _ = writeln!(text, "        {line}");
        }
    }
    Ok(Help { text, document: document(&[Section { mount: String::new(), tag: "path", routes }]) })
}

#[derive(Debug, PartialEq, Eq)]
struct Parameter {
    kind: String,
    description: String,
}

/// What an endpoint takes, in its path and in its body or query.
fn parameters(info: &RouteInfo) -> Vec<(String, Parameter)> {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut generator: SchemaGenerator = settings.into_generator();
    let schemas = [info.body_schema(&mut generator), info.path_schema(&mut generator)];
    schemas.iter().flat_map(properties).collect()
}

fn properties(schema: &Schema) -> Vec<(String, Parameter)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let described = properties.into_iter().flatten().map(|(name, property)| {
        let description = property.get("description").and_then(Value::as_str).unwrap_or_default();
        (name.clone(), Parameter { kind: kind(property).to_owned(), description: description.to_owned() })
    });
    described.collect()
}

/// The type of a value; where it may have several, the first that is something.
fn kind(property: &Value) -> &str {
    let named = match property.get("type") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        Some(one) => one.as_str(),
        None => None,
    };
    named.unwrap_or("any")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_of_a_path_names_its_operations_and_what_they_take() {
        let routes = crate::sys::token_routes();
        let found = OPERATIONS.iter().filter_map(|operation| match routes.resolve(*operation, "roles/web") {
            Resolved::Found(hit) => Some(hit.info),
            Resolved::OtherOperation | Resolved::Nothing => None,
        });
        let help = of_path("roles/web", found.collect()).unwrap();
        for wanted in
            ["Request:        roles/web", "Matching Route: roles/{", "\n    read\n", "\n    write\n", "\n    delete\n"]
        {
            assert!(help.text.contains(wanted), "{wanted:?} is not in {}", help.text);
        }
        assert!(help.text.contains("    orphan (boolean)\n"), "{}", help.text);
        let document = serde_json::to_value(&help.document).unwrap();
        assert_eq!(document["paths"].as_object().unwrap().len(), 1);
    }

    #[test]
    fn nothing_has_no_help() {
        let error = of_path("nothing", Vec::new()).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::NotFound);
    }

    #[test]
    fn a_type_that_may_be_null_is_what_else_it_may_be() {
        assert_eq!(kind(&json!({"type": ["null", "string"]})), "string");
        assert_eq!(kind(&json!({"type": "integer"})), "integer");
        assert_eq!(kind(&json!({})), "any");
    }
}
