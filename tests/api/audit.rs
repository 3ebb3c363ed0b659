//! The audit log: everything is in it, before it is answered.

use std::fs;
use std::io::BufReader;
use std::sync::Arc;

use arca::chain::{Link, Start, Verifier};
use arca::storage::fault::{FaultyStorage, Moment};
use arca::storage::{MemoryStorage, StorageError};
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

#[test]
fn a_device_is_there_as_long_as_it_is_on_record() {
    let storage = Arc::new(FaultyStorage::new(Arc::new(MemoryStorage::new())));
    let settings = arca::vault::Settings { allow_api_audit: true, ..Default::default() };
    let vault = Setup { settings, storage: storage.clone(), ..Setup::default() }.start();
    let root = vault.root();
    let file = vault.audit_path().with_file_name("more.log");
    let device = json!({"type": "file", "options": {"file_path": file.display().to_string()}});
    storage.break_at_commit(storage.commits() + 1, Moment::Before, StorageError::Full);
    root.post("sys/audit/more", device.clone()).refuses(500, "the disk is full");
    let lines = || fs::read_to_string(&file).unwrap().lines().count();
    let before = lines();
    storage.mend();
    root.post("cubbyhole/a", json!({"x": 1})).ok();
    assert_eq!(lines(), before, "nothing more is written to it");
    root.post("sys/audit/more", device).ok();
    root.post("cubbyhole/a", json!({"x": 1})).ok();
    assert!(lines() > before);

    // One that cannot be taken off the record goes on.
    storage.break_at_commit(storage.commits() + 1, Moment::Before, StorageError::Full);
    root.delete("sys/audit/more").refuses(500, "the disk is full");
    storage.mend();
    let before = lines();
    root.post("cubbyhole/a", json!({"x": 1})).ok();
    assert!(lines() > before);
    root.delete("sys/audit/more").ok();
    let before = lines();
    root.post("cubbyhole/a", json!({"x": 1})).ok();
    assert_eq!(lines(), before);
}

#[test]
fn devices_have_filters_formats_and_rotation() {
    let settings = arca::vault::Settings { allow_api_audit: true, ..Default::default() };
    let vault = Setup { settings, audited: false, ..Setup::default() }.start();
    let root = vault.root();
    let folder = vault.audit_path().parent().unwrap().to_owned();
    let path = |name: &str| folder.join(name).display().to_string();
    let some = json!({"type": "file", "options": {
        "file_path": path("some.log"), "format": "ocsf", "rotate_bytes": "4KiB",
        "filter": "type == 'response' && path.startsWith('cubbyhole/')",
    }});
    let refused = root.post("sys/audit/some", some.clone()).is(400);
    assert!(refused.text.contains("the first audit device must have no filter"), "{}", refused.text);
    root.post("sys/audit/all", json!({"type": "file", "options": {"file_path": path("all.log"), "format": "cef"}}))
        .ok();
    root.post("sys/audit/some", some.clone()).ok();
    for (option, value, message) in [
        ("filter", "path = 'a'", "line 1, column"),
        ("filter", "pth == 'a'", "unknown name at line 1, column 1"),
        ("format", "xml", "unknown format type"),
        ("rotate_bytes", "1", "rotate_bytes must be"),
        ("rotate", "1", "unknown option"),
    ] {
        let options = json!({"file_path": path("more.log"), option: value});
        let refused = root.post("sys/audit/more", json!({"type": "file", "options": options})).is(400);
        assert!(refused.text.contains(message), "{}", refused.text);
    }
    assert_eq!(root.get("sys/audit").data()["some/"]["options"], some["options"]);
    for number in 0..20 {
        root.post("cubbyhole/a", json!({"n": number, "text": "a secret marker"})).ok();
    }
    assert!(root.delete("sys/audit/all").is(400).text.contains("all have a filter"));
    // Sealed and unsealed, the devices are there again, whichever was stored first.
    root.post("sys/seal", json!({})).ok();
    vault.unseal();
    root.get("cubbyhole/a").ok();
    assert_eq!(root.get("sys/audit").data().as_object().unwrap().len(), 2);
    let key = vault.unsealed().core.audit_key.clone();
    let _folder = vault.finish();
    let verified = |prefix: &str| {
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.file_name().unwrap().to_str().unwrap().starts_with(prefix));
        files.sort();
        // The one without a time is the newest.
        files.rotate_left(1);
        let mut verifier = Verifier::new(vec![key.clone()], Start::After(Link::GENESIS));
        let mut text = String::new();
        for file in &files {
            verifier.read(&mut BufReader::new(fs::File::open(file).unwrap())).unwrap();
            text.push_str(&fs::read_to_string(file).unwrap());
        }
        let report = verifier.finish(None);
        assert!(report.is_intact() && report.counts.gaps == 0, "{report:?}");
        assert!(!text.contains("a secret marker"));
        (files.len(), text)
    };
    let (files, text) = verified("some.log");
    assert!(files > 2, "{files}");
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let taken: Vec<_> = events.filter(|event| event["unmapped"]["type"] != "checkpoint").collect();
    // The responses that the filter asks for, and the test of the device each time that it was opened.
    assert_eq!(taken.len(), 23);
    assert!(taken.iter().all(|event| event["class_uid"] == 6003 && event["api"]["operation"].is_string()));
    let (_, text) = verified("all.log");
    assert!(text.lines().all(|line| line.starts_with("CEF:0|Arca|arcad|")));
}
