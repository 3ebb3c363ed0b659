//! The audit log: everything is in it, before it is answered.

use std::fs;
use std::io::BufReader;

use arca::chain::{Link, Start, Verifier};
use serde_json::{Value, json};

use crate::support::{Setup, TestVault};

fn entries<'a>(log: &'a [Value], kind: &str, path: &str) -> Vec<&'a Value> {
    log.iter().filter(|entry| entry["type"] == kind && entry["request"]["path"] == path).collect()
}

#[test]
fn every_request_and_response_is_in_the_log() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("cubbyhole/seen", json!({"password": "hunter-two-marker"})).ok();
    root.get("cubbyhole/seen").ok();
    root.get("cubbyhole/absent").is(404);
    vault.with_policy("none", "path \"x\" { capabilities = [\"read\"] }").get("cubbyhole/denied").is(403);
    vault.anonymous().get("cubbyhole/nobody").is(403);
    vault.anonymous().with_token("s.nonsense").get("cubbyhole/stranger").is(403);
    root.send("POST", "cubbyhole/malformed", Some(b"{\"a\":")).is(400);
    root.with_header("x-vault-wrap-ttl", "soon").get("cubbyhole/misheaded").is(400);
    root.get("nowhere/at/all").is(404);
    vault.anonymous().get("sys/seal-status").ok();

    let log = vault.audit_log();
    for (path, requests) in [
        ("cubbyhole/seen", 2),
        ("cubbyhole/absent", 1),
        ("cubbyhole/denied", 1),
        ("cubbyhole/nobody", 1),
        ("cubbyhole/stranger", 1),
        ("cubbyhole/malformed", 1),
        ("cubbyhole/misheaded", 1),
        ("nowhere/at/all", 1),
    ] {
        assert_eq!(entries(&log, "request", path).len(), requests, "requests of {path}");
        assert_eq!(entries(&log, "response", path).len(), requests, "responses of {path}");
    }
    let denied = entries(&log, "response", "cubbyhole/denied")[0];
    assert!(denied["error"].as_str().unwrap().contains("permission denied"), "{denied}");
    let text = fs::read_to_string(vault.audit_path()).unwrap();
    for secret in ["hunter-two-marker", root.token(), "s.nonsense"] {
        assert!(!text.contains(secret), "{secret} is in the log");
    }
    let written = entries(&log, "request", "cubbyhole/seen")[0];
    assert!(written["request"]["data"]["password"].as_str().unwrap().starts_with("hmac-sha256:"), "{written}");
}

#[test]
fn the_log_verifies_and_an_edit_shows() {
    let vault = TestVault::new();
    let root = vault.root();
    for number in 0..20 {
        root.post("cubbyhole/a", json!({"n": number})).ok();
    }
    let key = vault.unsealed().core.audit_key.clone();
    let path = vault.audit_path();
    let folder = vault.finish();
    let text = fs::read_to_string(&path).unwrap();
    let verified = |text: &str| {
        let mut verifier = Verifier::new(vec![key.clone()], Start::After(Link::GENESIS));
        verifier.read(&mut BufReader::new(text.as_bytes())).unwrap();
        verifier.finish(None)
    };
    let report = verified(&text);
    assert!(report.is_intact(), "{report:?}");
    assert!(report.counts.lines > 40 && report.counts.unsigned_lines == 0, "{:?}", report.counts);
    assert!(!verified(&text.replacen("cubbyhole/a", "cubbyhole/b", 1)).is_intact());
    let without: Vec<&str> =
        text.lines().enumerate().filter(|(number, _)| *number != 7).map(|(_, line)| line).collect();
    assert!(!verified(&format!("{}\n", without.join("\n"))).is_intact());
    drop(folder);
}

#[test]
fn what_cannot_be_audited_is_not_done() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("cubbyhole/a", json!({"x": 1})).ok();
    // The log's place becomes a folder: when it is opened anew, it cannot be written.
    let path = vault.audit_path();
    let kept = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let unsealed = vault.unsealed();
    assert!(vault.run(unsealed.core.audit.reopen()).is_err());
    // As after a log that was lost, whatever the device does about it: either it goes on in the old file, or it refuses.
    let answer = root.post("cubbyhole/b", json!({"x": 1}));
    assert!(matches!(answer.status, 204 | 500), "{} {}", answer.status, answer.text);
    vault.anonymous().get("sys/health").is(200);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, kept).unwrap();
    vault.run(unsealed.core.audit.reopen()).unwrap();
    root.get("cubbyhole/a").is(200);
}

#[test]
fn a_full_disk_under_the_log_refuses_requests_and_answers_health() {
    let mut settings = arca::vault::Settings::default();
    let full = arca::vault::DeclaredAudit {
        kind: "file".to_owned(),
        path: "full/".to_owned(),
        description: String::new(),
        options: [("file_path".to_owned(), "/dev/full".to_owned())].into(),
    };
    settings.audit.push(full);
    let mut vault = Setup { settings, audited: false, unsealed: false, ..Setup::default() }.start();
    vault.initialise(1, 1);
    // A device that takes nothing keeps the vault sealed: nothing is to happen that is not on record.
    let share = vault.shares[0].clone();
    let answer = vault.anonymous().post("sys/unseal", json!({"key": share}));
    assert!(answer.status >= 400, "{}", answer.text);
    assert_eq!(vault.anonymous().get("sys/seal-status").ok().json()["sealed"], true);
    vault.anonymous().get("sys/health").is(503);
}

#[test]
fn the_log_goes_on_after_a_seal() {
    let vault = TestVault::new();
    let root = vault.root();
    // Two at once: neither waits for the other to end.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert!(matches!(root.post("sys/seal", json!({})).status, 204 | 503)));
        }
    });
    vault.unseal();
    root.get("sys/mounts").ok();
    let key = vault.unsealed().core.audit_key.clone();
    let path = vault.audit_path();
    let _folder = vault.finish();
    let mut verifier = Verifier::new(vec![key], Start::After(Link::GENESIS));
    verifier.read(&mut BufReader::new(fs::File::open(path).unwrap())).unwrap();
    let report = verifier.finish(None);
    assert!(report.is_intact() && report.counts.gaps == 0, "{report:?}");
}
