//! Backups, checkpoints and checks of a server that serves.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arca::api::Ttl;
use arca::backup::{BackupKey, Reader};
use arca::seal::parse_share;
use arca::secret::SecretText;
use arca::storage::{Batch, Key, MemoryStorage, Storage};
use arca::vault::{SealRecord, Settings, restore};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Setup, TestVault, copy_below};

/// The store that a backup makes.
fn restored(vault: &TestVault, backup: &[u8]) -> Arc<MemoryStorage> {
    let reader = Reader::open(backup).unwrap();
    let seal = SealRecord::of_backup(reader.meta()).unwrap();
    let shares: Vec<_> =
        vault.shares.iter().map(|share| parse_share(&SecretText::new(share.clone())).unwrap()).collect();
    let root = seal.open(&shares).unwrap();
    let salt = reader.meta().salt;
    let mut records = reader.unlock(BackupKey::derive(&root, &salt).unwrap()).unwrap();
    let storage = Arc::new(MemoryStorage::new());
    vault.run(async { restore(&mut records, Some(&*storage), &mut |_| {}).await }).unwrap();
    storage
}

#[test]
fn a_backup_has_what_there_was_and_its_shares_unseal_it() {
    let vault = TestVault::new();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    for n in 0..50 {
        root.post(&format!("kv/a{n}"), json!({"n": n, "text": "x".repeat(n * 100)})).ok();
    }
    let (status, media_type, backup) = root.bytes("sys/storage/raft/snapshot");
    assert_eq!((status, media_type.as_str()), (200, "application/gzip"));
    root.post("kv/a0", json!({"n": "later"})).ok();
    root.post("kv/later", json!({"n": 1})).ok();
    let request = vault.audit_log().into_iter().find(|line| line["request"]["path"] == "sys/storage/raft/snapshot");
    assert!(request.is_some(), "it is on record");
    let mut other = Setup { storage: restored(&vault, &backup), unsealed: false, ..Setup::default() }.start();
    other.adopt(&vault.shares, root.token());
    other.unseal();
    let found = other.root();
    for n in [0, 7, 49] {
        assert_eq!(found.get(&format!("kv/a{n}")).data()["n"], n);
    }
    found.get("kv/later").is(404);
}

#[test]
fn a_backup_is_one_state_while_others_write() {
    let folder = TempDir::new().unwrap();
    let vault = Setup::redb(folder.path()).start();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    for n in 0..40 {
        root.post(&format!("kv/m{n:02}"), json!({"text": "x".repeat(15_000)})).ok();
    }
    root.post("kv/a", json!({"n": 0})).ok();
    root.post("kv/z", json!({"n": 0})).ok();
    let over = std::sync::atomic::AtomicBool::new(false);
    let backups: Vec<Vec<u8>> = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 1.. {
                root.post("kv/a", json!({ "n": n })).ok();
                root.post("kv/z", json!({ "n": n })).ok();
                if over.load(std::sync::atomic::Ordering::SeqCst) {
                    break;
                }
            }
        });
        let taken = (0..3).map(|_| vault.root().bytes("sys/storage/raft/snapshot").2).collect();
        over.store(true, std::sync::atomic::Ordering::SeqCst);
        taken
    });
    for backup in backups {
        let mut other = Setup { storage: restored(&vault, &backup), unsealed: false, ..Setup::default() }.start();
        other.adopt(&vault.shares, root.token());
        other.unseal();
        let number = |path: &str| other.root().get(path).data()["n"].as_i64().unwrap();
        // What was written later is not there without what was written before it.
        let (a, z) = (number("kv/a"), number("kv/z"));
        assert!(a == z || a == z + 1, "{a} and {z}");
    }
}

/// More than the buffers between a server and a client who does not read.
const LARGE: usize = 48;

#[test]
fn a_backup_that_is_taken_while_the_vault_is_sealed_is_broken_off() {
    let storage = Arc::new(MemoryStorage::new());
    // Nobody is asked about records that are none.
    let settings = Settings { check_on_unseal: false, ..Settings::default() };
    let vault = Setup { storage: storage.clone(), settings, ..Setup::default() }.start();
    for n in 0..LARGE {
        let mut batch = Batch::new();
        batch.put(Key::new(format!("ns/root/zz/{n:02}")).unwrap(), vec![7; 1 << 20]);
        vault.run(async { storage.commit(batch).await }).unwrap();
    }
    let token = vault.root().token().to_owned();
    let request = format!("GET /v1/sys/storage/raft/snapshot HTTP/1.1\r\nHost: arca\r\nX-Vault-Token: {token}\r\n\r\n");
    let mut wire = vault.wire();
    wire.say(request.as_bytes()).unwrap();
    let mut heard = wire.hear_some().unwrap();
    assert!(heard.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&heard));
    assert!(String::from_utf8_lossy(&heard).to_lowercase().contains("transfer-encoding: chunked\r\n"));
    while heard.len() < LARGE << 16 {
        heard.extend(wire.hear_some().unwrap());
    }

    let start = Instant::now();
    vault.seal();
    assert!(start.elapsed() < Duration::from_secs(5), "it waits for a client who does not read");
    while let Ok(part) = wire.hear_some() {
        if part.is_empty() {
            break;
        }
        heard.extend(part);
    }
    // What comes was on its way; a whole answer ends in an empty chunk.
    assert!(heard.len() < LARGE << 20, "{} bytes", heard.len());
    assert!(!heard.ends_with(b"\r\n0\r\n\r\n"), "a part was ended as if it were the whole");
    let body = without_chunks(&heard);
    let reader = Reader::open(&body[..]).unwrap();
    let seal = SealRecord::of_backup(reader.meta()).unwrap();
    let shares: Vec<_> =
        vault.shares.iter().map(|share| parse_share(&SecretText::new(share.clone())).unwrap()).collect();
    let key = BackupKey::derive(&seal.open(&shares).unwrap(), &reader.meta().salt).unwrap();
    let mut records = reader.unlock(key).unwrap();
    let outcome = vault.run(async { restore(&mut records, None, &mut |_| {}).await });
    assert!(outcome.unwrap_err().to_string().contains("cut short"), "it is no backup");
    vault.unseal();
}

/// The body of an answer in chunks, as far as it came.
fn without_chunks(heard: &[u8]) -> Vec<u8> {
    let end = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|window| window == what);
    let mut rest = &heard[end(heard, b"\r\n\r\n").unwrap() + 4..];
    let mut body = Vec::new();
    while let Some(line) = end(rest, b"\r\n") {
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        let chunk = &rest[line + 2..];
        body.extend(&chunk[..length.min(chunk.len())]);
        rest = chunk.get(length + 2..).unwrap_or_default();
    }
    body
}

#[test]
fn a_check_looks_at_every_record() {
    let storage = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), ..Setup::default() }.start();
    let root = vault.root();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    root.post("auth/userpass/users/ann", json!({"password": "correct horse"})).ok();
    vault.login("auth/userpass/login/ann", json!({"password": "correct horse"}));
    root.post("auth/token/create", json!({"ttl": "1h"})).ok();
    let report = root.post("sys/storage/check", json!({})).data();
    assert_eq!((&report["sound"], &report["opened"], &report["findings"]), (&json!(true), &json!(true), &json!([])));
    assert!(report["records"].as_u64().unwrap() > 15);
    root.post("sys/storage/check", json!({"checkpoint": "nonsense"})).refuses(400, "no checkpoint");
}

#[test]
fn a_checkpoint_tells_a_store_that_was_put_back() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store");
    let vault = Setup::redb(&store).start();
    let token = vault.root().token().to_owned();
    vault.root().post("sys/mounts/kv", json!({"type": "kv"})).ok();
    let early = vault.root().post("sys/storage/checkpoint", json!({})).data();
    let shares = vault.shares.clone();
    vault.finish();
    copy_below(&store, &folder.path().join("old"));

    let again = |shares: &[String]| {
        let mut vault = Setup { unsealed: false, ..Setup::redb(&store) }.start();
        vault.adopt(shares, &token);
        vault.unseal();
        vault
    };
    let findings = |vault: &TestVault, checkpoint: &Value| -> Vec<String> {
        let report = vault.root().post("sys/storage/check", json!({ "checkpoint": checkpoint })).data();
        let findings = report["findings"].as_array().unwrap();
        findings.iter().map(|one| format!("{}: {}", one["fault"].as_str().unwrap(), one["detail"])).collect()
    };
    let vault = again(&shares);
    for n in 0..20 {
        vault.root().post("kv/a", json!({ "n": n })).ok();
    }
    let late = vault.root().post("sys/storage/checkpoint", json!({})).data();
    assert!(late["generation"].as_u64() > early["generation"].as_u64());
    for checkpoint in [&early, &late] {
        assert_eq!(findings(&vault, checkpoint), Vec::<String>::new());
    }
    let mut forged = late.clone();
    forged["generation"] = json!(1);
    assert!(findings(&vault, &forged)[0].contains("not signed"));
    vault.finish();

    fs::remove_dir_all(&store).unwrap();
    copy_below(&folder.path().join("old"), &store);
    let vault = again(&shares);
    assert_eq!(findings(&vault, &early), Vec::<String>::new());
    assert!(
        findings(&vault, &late)[0].starts_with("rolled-back: \"the store is older"),
        "{:?}",
        findings(&vault, &late)
    );
    for n in 0..40 {
        vault.root().post("kv/a", json!({ "n": n })).ok();
    }
    let caught_up = findings(&vault, &late);
    assert!(caught_up[0].contains("written on since"), "{caught_up:?}");
    assert_eq!(findings(&vault, &early), Vec::<String>::new());
}

#[test]
fn an_older_copy_of_a_record_opens_and_a_check_names_it() {
    let (vault, undo, _) = written_twice(Settings { check_on_unseal: false, ..Settings::default() });
    let root = vault.root();
    let findings = || {
        let report = root.post("sys/storage/check", json!({})).data();
        assert!(report["ledger_since"].is_string(), "{report}");
        report["findings"].clone()
    };
    assert_eq!(findings(), json!([]));
    undo();
    // A read does not notice, as SECURITY.md says: if this fails, that page is to be changed.
    assert_eq!(root.get("kv/a").data()["n"], 1);
    let named = |findings: &Value| {
        assert_eq!(
            (findings.as_array().unwrap().len(), &findings[0]["fault"]),
            (1, &json!("unaccounted")),
            "{findings}"
        );
        assert!(findings[0]["key"].as_str().unwrap().contains("/mount/"), "{findings}");
    };
    named(&findings());
    // Writing on does not hide it, sealing neither.
    root.post("kv/a", json!({"n": 3})).ok();
    vault.seal();
    vault.unseal();
    named(&findings());
    root.delete("kv/a").ok();
    root.delete("sys/mounts/kv").ok();
    named(&findings());
}

/// A vault with a secret that was written twice, what undoes its newest version behind the vault's back, and what puts it
/// back in its place.
fn written_twice(settings: Settings) -> (TestVault, impl Fn(), impl Fn()) {
    let storage = Arc::new(MemoryStorage::new());
    let vault = Setup { storage: storage.clone(), settings, ..Setup::default() }.start();
    let root = vault.root();
    root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
    root.post("kv/a", json!({"n": 1})).ok();
    let before = all(&storage);
    root.post("kv/a", json!({"n": 2})).ok();
    let after = all(&storage);
    let is_secret = |(key, value): &(&String, &Vec<u8>)| key.contains("/mount/") && after[*key] != **value;
    let (key, old) = before.iter().find(is_secret).map(|(key, old)| (key.clone(), old.clone())).unwrap();
    let new = after[&key].clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let put = Arc::new(move |value: Vec<u8>| {
        let mut batch = Batch::new();
        batch.put(Key::new(key.as_str()).unwrap(), value);
        runtime.block_on(storage.commit(batch)).unwrap();
    });
    let again = put.clone();
    (vault, move || put(old.clone()), move || again(new.clone()))
}

#[test]
fn the_newest_check_is_on_record() {
    let (vault, undo, redo) =
        written_twice(Settings { prometheus: true, check_on_unseal: false, ..Settings::default() });
    let root = vault.root();
    root.get("sys/storage/check").refuses(404, "not checked yet");
    let figures = || {
        let text = root.get("sys/metrics?format=prometheus").ok().text;
        let line = text.lines().find(|line| line.starts_with("arca_check_faults "));
        line.map(ToOwned::to_owned)
    };
    assert_eq!(figures(), None);
    let sound = root.post("sys/storage/check", json!({})).data();
    assert_eq!(root.get("sys/storage/check").data(), sound);
    assert_eq!(figures().as_deref(), Some("arca_check_faults 0"));
    undo();
    let unsound = root.post("sys/storage/check", json!({})).data();
    assert_eq!(unsound["sound"], false, "{unsound}");
    vault.seal();
    vault.unseal();
    assert_eq!(root.get("sys/storage/check").data(), unsound);
    assert_eq!(figures().as_deref(), Some("arca_check_faults 1"));
    redo();
    root.post("sys/storage/check", json!({})).ok();
    assert_eq!(figures().as_deref(), Some("arca_check_faults 0"));
}

#[test]
fn the_server_checks_by_itself() {
    let check_interval = Ttl::from_seconds(1);
    let (vault, undo, _) = written_twice(Settings { check_interval, ..Settings::default() });
    undo();
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        let last = vault.root().get("sys/storage/check");
        if last.status == 200 && last.json()["data"]["sound"] == false {
            assert_eq!(last.data()["findings"][0]["fault"], "unaccounted");
            return;
        }
        assert!(Instant::now() < patience, "nobody looked");
    }
}

#[test]
fn a_vault_stays_sealed_over_a_store_that_is_hurt() {
    let (vault, undo, redo) = written_twice(Settings::default());
    vault.seal();
    undo();
    let client = vault.anonymous();
    let (last, others) = vault.shares.split_last().unwrap();
    for share in others {
        client.post("sys/unseal", json!({ "key": share })).ok();
    }
    let refused = client.post("sys/unseal", json!({ "key": last })).refuses(500, "the vault stays sealed");
    assert!(refused.text.contains("1 fault, unaccounted"), "{}", refused.text);
    assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], true);
    redo();
    vault.unseal();
    assert_eq!(vault.root().get("kv/a").data()["n"], 2);
    assert_eq!(vault.root().get("sys/storage/check").data()["sound"], true);
}

fn all(storage: &Arc<MemoryStorage>) -> BTreeMap<String, Vec<u8>> {
    let (mut snapshot, mut records) = (storage.snapshot().unwrap(), BTreeMap::new());
    loop {
        let page = snapshot.next_page().unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page.into_iter().map(|stored| (stored.key.as_str().to_owned(), stored.value.unwrap())));
    }
}
