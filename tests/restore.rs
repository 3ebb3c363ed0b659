//! The operator's day of trouble: a backup of a running server, a restore, a check, with the programs as they are shipped.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use arca::entropy::SystemEntropy;
use arca::metrics::Metrics;
use arca::storage::Opening;
use arca::time::{Clock, SystemClock};

use crate::support::{Certificates, Process, files_below, program};

/// A server that was stopped, with a backup of what it had before it wrote the last of its secrets.
struct Site {
    folder: TempDir,
    certificates: Certificates,
    share: String,
    token: String,
    checkpoint: PathBuf,
    backup: PathBuf,
}

impl Site {
    fn new() -> Self {
        Self::with(60)
    }

    /// One with so many secrets in the backup, of 6 kB each.
    fn with(secrets: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let certificates = Certificates::write(folder.path());
        let mut process = Process::start(folder.path(), &certificates);
        let (share, token) = process.initialise();
        process.unseal(&share);
        let root = process.anonymous().with_token(&token);
        root.post("sys/mounts/kv", json!({"type": "kv"})).ok();
        for n in 0..secrets {
            root.post(&format!("kv/{n}"), json!({"n": n, "text": "x".repeat(6_000)})).ok();
        }
        let backup = folder.path().join("backup");
        fs::write(&backup, root.bytes("sys/storage/raft/snapshot").2).unwrap();
        root.post("kv/later", json!({"n": 1})).ok();
        let checkpoint = folder.path().join("checkpoint.json");
        fs::write(&checkpoint, root.post("sys/storage/checkpoint", json!({})).data().to_string()).unwrap();
        assert!(process.stop());
        Self { folder, certificates, share, token, checkpoint, backup }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("arca.hcl")
    }

    fn begin(&self, arguments: &[&str]) -> Child {
        let mut child = Command::new(program())
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have no use for the share, and be gone.
        let _ = child.stdin.take().unwrap().write_all(format!("{}\n", self.share).as_bytes());
        child
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let Output { status, stdout, stderr } = self.begin(arguments).wait_with_output().unwrap();
        (status.code().unwrap(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }

    fn restore(&self, backup: &Path) -> (i32, String) {
        self.run(&["restore", "--config", self.config().to_str().unwrap(), backup.to_str().unwrap()])
    }

    fn check(&self, more: &[&str]) -> (i32, Value) {
        let config = self.config();
        let (code, text) = self.run(&[&["check", "--json", "--config", config.to_str().unwrap()], more].concat());
        (code, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Starts the server, which does not unseal, for this reason.
    fn stays_sealed(&self, reason: &str) {
        let mut process = Process::start(self.folder.path(), &self.certificates);
        let client = process.anonymous();
        let refused = client.post("sys/unseal", json!({"key": self.share})).refuses(500, "the vault stays sealed");
        assert!(refused.text.contains(reason), "{}", refused.text);
        assert_eq!(client.get("sys/seal-status").ok().json()["sealed"], true);
        assert_eq!(client.with_token(&self.token).get("kv/later").status, 503);
        assert!(process.stop());
    }

    /// Whether the secret that was written after the backup is there; all those before must be.
    fn has_later(&self) -> bool {
        let mut process = Process::start(self.folder.path(), &self.certificates);
        process.unseal(&self.share);
        let root = process.anonymous().with_token(&self.token);
        for n in [0, 31, 59] {
            assert_eq!(root.get(&format!("kv/{n}")).data()["n"], n);
        }
        let later = root.get("kv/later").status == 200;
        assert!(process.stop());
        later
    }
}

#[test]
fn a_backup_is_restored_and_everything_says_so() {
    let site = Site::new();
    let checkpoint = site.checkpoint.to_str().unwrap();
    let (code, report) = site.check(&["--checkpoint", checkpoint]);
    assert_eq!((code, &report["sound"]), (0, &json!(true)), "{report}");
    let before = report["lineage"].clone();

    let (code, text) = site.run(&["restore", "--verify-only", site.backup.to_str().unwrap()]);
    assert!(code == 0 && text.contains("is whole"), "{text}");
    assert!(site.has_later());
    let (code, text) = site.restore(&site.backup);
    assert!(code == 0 && text.contains("It is restored"), "{text}");
    assert!(site.folder.path().join("store/redb.replaced").exists());
    assert!(!site.has_later());

    let (code, report) = site.check(&[]);
    assert_eq!((code, &report["sound"]), (0, &json!(true)), "{report}");
    assert_ne!(report["lineage"], before);
    assert!(report["restored"][0].as_str().unwrap().contains("from a backup of"), "{report}");
    // The checkpoint is newer than the backup, and tells.
    let (code, report) = site.check(&["--checkpoint", checkpoint]);
    assert!(code == 2 && report["findings"][0]["detail"].as_str().unwrap().contains("was restored at"), "{report}");
    let (code, report) = site.check(&["--checkpoint", checkpoint, "--without-keys"]);
    assert!(code == 2 && report["findings"][0]["fault"] == "rolled-back", "{report}");
    // And a server that is told to look does not start.
    let config = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), format!("{config}checkpoint_file = {checkpoint:?}\n")).unwrap();
    let (code, text) = site.run(&["--config", site.config().to_str().unwrap()]);
    assert!(code == 1 && text.contains("the checkpoint is of another store"), "{text}");
}

#[test]
fn what_a_restore_replaces_is_kept_by_the_next_one() {
    let site = Site::new();
    let store = site.folder.path().join("store");
    let (code, text) = site.restore(&site.backup);
    assert!(code == 0 && !text.contains("replaced before"), "{text}");
    let (code, text) = site.restore(&site.backup);
    assert_eq!(code, 0, "{text}");
    let (first, second) = (store.join("redb.replaced"), store.join("redb.replaced-2"));
    assert!(text.contains(&format!("The store that it replaces is in {};", second.display())), "{text}");
    assert!(text.contains(&format!("A store that was replaced before is still in {}.", first.display())), "{text}");
    assert!(!site.has_later());
    for (kept, has_later) in [(second, false), (first, true)] {
        fs::remove_dir_all(store.join("redb")).unwrap();
        fs::rename(kept, store.join("redb")).unwrap();
        assert_eq!(site.check(&[]).0, 0);
        assert_eq!(site.has_later(), has_later);
    }
}

#[test]
fn an_older_copy_of_a_record_is_named_until_it_is_accepted() {
    let site = Site::new();
    let store = site.folder.path().join("store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = || {
        let metrics = Metrics::new(SystemClock.now());
        arca::storage::open("redb", &store, Opening::default(), &SystemEntropy::new(), &metrics).unwrap()
    };
    let later = || {
        let (storage, mut found) = (opened(), None);
        let mut snapshot = storage.snapshot().unwrap();
        loop {
            let page = snapshot.next_page().unwrap();
            if page.is_empty() {
                return found.unwrap();
            }
            let mut page = page.into_iter().filter(|stored| stored.key.as_str().ends_with("/later"));
            found = found.or_else(|| page.next().map(|stored| (stored.key, stored.value.unwrap())));
        }
    };
    let (key, old) = later();
    let mut process = Process::start(site.folder.path(), &site.certificates);
    process.unseal(&site.share);
    process.anonymous().with_token(&site.token).post("kv/later", json!({"n": 2})).ok();
    assert!(process.stop());
    assert_ne!(later().1, old);
    assert_eq!(site.check(&[]).0, 0);

    let mut batch = arca::storage::Batch::new();
    batch.put(key.clone(), old);
    runtime.block_on(opened().commit(batch)).unwrap();
    let named = || {
        let (code, report) = site.check(&[]);
        assert_eq!((code, &report["findings"][0]["fault"]), (2, &json!("unaccounted")), "{report}");
        assert_eq!(report["findings"][0]["key"], key.as_str());
        assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    };
    named();
    site.stays_sealed("unaccounted");
    named();
    // Nobody is locked out of the rest.
    let config = site.config();
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("check_on_unseal = false\n{text}")).unwrap();
    assert!(site.has_later());
    fs::write(&config, text).unwrap();
    named();
    let arguments = ["check", "--accept", "--config", config.to_str().unwrap()];
    let (code, text) = site.run(&arguments);
    assert!(code == 0 && text.contains("Counted anew: ") && text.contains(key.as_str()), "{text}");
    assert!(
        text.contains("Nothing is wrong.") && text.contains("The ledger accounts for every change since"),
        "{text}"
    );
    let (code, text) = site.run(&arguments);
    assert!(code == 0 && !text.contains("Counted anew: "), "there is nothing to accept: {text}");
    assert!(site.has_later());
    let (code, report) = site.check(&[]);
    assert_eq!((code, report["accepted"].as_array().unwrap().len()), (0, 1), "{report}");
}

#[test]
fn a_damaged_or_foreign_backup_replaces_nothing() {
    let site = Site::new();
    let whole = fs::read(&site.backup).unwrap();
    let damaged = site.folder.path().join("damaged");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 4;
    for (bytes, says) in [
        (&whole[..whole.len() - 1], "cut short"),
        (&whole[..whole.len() / 2], "cut short"),
        (&flipped[..], "does not open"),
        (b"something else".as_slice(), "no backup"),
    ] {
        fs::write(&damaged, bytes).unwrap();
        let (code, text) = site.restore(&damaged);
        assert!(code == 1 && text.contains(says), "{says}: {text}");
    }
    assert!(!site.folder.path().join("store/redb.replaced").exists());

    let other = Site::new();
    let config = site.config();
    let foreign = ["restore", "--config", config.to_str().unwrap(), other.backup.to_str().unwrap()];
    let (code, text) = other.run(&foreign);
    assert!(code == 1 && text.contains("another vault"), "{text}");
    let (code, text) = site.run(&foreign);
    assert!(code == 1 && text.contains("invalid key"), "the shares are those of the backup: {text}");
    assert!(site.has_later());

    let process = Process::start(site.folder.path(), &site.certificates);
    let (code, text) = site.restore(&site.backup);
    assert!(code == 1 && text.contains("another process has the store in "), "{text}");
    let (code, _) = site.check(&[]);
    assert_eq!(code, 1);
    drop(process);

    let (code, text) = other.run(&[&foreign[..3], &["--force"], &foreign[3..]].concat());
    assert_eq!(code, 0, "{text}");
    let (code, _) = other.run(&["check", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 0, "the shares of the backup open it now");
}

#[test]
fn a_damaged_store_is_named_with_what_to_do() {
    let site = Site::new();
    let (config, folder) = (site.config(), site.folder.path().join("store/redb"));
    let config = config.to_str().unwrap();
    let sound = |name: &str| fs::read(folder.join(name)).unwrap();
    let (database, witness) = (sound("vault.redb"), sound("witness"));
    let mut hurt = database.clone();
    for page in hurt.chunks_mut(4096).skip(2).filter(|page| page.iter().any(|byte| *byte != 0)) {
        page[100] ^= 3;
    }
    let mut foreign = witness.clone();
    foreign[40] ^= 1;
    for (name, bytes, says) in [
        ("vault.redb", &hurt[..], "its database file, vault.redb, does not hold together"),
        ("vault.redb", &database[..database.len() / 2], "its database file, vault.redb, does not hold together"),
        ("vault.redb", &[b'x'; 9_000], "its database file, vault.redb, is none, or not whole"),
        ("vault.redb", b"".as_slice(), "its database file, vault.redb, is empty"),
        ("witness", &foreign[..], "its witness file cannot be read"),
    ] {
        let sound = sound(name);
        fs::write(folder.join(name), bytes).unwrap();
        let files =
            || files_below(&folder).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect::<Vec<_>>();
        let before = files();
        let store = format!("the store in {} is damaged: ", folder.display());
        let advice = format!(
            "Nothing was changed. Keep its files, and restore a backup: \
             arca operator restore -config={config} -force FILE"
        );
        for (arguments, expected) in [
            (&["check", "--config", config][..], 2),
            (&["check", "--config", config, "--without-keys"], 2),
            (&["--config", config], 1),
        ] {
            let (code, text) = site.run(arguments);
            assert_eq!(code, expected, "{text}");
            for part in [store.as_str(), says, &advice] {
                assert!(text.contains(part), "{part}: {text}");
            }
            for part in ["\"\"", "0 records", "Without keys", "Store ,", "generation"] {
                assert!(!text.contains(part), "{part}: {text}");
            }
        }
        let (code, report) = site.check(&[]);
        assert_eq!((code, &report["sound"], &report["findings"][0]["fault"]), (2, &json!(false), &json!("unreadable")));
        assert!(report["findings"][0]["detail"].as_str().unwrap().starts_with(&store), "{report}");
        let (code, text) = site.restore(&site.backup);
        assert!(code == 1 && text.contains(&store) && text.contains("replace it with -force"), "{text}");
        assert!(before == files(), "{name}, {says}: something was changed");
        fs::write(folder.join(name), sound).unwrap();
    }
    assert!(site.has_later());
}

#[test]
fn an_interrupted_restore_leaves_the_old_store_or_the_new() {
    let rounds = std::env::var_os("ARCA_TORTURE_ROUNDS").and_then(|rounds| rounds.to_str()?.parse::<u32>().ok());
    let site = Site::with(if rounds.is_some() { 600 } else { 60 });
    let began = Instant::now();
    let (code, text) = site.restore(&site.backup);
    assert_eq!(code, 0, "{text}");
    let whole = began.elapsed();
    site.forget_replaced();
    let (_, first) = site.check(&[]);
    let (mut lineage, mut figures, mut losses) = (first["lineage"].clone(), Figures::default(), Vec::new());
    let moments = moments(rounds.unwrap_or(12), whole);
    for moment in &moments {
        let was_done = site.interrupt(*moment);
        let (code, report) = site.check(&[]);
        let is_old = report["lineage"] == lineage;
        lineage = report["lineage"].clone();
        figures.interrupted += usize::from(!was_done);
        figures.old += usize::from(!was_done && is_old);
        figures.new += usize::from(!was_done && !is_old);
        let is_sound = code == 0 && report["sound"] == true && report["records"] == first["records"];
        // The store that was replaced is kept, and there is none unless one was.
        let is_kept = site.forget_replaced() == usize::from(!is_old);
        // A restore that said that it was done is there.
        if !is_sound || !is_kept || (was_done && is_old) {
            losses.push(format!("{moment:?}, done: {was_done}, old: {is_old}, kept: {is_kept}: {report}"));
        }
    }
    let Figures { interrupted, old, new } = figures;
    let (rounds_done, lost) = (moments.len(), losses.len());
    println!("torture: restore rounds={rounds_done} interrupted={interrupted} old={old} new={new} lost={lost}");
    assert!(losses.is_empty(), "{losses:#?}");
    assert!(interrupted > 0, "no restore was interrupted");
    assert!(rounds.is_none() || (old > 0 && new > 0), "{old} old, {new} new: no kill fell on one side of the exchange");
    let (code, text) = site.restore(&site.backup);
    assert_eq!(code, 0, "{text}");
    assert!(!site.has_later());
    let left: Vec<String> = fs::read_dir(site.folder.path().join("store"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!left.iter().any(|name| name.ends_with(".restoring") || name.ends_with(".restored")), "{left:?}");
}

/// Of restores that were killed before they said that they were done, how many left which store.
#[derive(Default)]
struct Figures {
    interrupted: usize,
    old: usize,
    new: usize,
}

/// When a restore is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after it began.
    After(Duration),
    /// So long after the new store began to take the place of the old one, or when it is done.
    InExchange(Duration),
}

/// So many moments, for a restore that takes `whole`: a third all over it, a third about its end, and a third in the
/// exchange, which is short.
fn moments(count: u32, whole: Duration) -> Vec<Moment> {
    let third = (count / 3).max(1);
    let spread = |from: f64, to: f64| {
        let at = move |n: u32| from + (to - from) * f64::from(n) / f64::from(third);
        (0..third).map(move |n| Moment::After(whole.mul_f64(at(n))))
    };
    let exchange = (0..third).map(|n| Moment::InExchange(Duration::from_micros(u64::from(n % 10) * 200)));
    spread(0.0, 0.8).chain(spread(0.8, 1.1)).chain(exchange).collect()
}

impl Site {
    /// Begins a restore and kills it at this moment. Whether it was done by then.
    fn interrupt(&self, moment: Moment) -> bool {
        let mut child =
            self.begin(&["restore", "--config", self.config().to_str().unwrap(), self.backup.to_str().unwrap()]);
        let (_nobody, when) = std::sync::mpsc::channel::<()>();
        // Nobody sends: this waits for the time alone.
        let wait = |time: Duration| assert!(when.recv_timeout(time).is_err());
        match moment {
            Moment::After(time) => wait(time),
            Moment::InExchange(time) => {
                let store = self.folder.path().join("store");
                let begun = || store.join("redb.restored").exists() || store.join("redb.replaced").exists();
                while child.try_wait().unwrap().is_none() && !begun() {
                    wait(Duration::from_micros(50));
                }
                wait(time);
            }
        }
        let _ = child.kill();
        child.wait().unwrap().success()
    }

    /// Removes the stores that were replaced, as the operator does, and tells how many there were.
    fn forget_replaced(&self) -> usize {
        let entries = fs::read_dir(self.folder.path().join("store")).unwrap().map(|entry| entry.unwrap());
        let is_replaced = |entry: &fs::DirEntry| entry.file_name().to_str().unwrap().starts_with("redb.replaced");
        entries.filter(is_replaced).map(|entry| fs::remove_dir_all(entry.path()).unwrap()).count()
    }
}

#[test]
fn what_root_restores_and_checks_is_open_to_the_server() {
    let (uid, gid) = (65_534, 65_534);
    let as_server = |command: &mut Command| command.env_clear().uid(uid).gid(gid).status().is_ok();
    if !rustix::process::geteuid().is_root() || !as_server(Command::new(program()).arg("--version")) {
        println!("skipped: only root can run the program as somebody else, who must reach it");
        return;
    }
    let site = Site::new();
    let folder = site.folder.path();
    let all =
        || files_below(folder).into_iter().flat_map(|path| path.ancestors().map(Path::to_owned).collect::<Vec<_>>());
    let below = || all().filter(|path| path.starts_with(folder));
    for path in below() {
        chown(path, Some(uid), Some(gid)).unwrap();
    }
    assert_eq!(site.restore(&site.backup).0, 0);
    assert_eq!(site.check(&[]).0, 0);
    let others: Vec<_> = below().filter(|path| fs::symlink_metadata(path).unwrap().uid() != uid).collect();
    assert!(others.is_empty(), "{others:?}");
    let served = |site: &Site| {
        let mut process = Process::start_by(
            Command::new(program()).env_clear().uid(uid).gid(gid),
            site.folder.path(),
            &site.certificates,
        );
        process.unseal(&site.share);
        assert!(process.stop());
    };
    served(&site);

    // Where a file is somebody else's after all, it is said which, and what to do.
    let (store, database) = (folder.join("store/redb"), folder.join("store/redb/vault.redb"));
    chown(&database, Some(0), Some(0)).unwrap();
    let mut command = Command::new(program());
    let output = command.arg("--config").arg(site.config()).env_clear().uid(uid).gid(gid).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let named = format!("{} cannot be opened: Permission denied", database.display());
    assert!(!output.status.success() && text.contains(&named), "{text}");
    assert!(text.contains("belongs to user 0, and this is user 65534"), "{text}");
    assert!(text.contains(&format!("chown -R 65534 {}", store.display())), "{text}");
    assert!(!text.contains("the store failed"), "{text}");
}

#[test]
fn a_backup_fits_another_kind_of_store() {
    let site = Site::new();
    let config = fs::read_to_string(site.config()).unwrap().replace("storage \"redb\"", "storage \"sled\"");
    fs::write(site.config(), config).unwrap();
    let (code, text) = site.restore(&site.backup);
    assert!(code == 1 && text.contains("of kind redb"), "{text}");
    fs::remove_dir_all(site.folder.path().join("store/redb")).unwrap();
    let (code, text) = site.restore(&site.backup);
    assert_eq!(code, 0, "{text}");
    assert!(!site.has_later());
    assert_eq!(site.check(&[]).0, 0);
}
