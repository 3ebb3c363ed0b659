//! No secret leaves the vault by a way that it should not: marked secrets are written through many endpoints, and then
//! looked for in everything that an attacker, or a colleague with a log viewer, might read.

use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arca::api::{Auth, InitResponse, UnsealRequest, WrapInfo};
use arca::engine::{Body, Payload};
use arca::secret::{AuditKey, BarrierKey, ClientToken, RootKey, SealKey, SecretBytes, SecretJson, SecretText, Share};
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use serde_json::json;

use crate::support::{Answer, Client, Setup, files_below};

/// What must not be found.
struct Markers(Vec<(String, Vec<u8>)>);

impl Markers {
    /// A new secret.
    fn make(&mut self, what: &str) -> String {
        let text = format!("Zq8marker{:02}xW7kPv3{what}", self.0.len());
        self.0.push((what.to_owned(), text.clone().into_bytes()));
        text
    }

    fn add(&mut self, what: &str, bytes: &[u8]) {
        self.0.push((what.to_owned(), bytes.to_vec()));
    }

    /// What of it is in `place`, in any spelling.
    fn found_in(&self, place: &str, content: &[u8]) -> Vec<String> {
        let (mut found, content) = (Vec::new(), text_of(content));
        for (what, secret) in &self.0 {
            for spelling in spellings(secret) {
                if content.contains(&text_of(&spelling)) {
                    found.push(format!("{what} in {place}, as {}", String::from_utf8_lossy(&spelling)));
                }
            }
        }
        found
    }
}

/// The bytes themselves, in hexadecimal, and in base64 wherever in a text they begin.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut all = vec![secret.to_vec(), HEXLOWER.encode(secret).into_bytes(), HEXUPPER.encode(secret).into_bytes()];
    for before in 0..3 {
        let padded = [vec![0; before], secret.to_vec()].concat();
        let encoded = BASE64.encode(&padded);
        // The characters at both ends depend on what stands beside the secret.
        let (from, to) = (before.div_ceil(3) * 4, encoded.trim_end_matches('=').len() - 1);
        all.push(encoded.as_bytes()[from..to].to_vec());
    }
    all
}

/// Bytes as a text with one character each: texts are searched quickly.
fn text_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    text_of(content).contains(&text_of(wanted))
}

/// Everything that the server says to its log.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let mut markers = Markers(Vec::new());
    let secret = markers.make("control");
    for content in [
        format!("before {secret} after"),
        HEXLOWER.encode(secret.as_bytes()),
        BASE64.encode(format!("{secret}.").as_bytes()),
        BASE64.encode(format!("a{secret}.").as_bytes()),
        BASE64.encode(format!("ab{secret}.").as_bytes()),
    ] {
        assert!(!markers.found_in("here", content.as_bytes()).is_empty(), "{content}");
    }
    assert!(markers.found_in("here", b"nothing").is_empty());
}

#[test]
fn no_secret_is_in_the_log_the_audit_log_the_errors_or_the_store() {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let store = tempfile::TempDir::new().unwrap();
    let vault = Setup::redb(store.path()).start();
    let mut markers = Markers(Vec::new());
    let root = vault.root();
    markers.add("the root token", root.token().as_bytes());
    for share in &vault.shares {
        markers.add("a share", share.as_bytes());
        markers.add("a share's bytes", &BASE64.decode(share.as_bytes()).unwrap());
    }
    let mut errors = String::new();
    let mut refused = |answer: Answer| {
        assert!(answer.status >= 400, "{}", answer.text);
        errors.push_str(&answer.text);
    };
    keep_secrets(&root, &mut markers);
    log_in(&root, &mut markers);
    mistakes(&root, &mut markers, &mut refused);
    root.post("sys/seal", json!({})).ok();
    refused(root.post("cubbyhole/x", json!({ "a": markers.make("sealed") })));
    refused(root.post("sys/unseal", json!({ "key": markers.make("no share") })));
    vault.unseal();
    root.get("kv-1/plain-path").ok();

    let folder = vault.finish();
    let audit = fs::read(folder.path().join("audit.log")).unwrap();
    let log = heard.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(contains(&audit, b"kv-1/plain-path"), "the audit log is not what it should be");
    assert!(contains(&log, b"the vault is unsealed"), "the log is not what it should be");
    let mut found = markers.found_in("the audit log", &audit);
    found.extend(markers.found_in("the log", &log));
    found.extend(markers.found_in("an error", errors.as_bytes()));
    let mut bytes = 0;
    for path in files_below(store.path()) {
        let content = fs::read(&path).unwrap();
        bytes += content.len();
        found.extend(markers.found_in(&path.display().to_string(), &content));
    }
    assert!(bytes > 10_000, "the store is not there: {bytes} bytes");
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_secret_is_in_what_debug_shows() {
    let mut markers = Markers(Vec::new());
    let mut text = || SecretText::new(markers.make("text"));
    let (one, two, three) = (text(), text(), text());
    let mut token = || ClientToken::new(markers.make("token"));
    let (init_token, auth_token, wrap_token, own_token) = (token(), token(), token(), token());
    let json = markers.make("json");
    let auth = Auth { client_token: auth_token, ..serde_json::from_value(auth_example()).unwrap() };
    let wrap: WrapInfo = WrapInfo { token: wrap_token, ..serde_json::from_value(wrap_example()).unwrap() };
    let body = Body::new(SecretBytes::new(format!("{{\"a\":\"{json}\"}}").into_bytes()));
    let key = [0x5a; 32];
    markers.add("a key", &key);
    markers.add("a key as a list", format!("{key:?}").as_bytes());
    let shown = [
        format!("{one:?} {one:#?}"),
        format!("{own_token:?} {own_token:#?}"),
        format!("{:?}", InitResponse { keys: vec![two], keys_base64: Vec::new(), root_token: init_token }),
        format!("{:?}", UnsealRequest { key: Some(three), reset: false, migrate: false }),
        format!("{auth:?}"),
        format!("{wrap:?}"),
        format!("{body:?} {body:#?}"),
        format!("{:?}", Payload::of(&json!({ "a": json })).unwrap()),
        format!("{:?}", SecretJson::of(&json!({ "a": json })).unwrap()),
        format!("{:?}", RootKey::from_slice(&key).unwrap()),
        format!("{:?}", SealKey::from_slice(&key).unwrap()),
        format!("{:?}", BarrierKey::from_slice(&key).unwrap()),
        format!("{:?}", AuditKey::from_slice(&key).unwrap()),
        format!("{:?}", Share::new(key.to_vec())),
    ];
    let found = markers.found_in("a Debug", shown.join("\n").as_bytes());
    assert!(found.is_empty(), "{found:#?}");
}

fn auth_example() -> serde_json::Value {
    json!({
        "client_token": "", "accessor": "a", "policies": [], "token_policies": [], "metadata": null,
        "lease_duration": 1, "renewable": true, "entity_id": "", "token_type": "service", "orphan": true,
        "mfa_requirement": null, "num_uses": 0,
    })
}

fn wrap_example() -> serde_json::Value {
    json!({"token": "", "accessor": "a", "ttl": 1, "creation_time": "2026-01-01T00:00:00Z", "creation_path": "p"})
}

/// Secrets in every engine that keeps them.
fn keep_secrets(root: &Client, markers: &mut Markers) {
    root.post("sys/mounts/kv-1", json!({"type": "kv"})).ok();
    root.post("sys/mounts/kv-2", json!({"type": "kv-v2"})).ok();
    root.post("sys/mounts/database", json!({"type": "database"})).ok();
    root.post("kv-1/plain-path", json!({ "a": markers.make("kv-1") })).ok();
    root.get("kv-1/plain-path").ok();
    root.post("kv-2/data/p", json!({ "data": { "a": markers.make("kv-2"), "nested": [markers.make("nested")] } })).ok();
    root.patch("kv-2/data/p", json!({ "data": { "b": markers.make("patch") } })).ok();
    root.get("kv-2/data/p").ok();
    root.post("cubbyhole/p", json!({ "a": markers.make("cubbyhole") })).ok();
    let wrapped = root.with_header("x-vault-wrap-ttl", "60s").get("cubbyhole/p").ok().json();
    markers.add("a wrapping token", wrapped["wrap_info"]["token"].as_str().unwrap().as_bytes());
    root.post("sys/wrapping/unwrap", json!({"token": wrapped["wrap_info"]["token"]})).ok();
    let connection = json!({
        "plugin_name": "postgresql-database-plugin", "username": "u", "password": markers.make("database"),
        "connection_url": format!("postgresql://{{{{username}}}}:{{{{password}}}}@localhost:1/x?application_name={}", "y"),
        "verify_connection": false, "allowed_roles": "*",
    });
    root.post("database/config/c", connection).ok();
    root.get("database/config/c").ok();
}

/// Secrets that log in.
fn log_in(root: &Client, markers: &mut Markers) {
    for kind in ["userpass", "approle"] {
        root.post(&format!("sys/auth/{kind}"), json!({ "type": kind })).ok();
    }
    let password = markers.make("userpass");
    root.post("auth/userpass/users/ann", json!({ "password": password })).ok();
    let login = root.anonymous().post("auth/userpass/login/ann", json!({ "password": password })).auth();
    markers.add("a login token", login["client_token"].as_str().unwrap().as_bytes());
    root.post("auth/approle/role/r", json!({})).ok();
    let role_id = root.get("auth/approle/role/r/role-id").data()["role_id"].take();
    let custom = markers.make("approle");
    root.post("auth/approle/role/r/custom-secret-id", json!({ "secret_id": custom })).ok();
    root.anonymous().post("auth/approle/login", json!({"role_id": role_id, "secret_id": custom})).ok();
    let made = root.post("auth/approle/role/r/secret-id", json!({})).data();
    markers.add("a secret id", made["secret_id"].as_str().unwrap().as_bytes());
    let child = root.post("auth/token/create", json!({"policies": ["default"]})).issued();
    markers.add("a token", child.as_bytes());
    let batch = root.post("auth/token/create", json!({"policies": ["default"], "type": "batch"})).issued();
    markers.add("a batch token", batch.as_bytes());
    root.post("auth/token/lookup", json!({ "token": child })).ok();
    root.post("auth/token/revoke", json!({ "token": child })).ok();
}

/// Secrets in the wrong place.
fn mistakes(root: &Client, markers: &mut Markers, refused: &mut impl FnMut(Answer)) {
    let anonymous = root.anonymous();
    refused(anonymous.with_token(&markers.make("header")).get("kv-1/plain-path"));
    refused(
        anonymous.with_header("authorization", &format!("Bearer {}", markers.make("bearer"))).get("kv-1/plain-path"),
    );
    refused(anonymous.post("auth/userpass/login/ann", json!({ "password": markers.make("wrong password") })));
    refused(anonymous.post("auth/userpass/login/ann", json!({ "password": [markers.make("odd password")] })));
    refused(
        anonymous.post("auth/approle/login", json!({"role_id": markers.make("role"), "secret_id": markers.make("id")})),
    );
    refused(root.send("POST", "kv-1/x", Some(format!("{{\"a\":\"{}", markers.make("cut short")).as_bytes())));
    refused(root.send("POST", "kv-1/x", Some(format!("[\"{}\"]", markers.make("list")).as_bytes())));
    refused(root.post("kv-2/data/x", json!({ "data": markers.make("no object") })));
    refused(root.post("kv-2/data/x", json!({ "data": {}, "options": { "cas": markers.make("cas") } })));
    refused(root.post("auth/token/create", json!({ "ttl": markers.make("ttl") })));
    refused(root.post("auth/token/create", json!({ "policies": { "a": markers.make("policies") } })));
    refused(root.post("auth/token/lookup", json!({ "token": markers.make("unknown token") })));
    refused(root.post("sys/wrapping/unwrap", json!({ "token": markers.make("unknown wrapping") })));
    refused(root.with_header("x-vault-wrap-ttl", &markers.make("wrap-ttl")).get("kv-1/plain-path"));
    refused(root.post(
        "database/config/d",
        json!({
            "plugin_name": "postgresql-database-plugin", "username": "u", "password": markers.make("unreachable"),
            "connection_url": "postgresql://{{username}}:{{password}}@localhost:1/x", "allowed_roles": "*",
        }),
    ));
    refused(root.post(
        "database/config/e",
        json!({
            "plugin_name": "postgresql-database-plugin",
            "connection_url": format!("postgresql://u:{}@localhost:1/x?sslmode=odd", markers.make("in a url")),
        }),
    ));
    refused(root.post("auth/approle/role/bad", json!({ "secret_id_ttl": markers.make("secret_id_ttl") })));
}
