//! The list of what the programs are made of (a software bill of materials), in CycloneDX 1.5 as JSON.
//!
//! It is made of what cargo resolves for the lock file, has no time and no random number in it, and so is the same each
//! time: whoever builds Arca can compare it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::folder;
use crate::say;
use crate::workspace::{self, cargo};

/// The programs that the list is about.
const PROGRAMS: [&str; 2] = ["arca", "arca-cli"];

/// Options of the list.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The platform that it is about
    #[arg(long, value_name = "TRIPLE", default_value = "x86_64-unknown-linux-gnu")]
    platform: String,
    /// Where to write it [default: target/arca.cdx.json]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Writes the list.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let words = format!("metadata --format-version 1 --locked --filter-platform {}", args.platform);
    let metadata = parsed(&cargo(&words).capture()?)?;
    let list = list(&metadata, &checksums(&folder::read_text(&workspace::root().join("Cargo.lock"))?))?;
    let path = args.output.clone().unwrap_or_else(|| workspace::target().join("arca.cdx.json"));
    let text = serde_json::to_string_pretty(&list).map_err(Failure::answer)?;
    folder::write(&path, text + "\n")?;
    let count = list["components"].as_array().map_or(0, Vec::len);
    say::done(&format!("{}: {count} crates for {}", path.display(), args.platform));
    Ok(())
}

fn parsed(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(Failure::answer)
}

/// The checksums of the lock file by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |entry: &str, name: &str| {
        let line = entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""));
        line.map(|value| value.trim_end_matches('"').to_owned())
    };
    let entries = lock.split("[[package]]");
    let known = entries
        .filter_map(|entry| Some(((field(entry, "name")?, field(entry, "version")?), field(entry, "checksum")?)));
    known.collect()
}

/// The list out of what `cargo metadata` says.
fn list(metadata: &Value, checksums: &BTreeMap<(String, String), String>) -> Result<Value, Failure> {
    let packages: BTreeMap<&str, &Value> =
        items(&metadata["packages"]).map(|package| (text(&package["id"]), package)).collect();
    let nodes: BTreeMap<&str, &Value> =
        items(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();
    let programs: Vec<&str> = packages
        .iter()
        .filter(|(_, package)| PROGRAMS.contains(&text(&package["name"])) && package["source"].is_null())
        .map(|(id, _)| *id)
        .collect();
    if programs.len() != PROGRAMS.len() {
        return Err(Failure::answer("cargo metadata does not name the programs"));
    }
    // What is linked into a program, and what only takes part in building it.
    let linked = reached(&nodes, &programs, &[""]);
    let used = reached(&nodes, &programs, &["", "build"]);
    let mut components = BTreeMap::new();
    for id in &used {
        let Some(package) = packages.get(id) else { continue };
        let scope = if linked.contains(id) { "required" } else { "excluded" };
        components.insert(purl(package), component(package, scope, checksums));
    }
    let dependencies = used.iter().filter_map(|id| {
        let depends = dependencies(nodes.get(id)?, &["", "build"]);
        let on: BTreeSet<String> = depends.filter_map(|id| packages.get(id)).map(|package| purl(package)).collect();
        Some((purl(packages.get(id)?), on))
    });
    let dependencies: BTreeMap<String, BTreeSet<String>> = dependencies.collect();
    let version =
        packages.get(programs.first().copied().unwrap_or_default()).map_or("", |package| text(&package["version"]));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "arca", "name": "arca", "version": version}},
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.iter().map(|(id, on)| json!({"ref": id, "dependsOn": on})).collect::<Vec<_>>(),
    }))
}

fn component(package: &Value, scope: &str, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (text(&package["name"]), text(&package["version"]));
    let purl = purl(package);
    let mut component = json!({
        "type": "library", "bom-ref": purl, "purl": purl, "name": name, "version": version, "scope": scope,
    });
    if let Some(license) = package["license"].as_str() {
        // The old way to write OR.
        component["licenses"] = json!([{"expression": license.replace('/', " OR ")}]);
    }
    if let Some(checksum) = checksums.get(&(name.to_owned(), version.to_owned())) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
    }
    if let Some(repository) = package["repository"].as_str() {
        component["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
    }
    component
}

/// All that is reached from `from` by dependencies of these kinds, itself included.
fn reached<'a>(nodes: &BTreeMap<&'a str, &'a Value>, from: &[&'a str], kinds: &[&str]) -> BTreeSet<&'a str> {
    let (mut found, mut next) = (BTreeSet::new(), from.to_vec());
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(nodes.get(id).into_iter().flat_map(|node| dependencies(node, kinds)));
        }
    }
    found
}

/// What a node depends on: for running (``), for building (`build`), for tests (`dev`).
fn dependencies<'a>(node: &'a Value, kinds: &[&str]) -> impl Iterator<Item = &'a str> {
    items(&node["deps"])
        .filter(move |dependency| items(&dependency["dep_kinds"]).any(|kind| kinds.contains(&text(&kind["kind"]))))
        .map(|dependency| text(&dependency["pkg"]))
}

/// The name of a crate among all kinds of packages (package-url).
fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Value {
        let package = |id: &str, source: &str, license: &str| {
            json!({"id": id, "name": id, "version": "1.0.0", "license": license, "repository": null,
                   "source": if source.is_empty() { Value::Null } else { json!(source) }})
        };
        let on = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind}]});
        json!({
            "packages": [
                package("arca", "", "none"), package("arca-cli", "", "none"), package("ring", "registry", "MIT/Apache-2.0"),
                package("cc", "registry", "MIT"), package("proptest", "registry", "MIT"),
            ],
            "resolve": {"nodes": [
                {"id": "arca", "deps": [on("ring", Value::Null), on("proptest", json!("dev"))]},
                {"id": "arca-cli", "deps": [on("arca", Value::Null)]},
                {"id": "ring", "deps": [on("cc", json!("build"))]},
                {"id": "cc", "deps": []}, {"id": "proptest", "deps": []},
            ]},
        })
    }

    #[test]
    fn it_has_what_is_linked_and_what_builds_and_no_tests() {
        let lock = "[[package]]\nname = \"ring\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n";
        let list = list(&metadata(), &checksums(lock)).unwrap();
        let scopes: Vec<(&str, &str)> =
            items(&list["components"]).map(|part| (text(&part["name"]), text(&part["scope"]))).collect();
        assert_eq!(scopes, [("arca-cli", "required"), ("arca", "required"), ("cc", "excluded"), ("ring", "required")]);
        let ring = &list["components"][3];
        assert_eq!(ring["hashes"][0]["content"], "abc");
        assert_eq!(ring["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(
            list["dependencies"][0],
            json!({"ref": "pkg:cargo/arca-cli@1.0.0", "dependsOn": ["pkg:cargo/arca@1.0.0"]})
        );
    }

    #[test]
    fn metadata_without_the_programs_is_refused() {
        assert!(list(&json!({"packages": [], "resolve": {"nodes": []}}), &BTreeMap::new()).is_err());
    }
}
