//! Files that are older than they should be, damaged, or of another store.

use super::*;

/// Writes a first value and, after the copy of the files that is returned, these; leaves the store closed.
async fn older(subject: &mut Subject, newer: &[&[u8]]) -> TempDir {
    subject.put("k", b"1").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    for value in newer {
        subject.put("k", value).await.unwrap();
    }
    subject.close();
    snapshot
}

pub(super) async fn an_older_database_is_refused(mut subject: Subject) {
    let snapshot = older(&mut subject, &[b"2"]).await;
    subject.restore(&snapshot, subject.database());
    subject.assert_damaged();
}

pub(super) async fn an_older_witness_is_refused(mut subject: Subject) {
    let snapshot = older(&mut subject, &[b"2", b"3"]).await;
    subject.restore(&snapshot, "witness");
    subject.assert_damaged();
}

/// What the chain does not protect from; if this ever fails, its documentation is out of date.
pub(super) async fn an_older_folder_is_not_noticed(mut subject: Subject) {
    let snapshot = older(&mut subject, &[b"2"]).await;
    subject.restore(&snapshot, subject.database());
    subject.restore(&snapshot, "witness");
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"1");
}

pub(super) async fn one_unwitnessed_transaction_is_accepted(mut subject: Subject) {
    let snapshot = older(&mut subject, &[b"2"]).await;
    subject.restore(&snapshot, "witness");
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"2");
    // It was caught up with: one more of the same is one again and not two.
    subject.put("k", b"3").await.unwrap();
    subject.close();
    subject.open().unwrap();
    assert_eq!(subject.value("k").await.unwrap(), b"3");
}

pub(super) async fn a_torn_witness_slot_is_tolerated(mut subject: Subject) {
    for _ in 0..3 {
        subject.put("k", b"v").await.unwrap();
    }
    subject.close();
    let path = subject.folder().join("witness");
    let sound = fs::read(&path).unwrap();
    for slot in [4096, 8192] {
        let mut torn = sound.clone();
        torn[slot + 20] ^= 1;
        fs::write(&path, torn).unwrap();
        subject.open().unwrap();
        subject.close();
    }
    let mut torn = sound;
    torn[4096 + 20] ^= 1;
    torn[8192 + 20] ^= 1;
    fs::write(&path, torn).unwrap();
    subject.assert_damaged();
}

pub(super) async fn the_database_of_another_store_is_refused(mut subject: Subject) {
    let mut other = Subject::new(subject.kind);
    for subject in [&mut subject, &mut other] {
        subject.put("k", b"v").await.unwrap();
        subject.close();
    }
    subject.restore(&other.snapshot(), other.database());
    subject.assert_damaged();
}

pub(super) async fn missing_files_are_refused(mut subject: Subject) {
    subject.put("k", b"v").await.unwrap();
    subject.close();
    let snapshot = subject.snapshot();
    let database = if subject.kind == "redb" { "vault.redb" } else { "tree/db" };
    for file in ["witness", database] {
        fs::remove_file(subject.folder().join(file)).unwrap();
        subject.assert_damaged();
        fs::write(subject.folder().join(file), b"").unwrap();
        subject.assert_damaged();
        fs::copy(snapshot.path().join(subject.kind).join(file), subject.folder().join(file)).unwrap();
        subject.open().unwrap();
        subject.close();
    }
}

/// Damage of many kinds at many places: the store is refused, or every record is there and right, or reading it fails.
pub(super) async fn damaged_files_are_refused_or_harmless(mut subject: Subject) {
    let value = |n: u64| noise(if n.is_multiple_of(20) { 20_000 } else { 300 }, n);
    for block in 0..10 {
        let mut batch = Batch::new();
        for n in block * 20..(block + 1) * 20 {
            batch.put(name(&format!("k/{n:03}")), value(n));
        }
        subject.storage().commit(batch).await.unwrap();
    }
    subject.close();
    let snapshot = subject.snapshot();
    subject.open().unwrap();
    assert_eq!(look(&**subject.storage(), &value).await, "harmless");
    let random = SeededEntropy::new(7);
    let mut outcomes = BTreeMap::<&str, u32>::new();
    for trial in 0..TRIALS {
        let copy = tempfile::tempdir().unwrap();
        copy_into(snapshot.path(), copy.path());
        let what = damage(&copy.path().join(subject.kind), trial, &random);
        let outcome = match open_at(subject.kind, copy.path()) {
            Err(_) => "refused",
            Ok(storage) => look(&*storage, &value).await,
        };
        *outcomes.entry(outcome).or_default() += 1;
        assert_ne!(outcome, "silent", "trial {trial}: {what}; up to now {outcomes:?}");
    }
    assert!(outcomes.get("refused").is_some_and(|count| *count > TRIALS / 4), "{outcomes:?}");
    println!("{}: {outcomes:?}", subject.kind);
}

const TRIALS: u32 = 80;

/// What reading every record of a damaged store shows.
async fn look(storage: &dyn Storage, value: &impl Fn(u64) -> Vec<u8>) -> &'static str {
    let mut outcome = "harmless";
    match storage.list("k/", Page::all()).await {
        Err(_) => outcome = "read error",
        Ok(names) if names.len() < 200 => return "silent",
        Ok(_) => {}
    }
    for n in 0..200 {
        match storage.get(&name(&format!("k/{n:03}"))).await {
            Err(_) => outcome = "read error",
            Ok(None) => return "silent",
            // A changed value is for the barrier's authenticated encryption to notice.
            Ok(Some(found)) if found != value(n) => outcome = "changed value",
            Ok(Some(_)) => {}
        }
    }
    outcome
}

/// Damages one file below `folder`, larger ones more often, and says how.
fn damage(folder: &Path, trial: u32, random: &dyn Entropy) -> String {
    let mut files = vec![folder.join("witness")];
    if folder.join("tree").exists() {
        files.extend(fs::read_dir(folder.join("tree")).unwrap().map(|entry| entry.unwrap().path()));
        files.retain(|path| path.is_file());
    } else {
        files.push(folder.join("vault.redb"));
    }
    files.sort_by_key(|path| fs::metadata(path).unwrap().len());
    let number = || u64::from_be_bytes(random.bytes().unwrap());
    let any = usize::try_from(number() % files.len() as u64).unwrap();
    let path = if trial.is_multiple_of(4) { &files[any] } else { files.last().unwrap() };
    let mut bytes = fs::read(path).unwrap();
    // Within what is used: sled's log is preallocated.
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    let at = usize::try_from(number() % used as u64).unwrap();
    let how = match trial % 5 {
        0 => {
            bytes[at] ^= 1 << (number() % 8);
            "flipped a bit"
        }
        1 => {
            bytes[at..].iter_mut().take(8).for_each(|byte| *byte = !*byte);
            "flipped 8 bytes"
        }
        2 => {
            bytes[at / 512 * 512..].iter_mut().take(512).for_each(|byte| *byte = 0);
            "zeroed a sector"
        }
        3 => {
            bytes.truncate(used - at.min(4096).min(used));
            "cut the tail"
        }
        _ => {
            bytes.truncate(at);
            "cut anywhere"
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{how} at {at} of {used} in {}", path.file_name().unwrap().display())
}
