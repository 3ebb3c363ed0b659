//! The list of what the programs are made of (a software bill of materials), in CycloneDX 1.5 as JSON.
//!
//! It is made of what cargo resolves for the lock file, has no time and no random number in it, and so is the same each
//! time: whoever builds Arca can compare it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
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

/// What `cargo metadata` says, as far as it matters here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    repository: Option<String>,
    /// Nothing for what is in this checkout.
    source: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    /// `build`, `dev`, or nothing for what is linked.
    kind: Option<String>,
}

/// The list (CycloneDX 1.5, <https://cyclonedx.org/docs/1.5/json/>).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    bom_format: &'static str,
    spec_version: &'static str,
    version: u32,
    metadata: Value,
    components: Vec<Component>,
    dependencies: Vec<Edges>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    purl: String,
    name: String,
    version: String,
    scope: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_references: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Edges {
    r#ref: String,
    depends_on: BTreeSet<String>,
}

/// The checksums of the lock file by name and version.
type Checksums = BTreeMap<(String, String), String>;

/// Writes the list.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let words = format!("metadata --format-version 1 --locked --filter-platform {}", args.platform);
    let metadata: Metadata = serde_json::from_str(&cargo(&words).capture()?).map_err(Failure::answer)?;
    let list = list(&metadata, &checksums(&folder::read_text(&workspace::root().join("Cargo.lock"))?))?;
    let path = args.output.clone().unwrap_or_else(|| workspace::target().join("arca.cdx.json"));
    let text = serde_json::to_string_pretty(&list).map_err(Failure::answer)?;
    folder::write(&path, text + "\n")?;
    say::done(&format!("{}: {} crates for {}", path.display(), list.components.len(), args.platform));
    Ok(())
}

fn checksums(lock: &str) -> Checksums {
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
fn list(metadata: &Metadata, checksums: &Checksums) -> Result<List, Failure> {
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let nodes: BTreeMap<&str, &Node> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let is_program = |package: &&&Package| PROGRAMS.contains(&package.name.as_str()) && package.source.is_none();
    let programs: Vec<&Package> = packages.values().filter(is_program).copied().collect();
    let [first, _] = programs.as_slice() else {
        return Err(Failure::answer("cargo metadata does not name the programs"));
    };
    let from: Vec<&str> = programs.iter().map(|package| package.id.as_str()).collect();
    // What is linked into a program, and what only takes part in building it.
    let linked = reached(&nodes, &from, &[None]);
    let used = reached(&nodes, &from, &[None, Some("build")]);
    let mut components = BTreeMap::new();
    let mut dependencies = BTreeMap::new();
    for id in &used {
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else { continue };
        let scope = if linked.contains(id) { "required" } else { "excluded" };
        components.insert(package.purl(), package.component(scope, checksums));
        let on = node.dependencies(&[None, Some("build")]).filter_map(|id| packages.get(id));
        dependencies.insert(package.purl(), on.map(|package| package.purl()).collect());
    }
    Ok(List {
        bom_format: "CycloneDX",
        spec_version: "1.5",
        version: 1,
        metadata: json!({
            "component": {"type": "application", "bom-ref": "arca", "name": "arca", "version": first.version},
        }),
        components: components.into_values().collect(),
        dependencies: dependencies.into_iter().map(|(r#ref, depends_on)| Edges { r#ref, depends_on }).collect(),
    })
}

impl Package {
    /// Its name among all kinds of packages (package-url).
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    fn component(&self, scope: &'static str, checksums: &Checksums) -> Component {
        let (name, version) = (self.name.clone(), self.version.clone());
        // A slash is the old way to write OR.
        let license = self.license.as_deref().map(|license| json!({"expression": license.replace('/', " OR ")}));
        let checksum = checksums.get(&(name.clone(), version.clone()));
        let hash = checksum.map(|content| json!({"alg": "SHA-256", "content": content}));
        let repository = self.repository.as_deref().map(|url| json!({"type": "vcs", "url": url}));
        Component {
            r#type: "library",
            bom_ref: self.purl(),
            purl: self.purl(),
            name,
            version,
            scope,
            licenses: license.into_iter().collect(),
            hashes: hash.into_iter().collect(),
            external_references: repository.into_iter().collect(),
        }
    }
}

impl Node {
    /// What it depends on for these purposes.
    fn dependencies<'a>(&'a self, kinds: &'a [Option<&'a str>]) -> impl Iterator<Item = &'a str> {
        let counts =
            |dependency: &&Dependency| dependency.dep_kinds.iter().any(|kind| kinds.contains(&kind.kind.as_deref()));
        self.deps.iter().filter(counts).map(|dependency| dependency.pkg.as_str())
    }
}

/// All that is reached from `from` by dependencies of these kinds, itself included.
fn reached<'a>(
    nodes: &BTreeMap<&'a str, &'a Node>,
    from: &[&'a str],
    kinds: &'a [Option<&'a str>],
) -> BTreeSet<&'a str> {
    let (mut found, mut next) = (BTreeSet::new(), from.to_vec());
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(nodes.get(id).into_iter().flat_map(|node| node.dependencies(kinds)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let package = |id: &str, source: &str, license: &str| {
            json!({"id": id, "name": id, "version": "1.0.0", "license": license, "repository": null,
                   "source": if source.is_empty() { Value::Null } else { json!(source) }})
        };
        let on = |id: &str, kind: Value| json!({"pkg": id, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
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
        });
        serde_json::from_value(metadata).unwrap()
    }

    #[test]
    fn it_has_what_is_linked_and_what_builds_and_no_tests() {
        let lock = "[[package]]\nname = \"ring\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n";
        let list = list(&metadata(), &checksums(lock)).unwrap();
        let scopes: Vec<(&str, &str)> = list.components.iter().map(|part| (part.name.as_str(), part.scope)).collect();
        let list = serde_json::to_value(&list).unwrap();
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
        let empty = serde_json::from_value(json!({"packages": [], "resolve": {"nodes": []}})).unwrap();
        assert!(list(&empty, &BTreeMap::new()).is_err());
    }
}
