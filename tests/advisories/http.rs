//! Class C: what is open to those without a token, denial of service, HTTP.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use arca::api::Operation;
use arca::config::Limits;
use arca::policy::Access;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::spool::NarrowLog;
use super::{method, userpass};
use crate::authz::place;
use crate::openapi::routes;
use crate::support::{Certificates, Process, Setup, TestVault};

fn with_unauthenticated_endpoints() -> TestVault {
    let settings = arca::vault::Settings { unauthed_rekey: true, unauthed_generate_root: true, ..Default::default() };
    Setup { settings, ..Setup::default() }.start()
}

#[test]
fn cve_2026_5807_rekey_and_generate_root_without_a_token() {
    let vault = TestVault::new();
    for path in ["sys/rekey/init", "sys/rekey/verify", "sys/generate-root/attempt"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = vault.anonymous().send(method, path, Some(b"{\"secret_shares\":1,\"secret_threshold\":1}"));
            answer.refuses(405, "unsupported operation");
        }
    }
    for path in ["sys/rotate/root/init", "sys/generate-root-token/attempt"] {
        vault.anonymous().post(path, json!({"secret_shares": 1, "secret_threshold": 1})).is(403);
        vault.anonymous().delete(path).is(403);
    }
    let open = with_unauthenticated_endpoints();
    let anyone = open.anonymous();
    for (path, start) in [
        ("sys/rekey/init", json!({"secret_shares": 1, "secret_threshold": 1})),
        ("sys/generate-root/attempt", json!({"otp": null})),
    ] {
        let begun = anyone.post(path, start).ok().json();
        let nonce = begun["nonce"].as_str().unwrap().to_owned();
        for body in [json!({}), json!({"nonce": "wrong"}), json!({"nonce": ""}), json!({"nonce": [nonce]})] {
            anyone.send("DELETE", path, Some(body.to_string().as_bytes())).is(400);
            assert_eq!(anyone.get(path).ok().json()["nonce"], nonce, "it was cancelled");
        }
        open.with_policy("none", "path \"a\" { capabilities = [\"read\"] }").delete(path).is(403);
        anyone.with_token("hvs.unknown").delete(path).is(400);
        assert_eq!(anyone.get(path).ok().json()["nonce"], nonce);
        anyone.send("DELETE", path, Some(json!({"nonce": nonce}).to_string().as_bytes())).is(204);
        assert_eq!(anyone.get(path).ok().json()["started"], false);
    }
}

#[test]
fn cve_2025_4656_cancellation_is_on_record() {
    let vault = with_unauthenticated_endpoints();
    let anyone = vault.anonymous();
    let start = json!({"secret_shares": 1, "secret_threshold": 1});
    let nonce = anyone.post("sys/rekey/init", start).ok().json()["nonce"].take();
    anyone.delete("sys/rekey/init").is(400);
    anyone.send("DELETE", "sys/rekey/init", Some(json!({ "nonce": nonce }).to_string().as_bytes())).is(204);
    let log = vault.audit_log();
    let of = |kind: &str, operation: &str| {
        let fits = |line: &&Value| {
            line["type"] == kind
                && line["request"]["path"] == "sys/rekey/init"
                && line["request"]["operation"] == operation
        };
        log.iter().filter(fits).count()
    };
    assert_eq!((of("request", "delete"), of("response", "delete")), (2, 2));
    assert_eq!((of("request", "update"), of("response", "update")), (1, 1));
}

/// What is done and cannot be put on record is not answered, and not left done.
#[test]
fn cve_2026_115357_root_token_whose_response_is_not_on_record() {
    let folder = TempDir::new().unwrap();
    let log = NarrowLog::start(&folder.path().join("spool"));
    let root = log.vault.root();
    let attempt = || root.post("sys/generate-root/attempt", json!({})).ok().json();
    let update = |begun: &Value, share: &str| {
        root.post("sys/generate-root/update", json!({"nonce": begun["nonce"], "key": share}))
    };
    let shares = &log.vault.shares;
    let begun = attempt();
    update(&begun, &shares[0]).ok();
    let (size, dry) = log.measured(|| update(&begun, &shares[1]));
    assert_eq!(dry.ok().json()["complete"], true);
    let begun = attempt();
    update(&begun, &shares[0]).ok();
    let accessors = log.accessors();
    log.leave_room_for_request_only(size);
    let withheld = update(&begun, &shares[1]);
    assert_eq!(withheld.status, 500, "{}", withheld.text);
    assert!(!withheld.text.contains("encoded"), "{}", withheld.text);
    assert_eq!(log.accessors(), accessors, "a root token that nobody knows was left behind");
    log.finish();
}

#[test]
fn cve_2026_115357_shares_whose_response_is_not_on_record() {
    let folder = TempDir::new().unwrap();
    let log = NarrowLog::start(&folder.path().join("spool"));
    let root = log.vault.root();
    let begin = || root.post("sys/rekey/init", json!({"secret_shares": 1, "secret_threshold": 1})).ok().json();
    let update =
        |begun: &Value, share: &str| root.post("sys/rekey/update", json!({"nonce": begun["nonce"], "key": share}));
    let begun = begin();
    update(&begun, &log.vault.shares[0]).ok();
    let (size, dry) = log.measured(|| update(&begun, &log.vault.shares[1]));
    let only = dry.ok().json()["keys_base64"][0].as_str().unwrap().to_owned();
    let begun = begin();
    log.leave_room_for_request_only(size);
    let withheld = update(&begun, &only);
    assert_eq!(withheld.status, 500, "{}", withheld.text);
    assert!(!withheld.text.contains("keys_base64"), "{}", withheld.text);
    // The shares that were not handed out count for nothing; those that people hold still do.
    log.vault.seal();
    log.vault.anonymous().post("sys/unseal", json!({"key": only})).ok();
    log.finish();
}

/// Bodies that are costly to read are refused before anyone asks who sent them, and cost no memory.
#[test]
fn cve_2025_6203_json_bombs() {
    crate::attack::bombs(crate::attack::scale());
}

#[test]
fn cve_2023_6337_bodies_without_an_end() {
    let setup = Setup::default();
    let limits = Limits { request_size: 1 << 20, ..setup.limits };
    let vault = Setup { limits, ..setup }.start();
    for head in ["content-length: 1073741824", "transfer-encoding: chunked"] {
        let mut wire = vault.wire();
        wire.say(format!("POST /v1/auth/userpass/login/a HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n").as_bytes()).unwrap();
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let chunk = if head.contains("chunked") { chunk.as_str() } else { &chunk[7..] };
        let taken = (0..512).take_while(|_| wire.say(chunk.as_bytes()).is_ok()).count();
        assert!(taken < 512, "32 MiB were taken where 1 MiB is allowed");
        let answer = wire.hear().unwrap_or_default();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    }
    vault.root().get("sys/mounts").is(200);
}

/// Everything below `sys/` that is not on the list of what is public (see `tests/authz.rs`) asks for a token.
#[test]
fn cve_2022_36129_sys_paths_without_a_token() {
    let vault = TestVault::new();
    let mut tried = 0;
    for (mount, info) in routes().into_iter().filter(|(mount, _)| mount == "sys/") {
        if info.route.access == Access::Public {
            continue;
        }
        let parts = info.route.pattern.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path = format!("{}{}", place(&mount), parts.collect::<Vec<_>>().join("/"));
        let (method, body) = method(info.route.operation);
        let answer = vault.anonymous().send(method, &path, body);
        assert!(
            matches!((answer.status, path.as_str()), (403, _) | (400, "sys/wrapping/unwrap")),
            "{path}: {}",
            answer.text
        );
        tried += 1;
    }
    assert!(tried > 120, "{tried}");
    for path in ["sys/storage/raft/bootstrap", "sys/storage/raft/configuration", "sys/license/status", "sys/raw/core"] {
        vault.anonymous().get(path).is(403);
        vault.anonymous().post(path, json!({})).is(403);
    }
}

/// There is no PROXY protocol: its header is no TLS, and whoever sends it costs their own connection.
#[test]
fn cve_2024_6468_proxy_headers() {
    let vault = TestVault::new();
    let headers: [&[u8]; 4] = [
        b"PROXY TCP4 203.0.113.1 127.0.0.1 1 2\r\n",
        b"PROXY UNKNOWN\r\n",
        b"PROXY \xff\xff\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02",
    ];
    for header in headers {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(vault.address).unwrap();
            let _ = stream.write_all(header);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard);
            assert!(!heard.starts_with(b"HTTP/1.1 200"));
        }
        vault.anonymous().get("sys/health").is(200);
    }
}

#[test]
fn cve_2020_25594_mounts_told_by_their_errors() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/there", json!({"type": "kv"})).ok();
    userpass(&vault, "here", json!({}));
    let nobody = vault.with_policy("none", "path \"a\" { capabilities = [\"read\"] }");
    for client in [vault.anonymous(), nobody] {
        for method in ["GET", "POST", "DELETE", "LIST"] {
            let said = |path: &str| {
                let answer = client.send(method, path, (method == "POST").then_some(b"{}"));
                (answer.status, answer.text)
            };
            let known = said("there/a");
            assert_eq!(known.0, 403);
            for path in ["nowhere/a", "there/b/c", "auth/here/users/ann", "auth/nowhere/users/ann", "identity/x"] {
                assert_eq!(said(path), known, "{method} {path}");
            }
        }
    }
    // Nothing of the machine is in an error (CVE-2021-3024).
    for answer in [
        root.get("nowhere/a"),
        root.post("sys/mounts/x", json!({"type": "unknown"})),
        root.post("sys/audit/x", json!({"type": "file", "options": {"file_path": "/proc/x"}})),
        vault.anonymous().post("sys/unseal", json!({"key": "zz"})),
        vault.anonymous().get("there/a"),
    ] {
        for told in ["127.0.0.1", "localhost", "/tmp", "/work", "src/", "panicked", ".rs:"] {
            assert!(!answer.text.contains(told), "{}", answer.text);
        }
    }
}

/// Names as a URL has them, that mean something to somebody.
const NAMES: [&str; 27] = [
    "%00",
    "a%00b",
    "%ff%fe",
    "%c0%ae%c0%ae",
    "%ef%bf%bf",
    "%f0%9f%92%a9",
    "%e2%80%ae",
    "a%0d%0ab",
    "%7f",
    ".",
    "..",
    "*",
    "+",
    "a*",
    "%25",
    "%2525",
    "'",
    "%22",
    "%5c",
    "%3b",
    "$(x)",
    "{{x}}",
    "%20",
    "con",
    "-",
    "%cc%81",
    "%c2%a0",
];

/// Where something is called by the name that follows.
const FOLDERS: [&str; 16] = [
    "kv/",
    "kv2/data/",
    "kv2/metadata/",
    "cubbyhole/",
    "sys/policies/acl/",
    "sys/mounts/",
    "sys/namespaces/",
    "auth/userpass/users/",
    "identity/entity/name/",
    "identity/group/name/",
    "auth/token/roles/",
    "database/roles/",
    "sys/quotas/rate-limit/",
    "sys/policies/password/",
    "sys/leases/lookup/",
    "sys/internal/ui/mounts/",
];

#[test]
fn cve_2023_3774_hostile_names() {
    let vault = TestVault::new();
    let root = vault.root();
    for (path, kind) in [("sys/mounts/kv", "kv"), ("sys/mounts/kv2", "kv-v2"), ("sys/mounts/database", "database")] {
        root.post(path, json!({ "type": kind })).ok();
    }
    userpass(&vault, "userpass", json!({}));
    let long = "x".repeat(4080);
    let many = "a/".repeat(2000) + "a";
    let names = NAMES.into_iter().chain([long.as_str(), &many]);
    let body = |path: &str| match path {
        "kv2/data/" => json!({"data": {"x": 1}}),
        "sys/policies/acl/" => json!({"policy": "path \"a\" { capabilities = [\"read\"] }"}),
        "sys/mounts/" => json!({"type": "kv"}),
        _ => json!({"x": 1, "password": super::PASSWORD, "name": "n"}),
    };
    for below in FOLDERS {
        for name in names.clone() {
            let path = format!("{below}{name}");
            for method in ["POST", "GET", "LIST", "DELETE"] {
                let body = body(below).to_string();
                let answer = root.send(method, &path, (method == "POST").then_some(body.as_bytes()));
                assert!(answer.status < 500, "{method} {path}: {} {}", answer.status, answer.text);
            }
        }
    }
    // A text that is too long for a key as a field, not as a path.
    for path in ["identity/entity", "identity/group"] {
        for name in [&long, "\u{0}", "a\u{0}b", "\u{202e}x"] {
            let answer = root.post(path, json!({ "name": name }));
            assert!(answer.status < 500, "{path}: {}", answer.text);
        }
    }
    root.get("sys/mounts").is(200);
}

/// No file of the machine is named through the API, unless the operator's file says that it may be.
#[test]
fn cve_2025_6000_audit_files_made_through_the_api() {
    let vault = TestVault::new();
    let root = vault.root();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("plugin");
    for kind in ["file", "socket", "syslog", "http"] {
        let options = json!({
            "file_path": path, "path": path, "prefix": "#!/bin/sh\n", "mode": "0777", "address": "127.0.0.1:1", "url": "http://127.0.0.1:1/",
        });
        for api in ["sys/audit/evil", "sys/audit/evil/deeper"] {
            root.post(api, json!({"type": kind, "options": options})).is(400);
        }
    }
    assert!(!path.exists());
    assert_eq!(root.get("sys/audit").data().as_object().unwrap().len(), 1);
    // Nor is a plugin run: there are none but those that are built in.
    for method in ["POST", "PUT", "DELETE"] {
        let body = json!({"sha256": "00", "command": "sh", "args": ["-c", "true"]}).to_string();
        let answer = root.send(method, "sys/plugins/catalog/secret/evil", Some(body.as_bytes()));
        assert!(matches!(answer.status, 404 | 405), "{} {}", answer.status, answer.text);
    }
    // Where the API may make files, none of them can be run.
    let settings = arca::vault::Settings { allow_api_audit: true, ..Default::default() };
    let vault = Setup { settings, ..Setup::default() }.start();
    let options = json!({"file_path": path, "mode": "0777"});
    let answer = vault.root().post("sys/audit/evil", json!({"type": "file", "options": options}));
    let executable =
        fs::metadata(&path).is_ok_and(|made| std::os::unix::fs::PermissionsExt::mode(&made.permissions()) & 0o111 != 0);
    assert!(answer.status == 400 || !executable, "{}", answer.text);
}

#[test]
fn cve_2026_115363_secrets_in_the_sanitized_configuration() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let config = folder.path().join("arca.hcl");
    let canary = "canary5PkQz";
    let token = folder.path().join(canary);
    fs::write(&token, format!("{canary}-token")).unwrap();
    let more = format!(
        "audit \"http\" \"siem\" {{\n  options {{\n    url = \"http://127.0.0.1:9/{canary}\"\n    token_file = {token:?}\n    \
         spool_path = {:?}\n  }}\n}}\n",
        folder.path().join("spool"),
    );
    fs::write(&config, fs::read_to_string(&config).unwrap() + &more).unwrap();
    let process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    let key = fs::read_to_string(folder.path().join("server-key.pem")).unwrap();
    for path in ["sys/config/state/sanitized", "sys/internal/specs/openapi", "sys/host-info", "sys/seal-status"] {
        let shown = root.get(path).ok();
        assert!(!shown.text.contains(canary) && !shown.text.contains(key.lines().nth(1).unwrap()), "{path}");
    }
    for path in ["sys/config/state/sanitized", "sys/host-info"] {
        process.anonymous().get(path).is(403);
    }
    assert!(!fs::read_to_string(folder.path().join("server.log")).unwrap().contains("canary5PkQz-token"));
}

#[test]
fn cve_2020_35192_user_of_the_image() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("deploy/Dockerfile")).unwrap();
    let last = text.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch"), "the last stage has a system in it, with users of its own");
    let user = last.lines().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    let number: u32 = user.split(':').next().unwrap().parse().unwrap();
    assert!(number >= 1000);
    let made = fs::read_to_string(root.join("deploy/assemble.sh")).unwrap();
    assert!(made.contains("/sbin/nologin") && !format!("{text}{made}").contains("root:"));
    assert!(!last.contains("RUN "), "there is no shell");
}

/// A listing is not a way around: what is served as `LIST` is served as `GET ?list=true` under the same rule.
#[test]
fn cve_2021_3282_no_verb_without_a_rule() {
    let routes = routes();
    let rule = |path: &str, operation: Operation| {
        routes
            .iter()
            .find(|(mount, info)| format!("{mount}{}", info.route.pattern) == path && info.route.operation == operation)
    };
    for path in ["sys/leases", "sys/audit", "auth/token/accessors", "sys/plugins/catalog/{type}"] {
        let found = [Operation::Read, Operation::List].into_iter().filter_map(|operation| rule(path, operation));
        for (_, info) in found {
            assert_eq!(info.route.access, Access::Sudo, "{path}");
        }
    }
    let vault = TestVault::new();
    let all = "path \"*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\"] }";
    let client = vault.with_policy("all", all);
    for path in ["auth/token/accessors", "sys/leases/lookup/auth"] {
        client.list(path).is(403);
        client.get(&format!("{path}?list=true")).is(403);
    }
    client.get("sys/audit").is(403);
}
