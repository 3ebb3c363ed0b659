//! The code holds to the table of layers in `src/lib.rs`: imports go downwards only, and some crates and calls have one
//! place. Exceptions are listed here, each with its reason; one that is no longer needed must go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::sources_below;

/// An import that the table does not allow: the file, what it imports, and why it may.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// Crates that have one place.
const PLACES: &[(&str, &[&str])] = &[
    ("axum", &["src/http/"]),
    ("hyper", &["src/http/", "src/outbound/"]),
    ("hyper_util", &["src/http/", "src/outbound/"]),
    ("http", &["src/http/", "src/outbound/"]),
    ("http_body_util", &["src/http/", "src/outbound/"]),
    ("tower", &["src/http/"]),
    ("cel", &["src/audit/filter/"]),
    ("redb", &["src/storage/redb"]),
    ("sled", &["src/storage/sled.rs"]),
    ("clap", &["src/daemon/", "src/main.rs"]),
    ("tracing_subscriber", &["src/daemon/"]),
    ("tokio_postgres", &["src/engines/database/postgresql/"]),
    ("opentelemetry_proto", &["src/trace/"]),
    ("prost", &["src/trace/"]),
];

/// Where secrets are taken out of their types, and what for.
const EXPOSING: &[(&str, &str)] = &[
    ("src/audit/draft.rs", "hashes it into the log"),
    ("src/audit/redact.rs", "the key of the hash"),
    ("src/audit/sinks/http/mod.rs", "reads the credentials of a collector"),
    ("src/auth/approle/login.rs", "compares a secret id by its hash"),
    ("src/auth/approle/mod.rs", "the key of the secret ids' hash"),
    ("src/auth/approle/secret_ids/destroy.rs", "finds a secret id by its hash"),
    ("src/auth/approle/secret_ids/generate.rs", "hashes a new secret id"),
    ("src/auth/approle/secret_ids/look_up.rs", "finds a secret id by its hash"),
    ("src/auth/jwt/login.rs", "verifies a token"),
    ("src/auth/jwt/oidc/auth_url.rs", "shows the provider the hash of what it will be proved with"),
    ("src/auth/jwt/oidc/exchange.rs", "redeems a code"),
    ("src/auth/jwt/oidc/id_token.rs", "verifies a token"),
    ("src/auth/jwt/oidc/page.rs", "gives the browser back the code that it came with"),
    ("src/auth/userpass/login.rs", "checks a password"),
    ("src/auth/userpass/password.rs", "hashes a password"),
    ("src/auth/userpass/users/mod.rs", "takes a password or a hash"),
    ("src/backup/cipher.rs", "derives the key of a backup"),
    ("src/barrier/keyring.rs", "encrypts, and wraps keys"),
    ("src/daemon/dev.rs", "shows the root token of a vault that is for trying out"),
    ("src/engine/lease.rs", "decodes what a lease keeps"),
    ("src/engines/database/connections/read.rs", "shows a URL without its password"),
    ("src/engines/database/connections/record.rs", "puts a connection together"),
    ("src/engines/database/connections/rotation.rs", "keeps a rotated password"),
    ("src/engines/database/connections/write.rs", "checks a connection"),
    ("src/engines/database/postgresql/mod.rs", "gives passwords to PostgreSQL"),
    ("src/engines/database/postgresql/pool.rs", "logs in to PostgreSQL"),
    ("src/engines/database/postgresql/scram.rs", "makes the verifier of a password"),
    ("src/engines/database/postgresql/tls.rs", "reads a client key"),
    ("src/engines/database/postgresql/url.rs", "reads a URL with a password in it"),
    ("src/engines/database/static_roles/rotations.rs", "keeps a rotated password"),
    ("src/engines/kv/v1/read.rs", "reads how long a secret lasts"),
    ("src/engines/kv/v2/merge_patch.rs", "merges a patch"),
    ("src/identity/oidc/signing.rs", "signs identity tokens"),
    ("src/lease/record.rs", "decodes what a lease keeps"),
    ("src/outbound/client.rs", "sends a credential to the server that it is for"),
    ("src/outbound/parcel.rs", "sends a credential to the server that it is for"),
    ("src/outbound/tls.rs", "reads a client key"),
    ("src/seal/generate_root.rs", "encodes a root token under a one-time password"),
    ("src/seal/pgp.rs", "encrypts a share to its holder"),
    ("src/seal/progress.rs", "compares shares"),
    ("src/seal/root_key.rs", "wraps the root key"),
    ("src/seal/shamir/mod.rs", "splits and combines"),
    ("src/seal/shamir/share.rs", "reads and writes shares"),
    ("src/secret/json.rs", "the type itself"),
    ("src/secret/keys.rs", "the types themselves"),
    ("src/secret/text.rs", "the types themselves"),
    ("src/sys/audit/hash.rs", "hashes a text as the log does"),
    ("src/sys/capabilities/by_token.rs", "looks up a token"),
    ("src/sys/generate_root/operations.rs", "shows a new one-time password, once"),
    ("src/sys/identity/oidc/introspect.rs", "looks into an identity token"),
    ("src/sys/internal/mod.rs", "sees whether a token came"),
    ("src/sys/token/create/plan.rs", "checks the form of a chosen id"),
    ("src/sys/token/lookup_self.rs", "shows the token that asks to itself"),
    ("src/sys/token/renew_self.rs", "answers with the token that asks"),
    ("src/sys/wrapping/unwrap.rs", "answers with what was wrapped"),
    ("src/token/batch.rs", "seals and opens batch tokens"),
    ("src/token/hash.rs", "hashes tokens"),
    ("src/vault/audits.rs", "stores an audit key behind the barrier"),
    ("src/vault/cluster.rs", "stores a token key behind the barrier"),
    ("src/vault/init.rs", "encrypts the root token to its holder"),
    ("src/vault/keys.rs", "encrypts shares to their holders"),
    ("src/vault/locking.rs", "hashes an unlock key"),
    ("src/vault/rekeying.rs", "stores encrypted shares behind the barrier"),
    ("src/vault/wrapping.rs", "stores what is wrapped"),
];

/// A file without its tests.
struct Source {
    path: String,
    module: String,
    lines: Vec<String>,
}

#[test]
fn imports_go_downwards() {
    let (layers, arrows) = (layers(), arrows());
    let mut wrong = Vec::new();
    let (mut used, mut drawn) = (BTreeSet::new(), BTreeSet::new());
    for source in sources() {
        for (line, target) in source.imports() {
            let Some(to) = layers.get(&target) else {
                wrong.push(format!("{}:{line}: crate::{target} is not in the table of src/lib.rs", source.path));
                continue;
            };
            // `main.rs` and `lib.rs` themselves are above all.
            let from = layers.get(&source.module).copied().unwrap_or(u32::MAX);
            if target == source.module || *to < from {
                continue;
            }
            if arrows.contains(&(source.module.clone(), target.clone())) && *to == from {
                drawn.insert((source.module.clone(), target));
                continue;
            }
            let allowed = EXCEPTIONS.iter().position(|(file, what, _)| *file == source.path && *what == target);
            match allowed {
                Some(index) => drop(used.insert(index)),
                None => wrong.push(format!(
                    "{}:{line}: {} (layer {from}) imports {target} (layer {to})",
                    source.path, source.module
                )),
            }
        }
    }
    let idle = EXCEPTIONS.iter().enumerate().filter(|(index, _)| !used.contains(index));
    wrong.extend(idle.map(|(_, (file, what, _))| format!("{file}: the exception for {what} is not needed; remove it")));
    wrong.extend(
        arrows.difference(&drawn).map(|(from, to)| format!("src/lib.rs: no one needs the arrow {from} → {to}")),
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn engines_know_the_seam_and_nothing_of_the_core() {
    const SEAM: [&str; 10] =
        ["api", "engine", "entropy", "error", "outbound", "policy", "secret", "storage", "time", "barrier"];
    let mut wrong = Vec::new();
    for source in sources() {
        if !["engines", "auth"].contains(&source.module.as_str()) {
            continue;
        }
        let own: Vec<&str> = source.path.split('/').skip(2).take(1).collect();
        for (line, target) in source.imports() {
            if target != source.module && !SEAM.contains(&target.as_str()) {
                wrong.push(format!("{}:{line}: an engine imports {target}", source.path));
            }
        }
        for (number, text) in source.numbered() {
            let other = text.split(&format!("crate::{}::", source.module)).nth(1);
            let other =
                other.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
            if other.is_some_and(|other| own.first() != Some(&other) && !source.path.ends_with("/mod.rs")) {
                wrong.push(format!("{}:{number}: an engine imports another", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn some_crates_have_one_place() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, places) in PLACES {
            // A module of that name is not the crate.
            let declares = source.lines.iter().any(|line| line.ends_with(&format!("mod {name};")));
            if declares || places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            let path = format!("{name}::");
            for (number, _) in source.numbered().filter(|(_, text)| names_crate(text, &path)) {
                wrong.push(format!("{}:{number}: {name} belongs into {}", source.path, places.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn secrets_are_taken_out_of_their_types_in_listed_files_only() {
    let mut found = BTreeMap::new();
    for source in sources() {
        for (number, text) in source.numbered() {
            if text.contains(".expose(") || text.contains("expose_secret(") {
                found.entry(source.path.clone()).or_insert_with(Vec::new).push(number);
            }
        }
    }
    let listed: BTreeSet<&str> = EXPOSING.iter().map(|(file, _)| *file).collect();
    let mut wrong: Vec<String> = found
        .iter()
        .filter(|(file, _)| !listed.contains(file.as_str()))
        .map(|(file, lines)| format!("{file}: {lines:?} expose a secret; is there no other way?"))
        .collect();
    let idle = listed.iter().filter(|file| !found.contains_key(**file));
    wrong.extend(idle.map(|file| format!("{file}: exposes nothing any more; remove it from the list")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.lines.len() > 400 && !source.path.starts_with("src/storage/"))
        .map(|source| format!("{}: {} lines", source.path, source.lines.len()))
        .collect();
    assert!(long.is_empty(), "\n{}", long.join("\n"));
}

/// The layer of each module, as the table says.
fn layers() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut layers = BTreeMap::new();
    for row in text.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let mut cells = row.split(" | ");
        let Some(layer) = cells.next().and_then(|cell| cell.parse::<u32>().ok()) else { continue };
        let names = cells.next().unwrap_or_default();
        for name in names.split("[`").skip(1).filter_map(|rest| rest.split('`').next()) {
            layers.insert(name.to_owned(), layer);
        }
    }
    assert!(layers.len() > 15, "the table of layers cannot be read: {layers:?}");
    layers
}

/// The imports within a layer that `src/lib.rs` allows.
fn arrows() -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let pairs = text.split("` → `").collect::<Vec<_>>();
    let last = |text: &str| text.rsplit('`').next().unwrap_or_default().to_owned();
    let first = |text: &str| text.split('`').next().unwrap_or_default().to_owned();
    pairs.windows(2).map(|pair| (last(pair[0]), first(pair[1]))).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let files = sources_below(&root().join("src"));
    let mut found: Vec<Source> = files.iter().map(|file| Source::read(file)).collect();
    let tests: Vec<String> = found.iter().flat_map(Source::test_modules).collect();
    found.retain(|source| !tests.iter().any(|test| source.path.starts_with(test.as_str())));
    assert!(found.len() > 200, "only {} files", found.len());
    found
}

impl Source {
    fn read(file: &Path) -> Self {
        let path = file.strip_prefix(root()).unwrap().display().to_string();
        let module = path.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(file).unwrap();
        // Tests stand at the end of a file.
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        Self { path, module, lines: code.lines().map(str::to_owned).collect() }
    }

    /// The lines of code with their numbers, without comments.
    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.trim_start()));
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// What it names of its own crate, and where.
    fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (number, line) in self.numbered() {
            for rest in line.split("crate::").skip(1) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(!name.is_empty() || line.contains("$crate"), "{}:{number}: name one module a line", self.path);
                // `pub(in crate::sys)` says who may see, and imports nothing.
                if !name.is_empty() && !line.contains(&format!("pub(in crate::{name}")) {
                    found.push((number, name));
                }
            }
        }
        found
    }

    /// The paths of the modules that it declares for tests alone.
    fn test_modules(&self) -> Vec<String> {
        let folder = match self.path.strip_suffix("/mod.rs").or_else(|| self.path.strip_suffix("/lib.rs")) {
            Some(folder) => folder,
            None => self.path.trim_end_matches(".rs"),
        };
        let mut found = Vec::new();
        for pair in self.lines.windows(2) {
            let [attribute, declaration] = pair else { continue };
            let declaration = declaration.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let name = declaration.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
            if let (true, Some(name)) = (attribute.contains("#[cfg(test)]"), name) {
                found.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/")]);
            }
        }
        found
    }
}

/// Whether a line has `path` (a crate's name and two colons) in it, and not a module of ours that is called the same.
fn names_crate(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}
