//! After sealing, nothing that opens the vault, and nothing that was in it, is left in the memory of the process.
//!
//! Every readable page of a running `arcad` is searched from outside, as a debugger would.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

use arca::entropy::SystemEntropy;
use arca::metrics::Metrics;
use arca::seal::{DistinctShares, Threshold, combine, parse_share, unwrap_root_key};
use arca::secret::{SecretText, Share};
use arca::storage::{Key, Opening, Storage};
use arca::time::{Clock, SystemClock};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Certificates, Client, Process, Wire, eventually};

/// How much of the memory is looked at in one piece.
const PIECE: usize = 1 << 20;
/// Pieces overlap by so much: a secret that lies across their border is found too.
const OVERLAP: usize = 512;
const REQUIRED: usize = 3;

/// What is searched for: what it is, and how it is spelled.
#[derive(Default)]
struct Wanted(Vec<(String, Vec<u8>)>);

impl Wanted {
    /// A key: its bytes, and each half of them (what a register or a vector held), in hexadecimal and in base64.
    fn add_key(&mut self, what: &str, key: &[u8]) {
        let (first, second) = key.split_at(16);
        self.0.push((format!("the first half of {what}"), first.to_vec()));
        self.0.push((format!("the second half of {what}"), second[..16].to_vec()));
        self.0.push((format!("{what} in hexadecimal"), HEXLOWER.encode(key).into_bytes()));
        self.0.push((format!("{what} in base64"), BASE64.encode(key).trim_end_matches('=').as_bytes().to_vec()));
    }

    fn add_text(&mut self, what: &str, text: &str) {
        self.0.push((what.to_owned(), text.as_bytes().to_vec()));
    }

    /// What of it is in the memory of a process, where and how often; nothing if this user may not look.
    fn found_in(&self, process: &Process) -> Option<BTreeMap<String, usize>> {
        let memory = File::open(format!("/proc/{}/mem", process.id())).ok()?;
        let maps = fs::read_to_string(format!("/proc/{}/maps", process.id())).ok()?;
        let (mut found, mut piece, zeros) = (BTreeMap::new(), vec![0; PIECE + OVERLAP], vec![0; PIECE + OVERLAP]);
        let search = Search::of(self);
        let mut looked_at = 0;
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (from, to) = words.next()?.split_once('-')?;
            let (mut from, to) = (usize::from_str_radix(from, 16).ok()?, usize::from_str_radix(to, 16).ok()?);
            let (rights, name) = (words.next()?, words.nth(3).unwrap_or("anonymous memory"));
            if !rights.starts_with('r') {
                continue;
            }
            while from < to {
                let length = (to - from).min(piece.len());
                let piece = &mut piece[..length];
                // A page that went away meanwhile has nothing in it; neither have most of the pages of a stack.
                if memory.read_exact_at(piece, from as u64).is_ok() && *piece != zeros[..length] {
                    looked_at += length;
                    for index in search.found_in(piece) {
                        *found.entry(format!("{}, {name}", self.0[index].0)).or_default() += 1;
                    }
                }
                from += PIECE;
            }
        }
        (looked_at > 0).then_some(found)
    }
}

/// A search for all of what is wanted in one pass.
struct Search<'a> {
    wanted: &'a Wanted,
    /// For each two bytes that something may begin with, what does.
    beginnings: Vec<Vec<usize>>,
}

impl<'a> Search<'a> {
    fn of(wanted: &'a Wanted) -> Self {
        let mut beginnings = vec![Vec::new(); 1 << 16];
        for (index, (_, spelling)) in wanted.0.iter().enumerate() {
            beginnings[usize::from(spelling[0]) << 8 | usize::from(spelling[1])].push(index);
        }
        Self { wanted, beginnings }
    }

    /// The indices of what is in `bytes`.
    fn found_in(&self, bytes: &[u8]) -> Vec<usize> {
        let (mut found, mut key, mut place) = (Vec::new(), 0, 0);
        while place < bytes.len() {
            key = (key << 8 | usize::from(bytes[place])) & 0xffff;
            place += 1;
            let candidates = &self.beginnings[key];
            if !candidates.is_empty() && place > 1 {
                let rest = &bytes[place - 2..];
                found.extend(candidates.iter().filter(|index| rest.starts_with(&self.wanted.0[**index].1)));
            }
        }
        found
    }
}

#[test]
fn nothing_is_left_in_memory_after_sealing() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let mut process = Process::start(folder.path(), &certificates);
    let made: Value =
        process.anonymous().post("sys/init", json!({ "secret_shares": 5, "secret_threshold": REQUIRED })).ok().json();
    let shares: Vec<String> =
        made["keys_base64"].as_array().unwrap().iter().map(|share| share.as_str().unwrap().to_owned()).collect();
    let token = made["root_token"].as_str().unwrap().to_owned();
    unseal(&process, &shares);
    // A second key in the keyring, the older of which is not used any more.
    process.anonymous().with_token(&token).post("sys/rotate", json!({})).ok();
    assert!(process.stop());
    let (mut wanted, keyring) = keys(&folder.path().join("store"), &shares);
    wanted.add_text("the root token", &token);

    let process = Process::start(folder.path(), &certificates);
    unseal(&process, &shares);
    let root = process.anonymous().with_token(&token);
    use_secrets(&root, &mut wanted);
    let held = held_request(&process, &root, &mut wanted);
    let Some(before) = wanted.found_in(&process) else {
        println!("LEFT OUT: this user may not read the memory of another process; run this as root");
        return;
    };
    // What is in use is found: the search finds what there is.
    let in_use = keyring.iter().map(|what| format!("the first half of {what}"));
    for what in
        in_use.chain(["a secret that is on its way", "the token of a request that is on its way"].map(String::from))
    {
        assert!(before.keys().any(|found| found.starts_with(&what)), "the search does not find {what}: {before:#?}");
    }
    drop(held);
    root.post("sys/seal", json!({})).ok();
    let mut after = before;
    for _ in 0..20 {
        after = wanted.found_in(&process).unwrap();
        if after.is_empty() {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(200));
    }
    assert!(after.is_empty(), "{after:#?}");
    let status = process.anonymous().get("sys/seal-status").ok().json();
    assert_eq!(status["sealed"], true);
}

#[test]
fn whoever_seals_the_vault_can_ask_on() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::write(folder.path());
    let process = Process::start(folder.path(), &certificates);
    let (share, token) = process.initialise();
    let root = process.anonymous().with_token(&token);
    for _ in 0..20 {
        root.post("sys/unseal", json!({ "key": share })).ok();
        let sealed = root.post("sys/seal", json!({})).ok();
        assert_eq!(sealed.headers.get("connection").unwrap(), "close", "its connection ends, and it is told so");
        // These go over a connection that was made after the sealing, and does not end with it.
        for _ in 0..5 {
            assert_eq!(root.get("sys/seal-status").ok().json()["sealed"], true);
        }
    }
}

/// Gives as many shares as are needed.
fn unseal(process: &Process, shares: &[String]) {
    for share in &shares[..REQUIRED] {
        process.anonymous().post("sys/unseal", json!({ "key": share })).ok();
    }
    eventually("it is unsealed", || (process.anonymous().get("sys/health").status == 200).then_some(()));
}

/// Everything that opens the store, taken out of its files without the server; and what the keys of the keyring are
/// called.
fn keys(store: &Path, shares: &[String]) -> (Wanted, Vec<String>) {
    let mut wanted = Wanted::default();
    let parsed: Vec<Share> = shares.iter().map(|share| parse_share(&SecretText::new(share.clone())).unwrap()).collect();
    for (number, share) in parsed.iter().enumerate() {
        wanted.add_key(&format!("share {number}"), share.expose());
    }
    let threshold = Threshold::new(5, 3).unwrap();
    let seal = combine(DistinctShares::new(&parsed[..REQUIRED], threshold).unwrap());
    let metrics = Metrics::new(SystemClock.now());
    let storage = arca::storage::open("redb", store, Opening::default(), &SystemEntropy::new(), &metrics).unwrap();
    let record: Value = serde_json::from_slice(&stored(&*storage, "core/seal")).unwrap();
    let wrapped = BASE64.decode(record["wrapped_root"].as_str().unwrap().as_bytes()).unwrap();
    let root = unwrap_root_key(&seal, &wrapped).unwrap();
    wanted.add_key("the seal key", seal.expose());
    wanted.add_key("the root key", root.expose());
    let keyring = opened(root.expose(), "core/keyring", &stored(&*storage, "core/keyring"));
    let keyring: Value = serde_json::from_slice(&keyring).unwrap();
    let mut names = Vec::new();
    for term in keyring["terms"].as_array().unwrap() {
        let name = format!("the barrier key of term {}", term["term"]);
        wanted.add_key(&name, &BASE64.decode(term["key"].as_str().unwrap().as_bytes()).unwrap());
        names.push(name);
    }
    assert_eq!(names.len(), 2, "{names:?}");
    let ledger = BASE64.decode(keyring["ledger"].as_str().unwrap().as_bytes()).unwrap();
    wanted.add_key("the key of the ledger", &ledger);
    names.push("the key of the ledger".to_owned());
    (wanted, names)
}

fn stored(storage: &dyn Storage, key: &str) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(storage.get(&Key::new(key).unwrap())).unwrap().unwrap()
}

/// Decrypts a record as SECURITY.md describes it: version, term, nonce, ciphertext and tag; the first two and the name
/// are associated data.
fn opened(key: &[u8], name: &str, envelope: &[u8]) -> Vec<u8> {
    let (head, sealed) = envelope.split_at(17);
    let data = [&head[..5], name.as_bytes()].concat();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(&head[5..]).unwrap();
    let mut sealed = sealed.to_vec();
    key.open_in_place(nonce, Aad::from(data), &mut sealed).unwrap().to_vec()
}

/// A request whose body has not come to its end: its secret and its token are in the memory of the server.
fn held_request(process: &Process, root: &Client, wanted: &mut Wanted) -> Wire {
    let token = root.post("auth/token/create", json!({"policies": ["default"]})).issued();
    wanted.add_text("the token of a request that is on its way", &token);
    let secret = "Zq8marker-held-xW7kPv3";
    wanted.add_text("a secret that is on its way", secret);
    let (ca, (certificate, key)) = process.certificates();
    let mut wire = Wire::connect(process.address, ca, Some((certificate, key)));
    let head = format!(
        "POST /v1/kv/data/held HTTP/1.1\r\nHost: localhost\r\nX-Vault-Token: {token}\r\nContent-Length: 1000\r\n\r\n\
         {{\"data\": {{\"password\": \"{secret}\""
    );
    wire.say(head.as_bytes()).unwrap();
    wire
}

/// Writes, reads and logs in, so that secrets and tokens go all the ways that they may go.
fn use_secrets(root: &Client, wanted: &mut Wanted) {
    let marker = |what: &str| format!("Zq8marker-{what}-xW7kPv3");
    root.post("sys/mounts/kv", json!({"type": "kv-v2"})).ok();
    wanted.add_text("a secret of kv", &marker("kv"));
    root.post("kv/data/a", json!({"data": {"password": marker("kv")}})).ok();
    root.patch("kv/data/a", json!({"data": {"more": marker("patch")}})).ok();
    wanted.add_text("a patched secret of kv", &marker("patch"));
    for _ in 0..20 {
        root.get("kv/data/a").ok();
    }
    wanted.add_text("a secret of cubbyhole", &marker("cubbyhole"));
    root.post("cubbyhole/a", json!({"password": marker("cubbyhole")})).ok();
    let wrapped = root.with_header("x-vault-wrap-ttl", "60s").get("cubbyhole/a").ok().json();
    let wrapping = wrapped["wrap_info"]["token"].as_str().unwrap();
    wanted.add_text("a wrapping token", wrapping);
    root.anonymous().with_token(wrapping).post("sys/wrapping/unwrap", json!({})).ok();
    root.post("sys/auth/userpass", json!({"type": "userpass"})).ok();
    wanted.add_text("a password", &marker("password"));
    root.post("auth/userpass/users/ann", json!({"password": marker("password")})).ok();
    let login = root.anonymous().post("auth/userpass/login/ann", json!({"password": marker("password")})).issued();
    wanted.add_text("the token of a login", &login);
    root.with_token(&login).get("auth/token/lookup-self").ok();
    let child = root.post("auth/token/create", json!({"policies": ["default"]})).issued();
    wanted.add_text("a token", &child);
    root.with_token(&child).get("auth/token/lookup-self").ok();
    let batch = root.post("auth/token/create", json!({"policies": ["default"], "type": "batch"})).issued();
    wanted.add_text("a batch token", &batch);
    root.with_token(&batch).get("auth/token/lookup-self").ok();
    // A large document goes through other buffers than a small one.
    let large = format!("{}{}", marker("large"), "x".repeat(300_000));
    wanted.add_text("a large secret", &marker("large"));
    root.post("kv/data/large", json!({"data": {"text": large}})).ok();
    root.get("kv/data/large").ok();
    // What is refused was read too.
    wanted.add_text("a secret in a request that was refused", &marker("refused"));
    root.post("kv/data/a", json!({"data": marker("refused")})).is(400);
}
