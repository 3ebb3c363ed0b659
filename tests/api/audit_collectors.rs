//! Audit lines at the products that collect them: over TLS with certificates on both sides, in each format, by the rules of
//! each API, whichever side dies.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arca::vault::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Api, Certificates, Collector, Does, Process, Setup, TestVault, eventually};

use super::audit_sinks::{append, assert_whole, by_seq, device, recorded, state, vault_with, write_some, writes};

/// The options that show a certificate of the folder, and trust its authority.
fn certified(folder: &Path) -> Vec<(&'static str, String)> {
    [("ca_file", "ca.pem"), ("client_cert_file", "client.pem"), ("client_key_file", "client-key.pem")]
        .map(|(option, name)| (option, folder.join(name).display().to_string()))
        .to_vec()
}

/// A file with the token that collectors want.
fn token_file(folder: &Path) -> String {
    let path = folder.join("token");
    fs::write(&path, "s3cr3t-canary\n").unwrap();
    path.display().to_string()
}

/// What the vault's audit file has of what was written.
fn in_file(path: &Path) -> BTreeMap<String, usize> {
    writes(fs::read_to_string(path).unwrap().lines().map(str::to_owned))
}

fn borrowed<'a>(options: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    options.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// That all is delivered, by the rules of the collector's API.
#[track_caller]
fn assert_delivered(vault: &TestVault, collector: &Collector) {
    eventually("the spool is empty", || {
        assert!(collector.faults().is_empty(), "{:?}", collector.faults());
        (state(vault).spool_lines == 0).then_some(())
    });
}

/// A vault without a certificate delivers nothing, says so, and loses nothing until someone sets it right.
#[test]
fn a_collector_that_demands_a_certificate_gets_every_line() {
    let folder = TempDir::new().unwrap();
    let _certificates = Certificates::write(folder.path());
    let mut collector = Collector::product_over_tls(Api::Webhook, folder.path(), &[]);
    let settings = Settings { allow_api_audit: true, ..Settings::default() };
    let vault = Setup { settings, ..Setup::default() }.start();
    let root = vault.root();
    let enable = |without: &[&str]| {
        let mut options = json!({
            "url": format!("https://localhost:{}/in", collector.address.port()),
            "spool_path": folder.path().join("spool"),
        });
        for (name, value) in certified(folder.path()) {
            if !without.contains(&name) {
                options[name] = Value::from(value);
            }
        }
        root.post("sys/audit/siem", json!({"type": "http", "options": options})).ok();
    };
    for without in [&["client_cert_file", "client_key_file"][..], &["ca_file"]] {
        enable(without);
        write_some(&root, 0..5);
        eventually("it is noticed", || state(&vault).last_error.filter(|_| !state(&vault).connected));
        let health = vault.anonymous().get("sys/health").ok().json();
        assert_eq!(health["audit"], json!({"enabled": 2, "failing": 1}));
        root.delete("sys/audit/siem").ok();
    }
    assert!(collector.taken().is_empty());
    enable(&[]);
    write_some(&root, 5..10);
    assert_delivered(&vault, &collector);
    assert_eq!(vault.anonymous().get("sys/health").ok().json()["audit"], json!({"enabled": 2, "failing": 0}));
    collector.stop();
    write_some(&root, 10..20);
    collector.resume();
    assert_delivered(&vault, &collector);
    let key = vault.unsealed().core.audit_key.clone();
    let kept = in_file(&vault.audit_path());
    vault.finish();
    let found = assert_whole(&collector.taken(), &key);
    // The first five were written twice, once under each wrong device.
    assert_eq!(kept.values().sum::<usize>(), 50);
    assert_eq!(writes(found.into_values()), kept);
}

#[test]
fn a_socket_over_tls_gets_every_line() {
    let folder = TempDir::new().unwrap();
    let _certificates = Certificates::write(folder.path());
    let mut collector = Collector::lines_over_tls(folder.path());
    let mut options = certified(folder.path());
    options.extend([
        ("address", format!("localhost:{}", collector.address.port())),
        ("socket_type", "tcp+tls".to_owned()),
        ("spool_path", folder.path().join("spool").display().to_string()),
    ]);
    let vault = vault_with(device("socket", &borrowed(&options)));
    let key = vault.unsealed().core.audit_key.clone();
    for round in 0..5_u32 {
        write_some(&vault.root(), round * 10..round * 10 + 10);
        match round {
            0 => collector.hang_up(),
            1 => {
                eventually("the first lines", || (!collector.taken().is_empty()).then_some(()));
                collector.stop();
            }
            2 => {
                // What is in use on the other side comes and goes as well.
                vault.root().post("sys/seal", json!({})).ok();
                vault.unseal();
                collector.resume();
            }
            _ => {}
        }
    }
    eventually("every write", || (writes(by_seq(&collector.taken()).into_values()).len() == 100).then_some(()));
    let kept = in_file(&vault.audit_path());
    vault.finish();
    eventually("the end", || collector.taken().iter().rev().any(|line| line.contains("\"stop\"")).then_some(()));
    let found = assert_whole(&collector.taken(), &key);
    assert_eq!(writes(found.into_values()), kept);
}

/// What a line says to whoever knows its format alone: what was done, on which path, with which outcome.
fn read(format: &str, line: &str) -> (String, String, String) {
    if format == "cef" {
        return read_cef(line);
    }
    let value: Value = serde_json::from_str(line).expect(line);
    let text = |pointer: &str| match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    match format {
        "ecs" => {
            assert_eq!((text("/ecs/version").as_str(), text("/event/dataset").as_str()), ("8.17.0", "arca.audit"));
            (text("/event/action"), text("/url/path"), text("/event/outcome"))
        }
        "ocsf" => {
            assert!(["6003", "3002"].contains(&text("/class_uid").as_str()) && text("/metadata/version") == "1.4.0");
            (text("/api/operation"), text("/http_request/url/path"), text("/status_id"))
        }
        _ => (text("/request/operation"), format!("/v1/{}", text("/request/path")), text("/error")),
    }
}

/// The header by its bars, the extension by its keys; both have their escapes.
fn read_cef(line: &str) -> (String, String, String) {
    let (extension, _) = line.split_once(" arca={").expect(line);
    let header: Vec<&str> = extension.splitn(8, '|').collect();
    assert_eq!((header[0], header[1], header[2]), ("CEF:0", "Arca", "arcad"));
    let field = |name: &str| {
        let start = format!(" {name}=");
        let text = format!(" {}", header[7]);
        let found = text.split_once(&start).map(|(_, rest)| rest.to_owned()).unwrap_or_default();
        let next = found.match_indices('=').find(|(at, _)| !found[..*at].ends_with('\\')).map(|(at, _)| at);
        let end = next.and_then(|at| found[..at].rfind(' ')).unwrap_or(found.len());
        found[..end].replace("\\=", "=")
    };
    assert!(field("rt").parse::<u64>().unwrap() > 1_000_000_000_000, "{line}");
    (field("act"), field("request"), field("outcome"))
}

/// How a format says what came of it.
fn outcome(format: &str, entry: &Value) -> String {
    let has_failed = entry.get("error").is_some();
    let is_request = entry["type"] == "request";
    let said = match (format, has_failed, is_request) {
        ("ecs" | "cef", true, _) => "failure",
        ("ecs", false, true) => "unknown",
        ("ecs" | "cef", false, false) => "success",
        ("ocsf", true, _) => "2",
        ("ocsf", false, true) => "0",
        ("ocsf", false, false) => "1",
        ("cef", false, true) => "",
        _ => entry["error"].as_str().unwrap_or_default(),
    };
    said.to_owned()
}

/// What was done in the cubbyhole, by the request's id and the entry's type. Each device has entries of its own besides.
fn entries(lines: impl Iterator<Item = String>) -> BTreeMap<(String, String), (String, Value)> {
    let mut found = BTreeMap::new();
    for line in lines {
        let value = recorded(&line);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = text(&value["request"]["id"]);
        if text(&value["request"]["path"]).starts_with("cubbyhole/") {
            let before = found.insert((id, text(&value["type"])), (line, value));
            assert!(before.is_none(), "{before:?}");
        }
    }
    found
}

/// Each format arrives, can be read there, says what the file on this side says, and proves its chain.
#[test]
fn every_format_says_at_the_other_end_what_the_file_says_here() {
    for format in ["json", "ecs", "cef", "ocsf"] {
        let collector = Collector::http(&[Does::Refuses(503, None), Does::TakesAndHangsUp]);
        let folder = TempDir::new().unwrap();
        let (url, spool) = (format!("http://{}/in", collector.address), folder.path().join("spool"));
        let options = [("url", url.as_str()), ("spool_path", spool.to_str().unwrap()), ("format", format)];
        let vault = vault_with(device("http", &options));
        write_some(&vault.root(), 0..10);
        vault.root().post("cubbyhole/a=b", json!({"x": "y=z\n"})).ok();
        vault.anonymous().with_token("s.none").get("cubbyhole/denied").is(403);
        assert_delivered(&vault, &collector);
        let key = vault.unsealed().core.audit_key.clone();
        let files = vault.finish();
        let there = entries(assert_whole(&collector.taken(), &key).into_values());
        let kept = fs::read_to_string(files.path().join("audit.log")).unwrap();
        let here = entries(kept.lines().map(str::to_owned));
        assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>(), "{format}");
        assert_eq!(there.len(), 24, "{format}");
        for (key, (_, entry)) in &here {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let path = format!("/v1/{}", text(&entry["request"]["path"]));
            let expected = (text(&entry["request"]["operation"]), path, outcome(format, entry));
            assert_eq!(read(format, &there[key].0), expected, "{format}: {}", there[key].0);
        }
    }
}

/// Splunk: each event is the line as it is, and one that comes twice is the same.
#[test]
fn splunk_gets_every_line_over_busy_times_and_restarts() {
    let script = [
        Does::Refuses(503, Some(1)),
        Does::TakesAndHangsUp,
        Does::HangsUp,
        Does::Refuses(503, None),
        Does::TakesAndHangsUp,
    ];
    let folder = TempDir::new().unwrap();
    let mut collector = Collector::product(Api::SplunkHec, &script);
    let options = [
        ("url", format!("http://{}/services/collector/event", collector.address)),
        ("kind", "splunk_hec".to_owned()),
        ("token_file", token_file(folder.path())),
        ("spool_path", folder.path().join("spool").display().to_string()),
        ("batch_bytes", "8192".to_owned()),
    ];
    let vault = vault_with(device("http", &borrowed(&options)));
    let key = vault.unsealed().core.audit_key.clone();
    write_some(&vault.root(), 0..20);
    eventually("the first lines", || (collector.taken().len() > 10).then_some(()));
    collector.stop();
    write_some(&vault.root(), 20..30);
    vault.root().post("sys/seal", json!({})).ok();
    vault.unseal();
    write_some(&vault.root(), 30..40);
    collector.resume();
    assert_delivered(&vault, &collector);
    assert!(collector.has_played() && state(&vault).refused == 0);
    let kept = in_file(&vault.audit_path());
    vault.finish();
    let taken = collector.taken();
    let found = assert_whole(&taken, &key);
    assert!(taken.len() > found.len(), "what was taken unheard came twice");
    assert_eq!(writes(found.into_values()), kept);
}

/// Elasticsearch answers for each document: what may work later is sent again, alone; what never will is kept here; and
/// nothing is there twice.
#[test]
fn elasticsearch_answers_for_each_document() {
    let script = [
        Does::TakesPartly(&[400]),
        Does::TakesPartly(&[429]),
        Does::TakesAndHangsUp,
        Does::Refuses(503, None),
        Does::TakesPartly(&[503, 201, 429]),
        Does::TakesAndHangsUp,
    ];
    let folder = TempDir::new().unwrap();
    let mut collector = Collector::product(Api::Bulk, &script);
    let spool = folder.path().join("spool");
    let options = [
        ("url", format!("http://{}/arca-audit/_bulk", collector.address)),
        ("kind", "elasticsearch".to_owned()),
        ("token_file", token_file(folder.path())),
        ("spool_path", spool.display().to_string()),
        ("batch_bytes", "8192".to_owned()),
    ];
    let vault = vault_with(device("http", &borrowed(&options)));
    let key = vault.unsealed().core.audit_key.clone();
    write_some(&vault.root(), 0..30);
    assert_delivered(&vault, &collector);
    collector.stop();
    write_some(&vault.root(), 30..40);
    vault.root().post("sys/seal", json!({})).ok();
    vault.unseal();
    collector.resume();
    assert_delivered(&vault, &collector);
    assert!(collector.has_played());
    let refused = fs::read_to_string(spool.join("refused.log")).unwrap();
    let refused: Vec<String> = refused.lines().map(str::to_owned).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    let kept = in_file(&vault.audit_path());
    vault.finish();
    let documents = collector.taken();
    assert!(documents.iter().all(|document| *document != refused[0]));
    assert_eq!(by_seq(&documents).len(), documents.len(), "a document is there twice");
    assert!(collector.known_already() > 0, "what was taken unheard was there already");
    let all: Vec<String> = documents.into_iter().chain(refused).collect();
    let found = assert_whole(&all, &key);
    assert_eq!(writes(found.into_values()), kept);
}

/// The server as it is shipped, killed and started again, and a collector that goes and comes: over TLS with certificates on
/// both sides and compressed, every line is there, and each once.
#[test]
fn a_bulk_api_over_tls_has_every_line_once_whoever_dies() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let mut collector = Collector::product_over_tls(Api::Bulk, folder.path(), &[Does::TakesAndHangsUp]);
    let mut options = certified(folder.path());
    options.extend([
        ("url", format!("https://localhost:{}/arca-audit/_bulk", collector.address.port())),
        ("kind", "elasticsearch".to_owned()),
        ("token_file", token_file(folder.path())),
        ("gzip", "true".to_owned()),
    ]);
    let options: Vec<String> = options.iter().map(|(name, value)| format!("    {name} = {value:?}\n")).collect();
    let options = options.concat();
    let text = format!("audit \"http\" \"siem\" {{\n  options {{\n{options}  }}\n}}\n");
    append(&folder.path().join("arca.hcl"), &text);
    let mut process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    let key = root.audit_key();
    write_some(&root, 0..20);
    collector.stop();
    write_some(&root, 20..40);
    process.kill();
    process = Process::start(folder.path(), &certificates);
    process.unseal(&share);
    write_some(&process.anonymous().with_token(&token), 40..50);
    collector.resume();
    write_some(&process.anonymous().with_token(&token), 50..60);
    process.kill();
    process = Process::start(folder.path(), &certificates);
    process.unseal(&share);
    write_some(&process.anonymous().with_token(&token), 60..70);
    assert!(process.stop());
    // What could not be sent before the end is sent by the next life.
    process = Process::start(folder.path(), &certificates);
    process.unseal(&share);
    let expected = in_file(&folder.path().join("audit.log"));
    assert_eq!(expected.len(), 140);
    let has_all = || {
        assert!(collector.faults().is_empty(), "{:?}", collector.faults());
        let found = writes(by_seq(&collector.taken()).into_values());
        expected.keys().all(|write| found.contains_key(write)).then_some(())
    };
    eventually("every line is there", has_all);
    let documents = collector.taken();
    let found = assert_whole(&documents, &arca::chain::VerifyingKey::parse(&key).unwrap());
    assert_eq!((writes(found.into_values()), by_seq(&documents).len()), (expected, documents.len()));
    assert!(collector.known_already() > 0, "what was taken unheard was there already");
    process.stop();
}
