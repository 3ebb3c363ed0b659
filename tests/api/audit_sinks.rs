//! Audit lines that go to other machines: none is lost, whichever side dies, and one that comes twice is the same.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use arca::audit::SinkState;
use arca::chain::{Link, Start, Verifier, VerifyingKey};
use arca::vault::{DeclaredAudit, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Certificates, Client, Collector, Does, Inlet, Process, Rsyslog, Setup, TestVault, eventually};

/// What is recorded in a line of any format, the chain's members among it.
pub(super) fn recorded(line: &str) -> Value {
    if let Some((_, escaped)) = line.split_once(" arca={").filter(|_| line.starts_with("CEF:0|")) {
        let (mut plain, mut letters) = ("{".to_owned(), escaped.chars());
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next().expect(line) {
                    'n' => plain.push('\n'),
                    'r' => plain.push('\r'),
                    other => plain.push(other),
                },
                other => plain.push(other),
            }
        }
        return serde_json::from_str(&plain).expect(&plain);
    }
    let mut whole: Value = serde_json::from_str(line).expect(line);
    let Some(inner) = ["arca", "unmapped"].iter().find_map(|name| whole.get(name).filter(|it| it.is_object())) else {
        return whole;
    };
    let mut inner = inner.clone();
    for name in ["seq", "node", "prev", "hash"] {
        inner[name] = whole[name].take();
    }
    inner
}

/// Lines that arrived, by their numbers. A line that came twice must be the same.
pub(super) fn by_seq(lines: &[String]) -> BTreeMap<u64, String> {
    let mut found: BTreeMap<u64, String> = BTreeMap::new();
    for line in lines {
        let value = recorded(line);
        let before = found.insert(value["seq"].as_u64().unwrap(), line.clone());
        assert!(before.is_none_or(|before| before == *line), "two different lines have the same number: {line}");
    }
    found
}

/// What arrived is a whole chain, from its first line to one that is no earlier than `last`.
#[track_caller]
pub(super) fn assert_whole(lines: &[String], key: &VerifyingKey) -> BTreeMap<u64, String> {
    let found = by_seq(lines);
    let expected: Vec<u64> = (1..=found.len() as u64).collect();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), expected, "lines are missing");
    let text: String = found.values().flat_map(|line| [line.as_str(), "\n"]).collect();
    let mut verifier = Verifier::new(vec![key.clone()], Start::After(Link::GENESIS));
    verifier.read(&mut text.as_bytes()).unwrap();
    let report = verifier.finish(None);
    assert!(report.is_intact(), "{report:?}");
    found
}

/// The numbers that were written to `cubbyhole/<number>`, requests and responses counted.
pub(super) fn writes(lines: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for line in lines {
        let value = recorded(&line);
        let path = value["request"]["path"].as_str().unwrap_or_default();
        if let Some(number) = path.strip_prefix("cubbyhole/") {
            *found.entry(format!("{} {number}", value["type"])).or_default() += 1;
        }
    }
    found
}

pub(super) fn device(kind: &str, options: &[(&str, &str)]) -> DeclaredAudit {
    DeclaredAudit {
        kind: kind.to_owned(),
        path: "siem/".to_owned(),
        description: String::new(),
        options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

/// A vault with this device beside its file.
pub(super) fn vault_with(device: DeclaredAudit) -> TestVault {
    let mut settings = Settings::default();
    settings.audit.push(device);
    Setup { settings, ..Setup::default() }.start()
}

pub(super) fn state(vault: &TestVault) -> SinkState {
    let states = vault.unsealed().core.audit.sink_states();
    states.iter().find(|(path, _)| path == "siem/").expect("the device").1
}

pub(super) fn write_some(client: &Client, numbers: std::ops::Range<u32>) {
    for number in numbers {
        client.post(&format!("cubbyhole/{number}"), json!({"n": number})).ok();
    }
}

/// Both sides are killed, each while the other runs and together: rsyslog over TLS has every line in the end.
#[test]
fn rsyslog_over_tls_gets_every_line_whoever_dies() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let mut rsyslog = Rsyslog::start(folder.path(), Inlet::Tls);
    append(&folder.path().join("arca.hcl"), &tls_device(folder.path(), rsyslog.port));
    let mut process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    let key = root.audit_key();
    write_some(&root, 0..20);
    rsyslog.kill();
    write_some(&root, 20..40);
    process.kill();
    process = Process::start(folder.path(), &certificates);
    process.unseal(&share);
    let root = process.anonymous().with_token(&token);
    write_some(&root, 40..50);
    rsyslog.resume();
    write_some(&root, 50..60);
    process.kill();
    process = Process::start(folder.path(), &certificates);
    process.unseal(&share);
    write_some(&process.anonymous().with_token(&token), 60..70);
    assert!(process.stop());
    // What could not be sent before the end is sent by the next life.
    process = Process::start(folder.path(), &certificates);
    process.unseal(&share);
    let log = fs::read_to_string(folder.path().join("audit.log")).unwrap();
    let expected = writes(log.lines().map(str::to_owned));
    assert_eq!(expected.len(), 140);
    let prefix = "local3 info arca ";
    let arrived = || -> Vec<String> {
        rsyslog.lines().iter().map(|line| line.strip_prefix(prefix).expect(line).trim_start().to_owned()).collect()
    };
    let has_all = || {
        let found = writes(by_seq(&arrived()).into_values());
        expected.keys().all(|write| found.contains_key(write)).then_some(())
    };
    eventually("every line is there", has_all);
    let found = assert_whole(&arrived(), &VerifyingKey::parse(&key).unwrap());
    assert_eq!(writes(found.into_values()), expected);
    process.stop();
}

/// The device of a configuration file that sends to rsyslog with the certificates of the folder.
fn tls_device(folder: &Path, port: u16) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    format!(
        "audit \"syslog\" \"siem\" {{\n  options {{\n    address = \"tls://localhost:{}\"\n    facility = \"LOCAL3\"\n    \
         ca_file = {:?}\n    client_cert_file = {:?}\n    client_key_file = {:?}\n  }}\n}}\n",
        port,
        file("ca.pem"),
        file("client.pem"),
        file("client-key.pem"),
    )
}

pub(super) fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

#[test]
fn rsyslog_gets_datagrams() {
    let folder = TempDir::new().unwrap();
    Certificates::write(folder.path());
    let rsyslog = Rsyslog::start(folder.path(), Inlet::Datagrams);
    let spool = folder.path().join("spool").display().to_string();
    for (address, tag) in [
        (format!("udp://127.0.0.1:{}", rsyslog.port), "over-udp"),
        (format!("unix://{}", rsyslog.socket().display()), "over-unix"),
    ] {
        let spool = format!("{spool}-{tag}");
        let options = [("address", address.as_str()), ("tag", tag), ("spool_path", &spool)];
        let vault = vault_with(device("syslog", &options));
        write_some(&vault.root(), 0..5);
        let key = vault.unsealed().core.audit_key.clone();
        let arrived = || -> Vec<String> {
            let prefix = format!("auth info {tag} ");
            let lines = rsyslog.lines();
            lines
                .iter()
                .filter_map(|line| line.strip_prefix(&prefix))
                .map(|line| line.trim_start().to_owned())
                .collect()
        };
        eventually("the lines", || (writes(arrived().into_iter()).len() == 10).then_some(()));
        vault.finish();
        eventually("the last checkpoint", || arrived().iter().any(|line| line.contains("\"stop\"")).then_some(()));
        assert_whole(&arrived(), &key);
    }
}

/// A line that no datagram can hold is not lost: the server hears which one it is, and the line is kept.
#[test]
fn a_line_that_fits_no_datagram_is_kept_and_named() {
    let folder = TempDir::new().unwrap();
    Certificates::write(folder.path());
    let rsyslog = Rsyslog::start(folder.path(), Inlet::Datagrams);
    let (spool, address) = (folder.path().join("spool"), format!("udp://127.0.0.1:{}", rsyslog.port));
    let options = [("address", address.as_str()), ("spool_path", spool.to_str().unwrap())];
    let vault = vault_with(device("syslog", &options));
    vault.root().post("cubbyhole/large", large_body()).ok();
    let refused = eventually("the line is kept", || {
        let text = fs::read_to_string(spool.join("refused.log")).ok()?;
        text.ends_with('\n').then_some(text)
    });
    let refused: Value = serde_json::from_str(refused.lines().next().unwrap()).unwrap();
    let named = eventually("the server hears of it", || {
        let lines = rsyslog.lines();
        let line = lines.iter().find(|line| line.contains("\"oversized\""))?.clone();
        serde_json::from_str::<Value>(&line[line.find('{')?..]).ok()
    });
    assert_eq!((&named["seq"], &named["hash"], &named["node"]), (&refused["seq"], &refused["hash"], &refused["node"]));
    // It is counted behind the message that names it.
    eventually("it is counted", || (state(&vault).refused >= 1).then_some(()));
}

/// Numbers under long names, which stay in clear: a line of more than 64 KiB.
fn large_body() -> Value {
    (0..900).map(|number| (format!("{number:0>100}"), Value::from(number))).collect::<serde_json::Map<_, _>>().into()
}

#[test]
fn a_collector_that_does_its_worst_gets_every_line() {
    let script = [
        Does::HangsUp,
        Does::Refuses(503, Some(1)),
        Does::TakesAndHangsUp,
        Does::Refuses(429, None),
        Does::Delays(300),
        Does::Refuses(401, None),
        Does::TakesAndHangsUp,
    ];
    let mut collector = Collector::http(&script);
    let folder = TempDir::new().unwrap();
    let (url, token) = (format!("http://{}/in", collector.address), folder.path().join("token"));
    fs::write(&token, "s3cr3t-canary\n").unwrap();
    let spool = folder.path().join("spool");
    let options = [
        ("url", url.as_str()),
        ("token_file", token.to_str().unwrap()),
        ("spool_path", spool.to_str().unwrap()),
        ("batch_bytes", "4096"),
    ];
    let vault = vault_with(device("http", &options));
    let key = vault.unsealed().core.audit_key.clone();
    write_some(&vault.root(), 0..20);
    eventually("the first lines", || (collector.taken().len() > 10).then_some(()));
    collector.stop();
    write_some(&vault.root(), 20..40);
    eventually("it is noticed", || state(&vault).last_error.filter(|_| !state(&vault).connected));
    assert!(state(&vault).spool_lines >= 40);
    collector.resume();
    eventually("the spool is empty", || (state(&vault).spool_lines == 0).then_some(()));
    assert!(state(&vault).connected && state(&vault).refused == 0);
    let listed = vault.root().get("sys/audit").ok().text;
    assert!(listed.contains("token_file") && !listed.contains("s3cr3t-canary"), "{listed}");
    vault.finish();
    let found = assert_whole(&collector.taken(), &key);
    assert_eq!(writes(found.into_values()).len(), 80);
    assert!(collector.taken().len() > by_seq(&collector.taken()).len(), "what was taken unheard came twice");
    let heads = collector.requests();
    assert!(heads.iter().all(|head| head.to_lowercase().contains("authorization: bearer s3cr3t-canary")), "{heads:?}");
}

#[test]
fn a_socket_that_hangs_up_gets_every_line() {
    let mut collector = Collector::lines();
    let folder = TempDir::new().unwrap();
    let (address, spool) = (collector.address.to_string(), folder.path().join("spool"));
    let options = [("address", address.as_str()), ("spool_path", spool.to_str().unwrap())];
    let vault = vault_with(device("socket", &options));
    let key = vault.unsealed().core.audit_key.clone();
    for round in 0..5_u32 {
        write_some(&vault.root(), round * 10..round * 10 + 10);
        match round {
            0 | 2 => collector.hang_up(),
            1 => collector.stop(),
            _ => {}
        }
        if round == 2 {
            collector.resume();
        }
    }
    eventually("every write", || (writes(by_seq(&collector.taken()).into_values()).len() == 100).then_some(()));
    vault.finish();
    eventually("the end", || collector.taken().iter().any(|line| line.contains("\"stop\"")).then_some(()));
    let found = assert_whole(&collector.taken(), &key);
    assert_eq!(writes(found.into_values()).values().copied().collect::<Vec<_>>(), vec![1; 100]);
}

/// A vault whose only device is this one, over a collector that is away.
fn filling(full: &str, spool: &Path) -> (TestVault, Collector) {
    let mut collector = Collector::http(&[]);
    collector.stop();
    let url = format!("http://{}/", collector.address);
    let mut settings = Settings::default();
    let options = [
        ("url", url.as_str()),
        ("spool_path", spool.to_str().unwrap()),
        ("spool_max_bytes", "1048576"),
        ("spool_full", full),
    ];
    settings.audit.push(device("http", &options));
    (Setup { settings, audited: false, ..Setup::default() }.start(), collector)
}

#[test]
fn a_full_spool_refuses_requests_until_there_is_room() {
    let folder = TempDir::new().unwrap();
    let (vault, mut collector) = filling("block", &folder.path().join("spool"));
    let root = vault.root();
    let refused = (0..100).map(|_| root.post("cubbyhole/large", large_body())).find(|answer| answer.status == 500);
    assert!(refused.expect("the spool runs full").text.contains("could not be recorded"));
    vault.anonymous().get("sys/health").is(200);
    // A vault that could not be unsealed over a full spool would never empty it.
    root.post("sys/seal", json!({}));
    eventually("it is sealed", || (vault.anonymous().get("sys/health").status == 503).then_some(()));
    vault.unseal();
    root.post("cubbyhole/large", large_body()).is(500);
    collector.resume();
    eventually("there is room", || (root.get("sys/mounts").status == 200).then_some(()));
    let key = vault.unsealed().core.audit_key.clone();
    vault.finish();
    assert_whole(&collector.taken(), &key);
}

#[test]
fn a_full_spool_that_drops_entries_says_how_many() {
    let folder = TempDir::new().unwrap();
    let (vault, mut collector) = filling("drop", &folder.path().join("spool"));
    let root = vault.root();
    for _ in 0..30 {
        root.post("cubbyhole/large", large_body()).ok();
    }
    write_some(&root, 0..30);
    let dropped = state(&vault).dropped;
    assert!(dropped > 15, "{dropped}");
    // Not even a restart makes them forgotten.
    vault.root().post("sys/seal", json!({})).ok();
    vault.unseal();
    collector.resume();
    eventually("the spool is empty", || (state(&vault).spool_lines == 0).then_some(()));
    root.get("sys/mounts").ok();
    let key = vault.unsealed().core.audit_key.clone();
    vault.finish();
    let found = assert_whole(&collector.taken(), &key);
    let told = found.values().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: u64 =
        told.filter(|line| line["type"] == "dropped").map(|line| line["dropped"]["entries"].as_u64().unwrap()).sum();
    // To seal, and what is asked until the collector is back, may be among them.
    assert!((dropped..=dropped + 10).contains(&told), "{told} {dropped}");
}

#[test]
fn a_disabled_device_is_enabled_again_where_it_was() {
    let mut collector = Collector::http(&[]);
    collector.stop();
    let folder = TempDir::new().unwrap();
    let settings = Settings { allow_api_audit: true, ..Settings::default() };
    let vault = Setup { settings, ..Setup::default() }.start();
    let root = vault.root();
    let url = format!("http://{}/", collector.address);
    let enable = |name: &str, value: &str| {
        let mut options = json!({"url": url, "spool_path": folder.path().join("spool")});
        options[name] = Value::from(value);
        root.post("sys/audit/siem", json!({"type": "http", "options": options}))
    };
    assert!(enable("tokenfile", "/x").is(400).text.contains("unknown option \\\"tokenfile\\\""));
    assert!(enable("url", "nowhere").is(400).text.contains("url must be"));
    assert!(enable("spool_path", "/dev/null/x").is(400).text.contains("spool_path"));
    enable("gzip", "false").ok();
    write_some(&root, 0..5);
    root.delete("sys/audit/siem").ok();
    root.get("cubbyhole/unseen").is(404);
    enable("gzip", "false").ok();
    write_some(&root, 5..10);
    collector.resume();
    eventually("the spool is empty", || (state(&vault).spool_lines == 0).then_some(()));
    let key = vault.unsealed().core.audit_key.clone();
    vault.finish();
    let found = assert_whole(&collector.taken(), &key);
    assert_eq!(writes(found.into_values()).len(), 20);
}
