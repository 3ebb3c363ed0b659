//! Class E: cryptography, databases, storage.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::iter;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arca::barrier::{Barrier, Scope, Txn};
use arca::entropy::{Entropy, SystemEntropy};
use arca::error::Error;
use arca::seal::{Threshold, split, wrap_root_key};
use arca::secret::{RootKey, SealKey};
use arca::storage::{Key, MemoryStorage, Page, Storage};
use arca::time::Timestamp;
use arca::vault::PasswordPolicyRecord;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::id;
use crate::support::postgres::{ADMIN, ADMIN_PASSWORD, Postgres};
use crate::support::{
    Certificates, Client, Clients, Issue, Process, Setup, TestVault, eventually, files_below, issuer,
};

/// The files below `src/`, without what is compiled for tests alone.
pub(super) fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (path.strip_prefix(&root).unwrap().display().to_string(), code)
    };
    let is_test = |path: &PathBuf| path.display().to_string().contains("tests");
    files_below(&root).into_iter().filter(|path| !is_test(path)).map(read).collect()
}

/// Secrets have no `==`: what compares them takes the same time whatever they are.
#[test]
fn cve_2026_63132_secrets_compared_with_equals() {
    let sources = sources();
    assert!(sources.len() > 300, "{}", sources.len());
    let (mut wrong, mut constant) = (Vec::new(), 0);
    for (path, code) in &sources {
        constant += code.matches("ct_eq(").count();
        for line in code.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let exposes = line.contains(".expose()") || line.contains(".exposed()");
            if exposes
                && (line.contains("==") || line.contains("!="))
                && !line.contains(".len()")
                && !line.contains("== \"")
            {
                wrong.push(format!("{path}: {line}"));
            }
            let derives = line.contains("derive(") && line.contains("PartialEq");
            if path.starts_with("secret/") && (derives || line.contains("impl PartialEq")) {
                wrong.push(format!("{path}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(constant > 8, "{constant}");
}

/// Shares are combined without tables and without branches on what is secret; `tests/attack/timing.rs` measures it.
#[test]
fn cve_2023_25000_tables_in_shamir() {
    let sources = sources();
    let code = |name: &str| &sources.iter().find(|(path, _)| path == name).expect("the file").1;
    let field = code("seal/shamir/gf256.rs");
    for line in field.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        let branches = ["if ", "match ", "[u8; 256]", ".get(", "static "].iter().any(|word| line.contains(word));
        assert!(!branches, "{line}");
    }
    // An element of a slice is only looked up by what is public.
    assert!(!field.contains('['), "something is looked up");
    assert!(!code("seal/shamir/polynomial.rs").contains("if "));
}

/// Nothing here is encrypted without being authenticated, and nothing decrypted before it was.
#[test]
fn cve_2023_2197_ciphers_without_authentication() {
    for (path, code) in sources() {
        for word in ["cbc", "Cbc", "CBC", "ecb::", "ctr::", "Ecb", "Ctr32", "Ctr64"] {
            assert!(!code.contains(word), "{path} has {word}");
        }
    }
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    for name in ["cbc", "ecb", "cipher", "block-modes", "ctr"] {
        assert!(!manifest.lines().any(|line| line.starts_with(&format!("{name} ="))), "{name}");
    }
}

/// Randomness that gives out after so many times.
#[derive(Debug)]
struct Exhausted {
    left: AtomicI64,
    system: SystemEntropy,
}

impl Entropy for Exhausted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(Error::internal("no randomness"));
        }
        self.system.fill(bytes)
    }
}

/// A nonce that is not random is used twice sooner or later: without randomness nothing is encrypted, and nothing written.
fn barrier_without_randomness() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let storage = Arc::new(MemoryStorage::new());
        let root = RootKey::generate(&SystemEntropy::new()).unwrap();
        let now = Timestamp::from_unix_seconds(1);
        let create =
            |entropy: Arc<dyn Entropy>, txn: &mut Txn| Barrier::create(storage.clone(), &root, entropy, now, txn);
        let entropy = |times: i64| Arc::new(Exhausted { left: AtomicI64::new(times), system: SystemEntropy::new() });
        let needed = (0..1000).find(|times| create(entropy(*times), &mut Txn::new()).is_ok()).unwrap();
        assert!(needed >= 3, "a key, and a nonce for each of two records: {needed}");
        let mut txn = Txn::new();
        create(Arc::new(SystemEntropy::new()), &mut txn).unwrap().commit(txn).await.unwrap();
        let mut done = 0;
        for times in 0..20 {
            let barrier = Barrier::unlock(storage.clone(), &root, entropy(times)).await.unwrap();
            let view = barrier.view(Scope::new("root", "test"));
            let before = contents(&*storage).await;
            let mut txn = Txn::new();
            let put = view.put(&mut txn, "a", &PasswordPolicyRecord { text: times.to_string() });
            let written = match put {
                Ok(()) => view.commit(txn).await,
                Err(error) => Err(error),
            };
            if written.is_ok() {
                done += 1;
            } else {
                assert_eq!(contents(&*storage).await, before, "with {times} something was written");
            }
            assert!(times > 0 || written.is_err(), "something was encrypted without randomness");
            barrier.wipe();
        }
        assert!(done > 0, "nothing was ever written");
    });
}

/// All that is in a store, by key.
async fn contents(storage: &dyn Storage) -> Vec<(String, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for name in storage.list(&folder, Page::all()).await.unwrap() {
            let path = format!("{folder}{name}");
            if name.ends_with('/') {
                folders.push(path);
            } else {
                let value = storage.get(&Key::new(&path).unwrap()).await.unwrap();
                found.push((path, value));
            }
        }
    }
    found
}

#[test]
fn vault_0_11_1_no_randomness() {
    let with = |times: i64| Exhausted { left: AtomicI64::new(times), system: SystemEntropy::new() };
    let key = SealKey::generate(&SystemEntropy::new()).unwrap();
    let root = RootKey::generate(&SystemEntropy::new()).unwrap();
    let threshold = Threshold::new(5, 3).unwrap();
    assert!(split(&key, threshold, &with(0)).is_err());
    assert!(wrap_root_key(&key, &root, &with(0)).is_err());
    assert!(SealKey::generate(&with(0)).is_err() && RootKey::generate(&with(0)).is_err());
    // However far an operation comes: it fails as a whole, or has had all that it needs.
    let needed = (0..1000).find(|times| split(&key, threshold, &with(*times)).is_ok()).unwrap();
    assert!(needed > 0);
    barrier_without_randomness();
    // Two ciphertexts of the same key are never the same.
    let wrap = || wrap_root_key(&key, &root, &SystemEntropy::new()).unwrap();
    assert_ne!(wrap(), wrap());
}

fn database(root: &Client, server: &Postgres, options: &str, more: &Value) -> crate::support::Answer {
    root.post("sys/mounts/database", json!({"type": "database"}));
    let url = format!("postgresql://{{{{username}}}}:{{{{password}}}}@localhost:{}/postgres?{options}", server.port);
    let mut connection = json!({
        "plugin_name": "postgresql-database-plugin", "connection_url": url, "username": ADMIN,
        "password": ADMIN_PASSWORD, "allowed_roles": "*",
    });
    connection.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    root.post("database/config/pg", connection)
}

#[test]
fn cve_2023_0620_names_with_quotes_in_sql() {
    let server = Postgres::start();
    let vault = Setup { clients: Clients::Any, ..Setup::default() }.start();
    let root = vault.root();
    let template = json!({"username_template": "{{.DisplayName}}{{random 4}}"});
    database(&root, &server, "sslmode=disable", &template).ok();
    server.query("create role victim with login password 'x'");
    let creation = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';";
    root.post("database/roles/app", json!({"db_name": "pg", "creation_statements": creation})).ok();
    root.post("sys/auth/cert", json!({"type": "cert"})).ok();
    root.post("sys/policies/acl/app", json!({"policy": "path \"database/creds/app\" { capabilities = [\"read\"] }"}))
        .ok();
    let authority = issuer("services");
    let (certificate, key) = Issue { name: "service", ..Issue::default() }.by(&authority);
    let service = Client::new(vault.address, &vault.pki.ca, Some((&certificate, &key)));
    let mut made = 0;
    for hostile in ["x\"; DROP ROLE victim; --", "x'; DROP ROLE victim; --", "x\\\";DROP ROLE victim;"] {
        let role = json!({"certificate": authority.pem(), "display_name": hostile, "token_policies": ["app"]});
        root.post("auth/cert/certs/service", role).ok();
        let client = root.with_token(&service.post("auth/cert/login", json!({})).issued());
        let answer = client.get("database/creds/app");
        if answer.status == 200 {
            let credentials = answer.json();
            let (name, password) = (id(&credentials["data"], "username"), id(&credentials["data"], "password"));
            assert_eq!(server.query_as(&name, &password, "select current_user").unwrap(), name);
            let lease = json!({"lease_id": credentials["lease_id"], "sync": true});
            root.post("sys/leases/revoke", lease).ok();
            made += 1;
        }
        assert_eq!(server.query("select count(*) from pg_roles where rolname = 'victim'"), "1", "{hostile}");
    }
    assert!(made > 0, "no hostile name came through");
    for hostile in ["victim\"; DROP ROLE victim; --", "victim'; DROP ROLE victim; --", "victim\u{0}"] {
        let body = json!({"db_name": "pg", "username": hostile, "rotation_period": "1h"});
        let answer = root.post("database/static-roles/s", body);
        assert!(answer.status >= 400, "{}", answer.text);
        assert!(server.query_as("victim", "x", "select 1").is_ok(), "{hostile}");
    }
    assert_eq!(server.query("select count(*) from pg_roles where rolname like '%DROP%'"), "0");
}

#[test]
fn cve_2021_27400_certificate_of_the_database() {
    let server = Postgres::start();
    let vault = TestVault::new();
    let root = vault.root();
    let (right, wrong) = (&server.certificates.authority, &server.other_authority);
    for mode in ["verify-full", "verify-ca", "require", "prefer"] {
        let options = format!("sslmode={mode}");
        database(&root, &server, &options, &json!({"tls_ca": wrong})).refuses(400, "tls_ca");
        root.get("database/config/pg").is(404);
    }
    // Without an authority of its own, the machine's are asked, who know nothing of it.
    database(&root, &server, "sslmode=verify-full", &json!({})).is(400);
    database(&root, &server, "sslmode=verify-full", &json!({"tls_ca": right})).ok();
}

/// The server, started by somebody who takes no right from anybody.
fn careless() -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_arcad")]).env_clear();
    command
}

/// All files and folders below `folder`.
fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let with_its_own = |path: PathBuf| {
        let below = if path.is_dir() { all_below(&path) } else { Vec::new() };
        iter::once(path).chain(below)
    };
    entries.flat_map(with_its_own).collect()
}

/// Lives of a server whose files are all below `folder`: one that writes, a restore of what was in the store then, and one
/// with a log of its own.
fn live_carelessly(folder: &Path, certificates: &Certificates) {
    let config = folder.join("arca.hcl");
    let mut process = Process::start_by(&mut careless(), folder, certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    for number in 0..12 {
        root.post(&format!("cubbyhole/{number}"), json!({"x": 1})).ok();
    }
    let taken = root.bytes("sys/storage/raft/snapshot").2;
    let backup = folder.join("backup");
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&backup).unwrap().write_all(&taken).unwrap();
    assert!(process.stop());

    let mut restoring =
        careless().args(["restore", "--config"]).arg(&config).arg(&backup).stdin(Stdio::piped()).spawn();
    let child = restoring.as_mut().unwrap();
    writeln!(child.stdin.take().unwrap(), "{share}").unwrap();
    assert!(child.wait().unwrap().success(), "nothing was restored");

    let (log, text) = (folder.join("arcad.log"), fs::read_to_string(&config).unwrap());
    fs::write(&config, format!("log_file = {log:?}\n{text}")).unwrap();
    let mut logging = careless().arg("--config").arg(&config).spawn().unwrap();
    eventually("it listens", || fs::read_to_string(&log).ok()?.contains("listening").then_some(()));
    logging.kill().unwrap();
    logging.wait().unwrap();
}

/// Whatever the server writes: nobody else may read it, list it or write to it.
#[test]
fn cve_2021_38553_modes_of_the_store() {
    for (kind, expected) in [("redb", ["store/redb/vault.redb", "witness"]), ("sled", ["store/sled/tree/db", "snap."])]
    {
        let home = TempDir::new().unwrap();
        let folder = home.path();
        let certificates = Certificates::write(folder);
        let config = folder.join("arca.hcl");
        let text = fs::read_to_string(&config).unwrap().replace("storage \"redb\"", &format!("storage {kind:?}"));
        let (put_away, spool) = (folder.join("away/audit.log"), folder.join("spool/siem"));
        let devices = format!(
            "audit \"file\" \"away\" {{\n options {{\n file_path = {put_away:?}\n rotate_bytes = 4096\n \
             rotate_compress = \"gzip\"\n }}\n}}\naudit \"http\" \"siem\" {{\n options {{\n \
             url = \"http://127.0.0.1:1/\"\n spool_path = {spool:?}\n }}\n}}\n"
        );
        fs::write(&config, text + &devices).unwrap();
        let mut ours = all_below(folder);
        ours.push(folder.join("server.log"));
        live_carelessly(folder, &certificates);
        let theirs: Vec<PathBuf> = all_below(folder).into_iter().filter(|path| !ours.contains(path)).collect();
        for path in &theirs {
            let open = fs::metadata(path).unwrap().permissions().mode() & 0o077;
            assert_eq!(open, 0, "{} is open to others", path.display());
        }
        // What is written where is seen: the store and the one before it, spools, logs, and logs that were put away.
        let seen: Vec<String> = theirs.iter().map(|path| path.display().to_string()).collect();
        for name in
            expected.into_iter().chain(["lock", "replaced", "spool/siem/", "/audit.log", "away/", ".gz", "/arcad.log"])
        {
            assert!(seen.iter().any(|path| path.contains(name)), "{kind}: no {name} in {seen:#?}");
        }
    }
}
