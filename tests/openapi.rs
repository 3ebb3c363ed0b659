//! Every path and operation that the server has, as a list that is under review: `tests/openapi.snap`. After a change that
//! is meant, write it anew with `ARCA_UPDATE_SNAPSHOTS=1 cargo nextest run --test integration openapi`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use arca::engine::{Role, RouteInfo};
use arca::policy::Access;
use schemars::SchemaGenerator;

use crate::authz::{mount_everything, place};
use crate::support::TestVault;

/// All routes, each with the mount that it is below: a kind in angle brackets stands for wherever it is mounted.
pub(crate) fn routes() -> Vec<(String, RouteInfo)> {
    let mut all = Vec::new();
    let mut add =
        |mount: &str, infos: Vec<RouteInfo>| all.extend(infos.into_iter().map(|info| (mount.to_owned(), info)));
    add("sys/", arca::sys::vault_routes().infos());
    add("sys/", arca::sys::routes().infos());
    add("auth/token/", arca::sys::token_routes().infos());
    add("identity/", arca::sys::identity_routes().infos());
    for kind in arca::engines::kinds().into_iter().chain(arca::auth::kinds()) {
        let mount = match (kind.role, kind.name) {
            (Role::Secret, "cubbyhole") => "cubbyhole/".to_owned(),
            (Role::Secret, name) => format!("<{name}>/"),
            (Role::Auth, name) => format!("auth/<{name}>/"),
        };
        add(&mount, kind.infos());
    }
    all
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says whether the snapshot is written anew")]
fn the_list_of_operations_is_the_reviewed_one() {
    let mut lines: Vec<String> = routes()
        .iter()
        .map(|(mount, info)| {
            let access = match info.route.access {
                Access::Public => " public",
                Access::AnyToken => " any-token",
                Access::Sudo => " sudo",
                Access::Policy => "",
            };
            format!("{}{} {}{access}", mount, info.route.pattern, info.route.operation.as_str())
        })
        .collect();
    lines.sort();
    let doubled: Vec<_> = lines.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(doubled.is_empty(), "an operation is served twice: {doubled:?}");
    let now = lines.join("\n") + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/openapi.snap");
    if std::env::var("ARCA_UPDATE_SNAPSHOTS").is_ok() {
        fs::write(&path, &now).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    let mut changes = String::new();
    for line in now.lines().filter(|line| !reviewed.lines().any(|other| other == *line)) {
        writeln!(changes, "+ {line}").unwrap();
    }
    for line in reviewed.lines().filter(|line| !now.lines().any(|other| other == *line)) {
        writeln!(changes, "- {line}").unwrap();
    }
    assert!(changes.is_empty(), "the API changed; if that is meant, write tests/openapi.snap anew:\n{changes}");
}

#[test]
fn every_route_says_what_it_is_for() {
    let silent: Vec<String> = routes()
        .iter()
        .filter(|(_, info)| info.route.summary.trim().is_empty())
        .map(|(mount, info)| format!("{mount}{} {}", info.route.pattern, info.route.operation.as_str()))
        .collect();
    assert!(silent.is_empty(), "without a summary: {silent:#?}");
}

#[test]
fn the_document_has_every_route_and_nothing_for_strangers() {
    let vault = TestVault::new();
    mount_everything(&vault);
    let document = vault.root().get("sys/internal/specs/openapi").ok().json();
    let mut missing = Vec::new();
    for (mount, info) in routes() {
        let path = format!(
            "/{}{}",
            place(&mount),
            info.route.pattern.replace("..}", "}").replace(":lower}", "}").replace(":name}", "}")
        );
        let path = path.replace("..:lower}", "}").replace("..}", "}").trim_end_matches('/').to_owned();
        let known = document["paths"].as_object().unwrap().keys().any(|key| key.trim_end_matches('/') == path);
        if !known {
            missing.push(path);
        }
    }
    assert!(missing.is_empty(), "not in the document: {missing:#?}");
    let for_strangers = vault.anonymous().get("sys/internal/specs/openapi").ok().json();
    assert!(for_strangers["paths"].as_object().is_none_or(serde_json::Map::is_empty), "{for_strangers}");
}

#[test]
fn every_parameter_of_a_path_has_a_schema() {
    for (mount, info) in routes() {
        let schema = info.path_schema(&mut SchemaGenerator::default());
        let known = schema.get("properties").and_then(|properties| properties.as_object()).cloned().unwrap_or_default();
        for parameter in info.route.pattern.split('{').skip(1).filter_map(|rest| rest.split(['}', '.', ':']).next()) {
            assert!(known.contains_key(parameter), "{mount}{}: no schema for {parameter}", info.route.pattern);
        }
    }
}
