//! Class D: what logs, audit logs and errors may say.

use std::fs;
use std::process::Command;

use arca::api::Operation;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PASSWORD, browser_logins, encoded, id};
use crate::authz::place;
use crate::openapi::routes;
use crate::support::{Certificates, Client, Process, Provider, SECRET, Setup, TestVault};

const CANARY: &str = "Canary4vXqZ7";

/// The server as it is shipped, with a mount of every kind, and the root token's client.
struct Site {
    folder: TempDir,
    process: Process,
    root: Client,
}

impl Site {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let certificates = Certificates::write(folder.path());
        let process = Process::start(folder.path(), &certificates);
        let (share, token) = process.initialise();
        process.unseal(&share);
        let root = process.anonymous().with_token(&token);
        for (mount, _) in routes().into_iter().filter(|(mount, _)| mount.contains('<')) {
            let path = place(&mount);
            let (api, kind) = match path.strip_prefix("auth/") {
                Some(kind) => ("sys/auth", kind.trim_end_matches('/')),
                None => ("sys/mounts", path.trim_end_matches('/')),
            };
            // One of each kind; the second time it is there.
            root.post(&format!("{api}/{kind}"), json!({ "type": kind }));
        }
        Self { folder, process, root }
    }

    /// Where the canary is in the server's log or in the audit log.
    fn told(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in ["server.log", "audit.log"] {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap();
            let lines = text.lines().filter(|line| line.contains(CANARY) && !is_meant(line));
            found.extend(lines.map(|line| format!("{name}: {line}")));
        }
        found
    }
}

/// Whether a line of the audit log says the canary only where it is to be read: as a path, and in what a token's maker wrote
/// upon it.
fn is_meant(line: &str) -> bool {
    let Ok(mut line) = serde_json::from_str::<Value>(line) else { return false };
    let asks = line["request"]["path"].as_str().is_some_and(|path| path.starts_with("sys/capabilities"));
    if let Some(answer) = line.pointer_mut("/response/data").and_then(Value::as_object_mut).filter(|_| asks) {
        answer.retain(|path, _| path != CANARY);
    }
    if let Some(auth) = line.pointer_mut("/response/auth").and_then(Value::as_object_mut) {
        auth.remove("metadata");
    }
    !line.to_string().contains(CANARY)
}

/// Writes that have no fields, or take any as a secret. It is under review: what is not on it is sent something.
const WITHOUT_FIELDS: [&str; 25] = [
    "PATCH <kv-v2>/",
    "PATCH <kv-v2>/{path..}",
    "POST <database>/reset/{name}",
    "POST <database>/rotate-role/{name}",
    "POST <database>/rotate-root/{name}",
    "POST <kv-v2>/",
    "POST <kv-v2>/{path..}",
    "POST <kv>/{path..}",
    "POST auth/<approle>/tidy/secret-id",
    "POST auth/token/lookup-self",
    "POST auth/token/revoke-self",
    "POST auth/token/tidy",
    "POST cubbyhole/{path..}",
    "POST sys/leases/revoke-force/{prefix..}",
    "POST sys/leases/tidy",
    "POST sys/locked-users/{mount_accessor}/unlock/{alias_identifier:lower}",
    "POST sys/namespaces/api-lock/lock",
    "POST sys/namespaces/api-lock/lock/{path..}",
    "POST sys/rotate",
    "POST sys/rotate/keyring",
    "POST sys/rotate/root",
    "POST sys/seal",
    "POST sys/step-down",
    "POST sys/storage/checkpoint",
    "POST sys/wrapping/wrap",
];

/// The writes of every target, each with the names of its fields.
fn writes() -> Vec<(String, &'static str, Vec<String>)> {
    let mut found = Vec::new();
    let mut without = Vec::new();
    // Many a schema is but a reference to another one, which has the fields.
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    for (mount, info) in routes() {
        let method = match info.route.operation {
            Operation::Write => "POST",
            Operation::Patch => "PATCH",
            Operation::Read | Operation::Delete | Operation::List | Operation::Scan | Operation::Help => continue,
        };
        let schema = info.body_schema(&mut settings.clone().into_generator());
        let fields = schema.get("properties").and_then(Value::as_object);
        let fields: Vec<String> = fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
        if fields.is_empty() {
            without.push(format!("{method} {mount}{}", info.route.pattern));
        }
        let parts = info.route.pattern.split('/').map(|part| if part.starts_with('{') { "some" } else { part });
        found.push((format!("{}{}", place(&mount), parts.collect::<Vec<_>>().join("/")), method, fields));
    }
    without.sort();
    assert_eq!(without, WITHOUT_FIELDS, "writes whose fields are not known");
    found
}

/// Sends every field of every write in this shape; gives how many were sent, and the refusals that say the canary.
fn sweep(site: &Site, shape: &Value) -> (usize, Vec<String>) {
    let (mut sent, mut said) = (0, Vec::new());
    for (path, method, fields) in writes() {
        for field in fields {
            let body = json!({ field.as_str(): shape }).to_string();
            let answer = site.root.send(method, &path, Some(body.as_bytes()));
            sent += 1;
            if answer.status >= 400 && answer.text.contains(CANARY) {
                said.push(format!("{method} {path} {field}: {} {}", answer.status, answer.text));
            }
        }
    }
    (sent, said)
}

/// Values of the wrong type are nobody's to repeat: neither the answer, nor the log, nor the audit log.
#[test]
fn cve_2026_115358_values_of_the_wrong_type() {
    let site = Site::start();
    for shape in [json!([[CANARY]]), json!({"x": CANARY})] {
        let (sent, said) = sweep(&site, &shape);
        assert!(sent > 500, "{sent}");
        assert!(said.is_empty(), "{said:#?}");
    }
    for text in [format!("{{\"a\": {CANARY}"), format!("[\"{CANARY}\"]"), format!("{{\"a\": \"{CANARY}")] {
        let answer = site.root.send("POST", "cubbyhole/a", Some(text.as_bytes())).is(400);
        assert!(!answer.text.contains(CANARY), "{}", answer.text);
    }
    let told = site.told();
    assert!(told.is_empty(), "{told:#?}");
    site.process.anonymous().get("sys/health").is(200);
}

/// Texts of every field of every endpoint: hashed in the audit log, and nowhere else.
#[test]
fn cve_2024_8365_texts_in_clear_in_the_audit_log() {
    let site = Site::start();
    let (sent, said) = sweep(&site, &json!(CANARY));
    assert!(sent > 500, "{sent}");
    assert!(said.is_empty(), "{said:#?}");
    // What is looked at once another field is there.
    for (path, body) in [
        ("sys/mounts/elsewhere", json!({"type": CANARY})),
        ("sys/remount", json!({"from": CANARY, "to": "elsewhere"})),
        ("sys/quotas/rate-limit/some", json!({"path": CANARY, "rate": 1})),
        ("sys/quotas/lease-count/some", json!({"path": CANARY, "max_leases": 1})),
    ] {
        let answer = site.root.post(path, body).is(400);
        assert!(!answer.text.contains(CANARY), "{path}: {}", answer.text);
    }
    let told = site.told();
    assert!(told.is_empty(), "{told:#?}");
    let log = fs::read_to_string(site.folder.path().join("audit.log")).unwrap();
    let hashed =
        log.lines().filter(|line| line.contains("\"type\":\"request\"") && line.contains("hmac-sha256:")).count();
    assert!(hashed > 150, "{hashed}");
    // Tokens and accessors of what is issued, too.
    let made = site.root.post("auth/token/create", json!({"policies": ["default"]})).auth();
    let (token, accessor) = (id(&made, "client_token"), id(&made, "accessor"));
    site.root.post("auth/token/lookup", json!({ "token": token })).ok();
    site.root.post("auth/token/lookup-accessor", json!({ "accessor": accessor })).ok();
    site.root.with_token(&token).get("auth/token/lookup-self").ok();
    let wrapped = site.root.with_token(&token).with_header("x-vault-wrap-ttl", "60").get("auth/token/lookup-self");
    let wrapping = id(&wrapped.ok().json()["wrap_info"], "token");
    site.root.post("sys/wrapping/lookup", json!({ "token": wrapping })).ok();
    site.root.post("auth/token/renew-accessor", json!({ "accessor": accessor })).ok();
    site.root.post("auth/token/revoke-accessor", json!({ "accessor": accessor })).ok();
    let log = fs::read_to_string(site.folder.path().join("audit.log")).unwrap();
    for secret in [token, accessor, wrapping] {
        assert!(!log.contains(&secret), "{secret}");
    }
}

#[test]
fn cve_2026_46358_headers_that_carry_secrets() {
    let vault = TestVault::new();
    let root = vault.root();
    for header in ["x-vault-inline-auth-parameter-password", "authorization", "cookie", "x-vault-token"] {
        let anyone = vault.anonymous().with_header(header, &format!("Bearer {CANARY}-{header}"));
        anyone.get("cubbyhole/a").is(403);
        anyone.post("cubbyhole/a", json!({"x": 1})).is(403);
        anyone.get("sys/seal-status").is(200);
        root.with_header(header, CANARY).get("sys/unknown");
    }
    let basic = vault.anonymous().with_header("authorization", "Basic Q2FuYXJ5NHZYcVo3OnB3");
    basic.get("cubbyhole/a").is(403);
    // A header that an operator puts into the log is hashed there, if they say so.
    root.post("sys/config/auditing/request-headers/x-canary", json!({"hmac": true})).ok();
    root.with_header("x-canary", CANARY).get("sys/mounts").ok();
    let log = fs::read_to_string(vault.audit_path()).unwrap();
    assert!(!log.contains(CANARY) && !log.contains("Q2FuYXJ5NHZYcVo3OnB3"));
    assert!(log.contains("x-canary"), "it is there, hashed");
}

#[test]
fn cve_2025_62513_codes_of_a_browser_login() {
    let provider = Provider::start();
    let vault = TestVault::new();
    let root = vault.root();
    browser_logins(&vault, &provider, json!({"oidc_response_mode": "form_post"}));
    let here = "http://localhost:8250/oidc/callback";
    root.post("auth/oidc/role/web", json!({"role_type": "oidc", "user_claim": "sub", "allowed_redirect_uris": [here]}))
        .ok();
    let client = vault.anonymous();
    let begun = client.post("auth/oidc/oidc/auth_url", json!({"redirect_uri": here, "client_nonce": CANARY})).data();
    let now = arca::time::Clock::now(&arca::time::SystemClock).unix_seconds();
    let (state, code) = provider.visit(begun["auth_url"].as_str().unwrap(), &json!({}), now);
    let form = format!("state={state}&code={}&id_token={CANARY}&client_nonce={CANARY}", encoded(&code));
    let as_form = client.with_header("content-type", "application/x-www-form-urlencoded");
    as_form.send("POST", "auth/oidc/oidc/callback", Some(form.as_bytes()));
    client.get(&format!("auth/oidc/oidc/callback?state={state}&client_nonce={CANARY}&code={}", encoded(&code)));
    let log = fs::read_to_string(vault.audit_path()).unwrap();
    for secret in [CANARY, code.as_str(), SECRET] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert!(log.contains("auth/oidc/oidc/callback"));
}

#[test]
fn cve_2024_0831_raw_device_beside_another() {
    let settings = arca::vault::Settings { allow_api_audit: true, ..Default::default() };
    let vault = Setup { settings, ..Setup::default() }.start();
    let root = vault.root();
    let raw = vault.folder.path().join("raw.log");
    root.post("sys/audit/raw", json!({"type": "file", "options": {"file_path": raw, "log_raw": "true"}})).ok();
    root.post("cubbyhole/a", json!({"password": CANARY})).ok();
    root.delete("sys/audit/raw").ok();
    root.post("cubbyhole/b", json!({"password": CANARY})).ok();
    assert!(fs::read_to_string(&raw).unwrap().contains(CANARY));
    let log = fs::read_to_string(vault.audit_path()).unwrap();
    assert!(!log.contains(CANARY) && !log.contains(root.token()));
    assert!(log.contains("cubbyhole/b"));
}

#[test]
fn cve_2020_13223_environment_of_the_server() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_arcad"));
    command.env_clear();
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "https_proxy", "VAULT_TOKEN", "BAO_TOKEN", "ARCA_TOKEN", "PGPASSWORD"] {
        command.env(name, format!("http://user:{CANARY}@127.0.0.1:9/"));
    }
    command.env("ARCA_LOG_LEVEL", "trace");
    let mut process = Process::start_by(&mut command, folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    process.anonymous().with_token(&token).get("sys/host-info").ok();
    assert!(process.stop());
    for name in ["server.log", "audit.log"] {
        assert!(!fs::read_to_string(folder.path().join(name)).unwrap().contains(CANARY), "{name}");
    }
}

#[test]
fn vault_0_10_0_password_in_a_database_error() {
    let site = Site::start();
    let mut said = String::new();
    for (name, body) in [
        (
            "a",
            json!({"connection_url": "postgresql://{{username}}:{{password}}@127.0.0.1:1/x", "username": "u", "password": CANARY}),
        ),
        ("b", json!({"connection_url": format!("postgresql://u:{CANARY}@127.0.0.1:1/x")})),
        ("c", json!({"connection_url": format!("postgresql://u:{CANARY}@127.0.0.1:1/x?sslmode={CANARY}")})),
        ("d", json!({"connection_url": format!("postgresql://u:{CANARY}@127.0.0.1:port/x")})),
        ("e", json!({"connection_url": format!("nonsense {CANARY}")})),
        ("f", json!({"connection_url": format!("host=127.0.0.1 port=1 user=u password={CANARY}")})),
    ] {
        let mut body = body;
        body["plugin_name"] = json!("postgresql-database-plugin");
        let refused = site.root.post(&format!("database/config/{name}"), body.clone()).is(400);
        said.push_str(&refused.text);
        body["verify_connection"] = json!(false);
        site.root.post(&format!("database/config/{name}"), body);
        said.push_str(&site.root.get(&format!("database/config/{name}")).text);
        site.root.post(&format!("database/roles/{name}"), json!({"db_name": name, "creation_statements": "SELECT 1"}));
        said.push_str(&site.root.get(&format!("database/creds/{name}")).text);
        said.push_str(&site.root.post(&format!("database/rotate-root/{name}"), json!({})).text);
    }
    assert!(!said.contains(CANARY), "{said}");
    let told = site.told();
    assert!(told.is_empty(), "{told:#?}");
}

/// What a login was refused for says nothing of what was sent.
#[test]
fn cve_2025_4166_refused_logins() {
    let vault = TestVault::new();
    super::userpass(&vault, "userpass", json!({}));
    let root = vault.root();
    root.post("sys/auth/approle", json!({"type": "approle"})).ok();
    for (path, body) in [
        ("auth/userpass/login/ann", json!({"password": [CANARY]})),
        ("auth/userpass/login/ann", json!({"password": {"a": CANARY}})),
        ("auth/userpass/login/ann", json!({"password": PASSWORD, "other": CANARY})),
        ("auth/approle/login", json!({"role_id": [[CANARY]], "secret_id": {"a": CANARY}})),
        ("sys/unseal", json!({"key": [CANARY]})),
        ("sys/wrapping/lookup", json!({"token": [CANARY]})),
    ] {
        let answer = vault.anonymous().post(path, body);
        assert!(!answer.text.contains(CANARY), "{path}: {}", answer.text);
    }
    assert!(!fs::read_to_string(vault.audit_path()).unwrap().contains(CANARY));
}
